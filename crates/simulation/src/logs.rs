//! The server's log lines become lines of the trace, and show which rare states were reached.

use std::fmt::{Debug, Write};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::states;
use crate::trace::Trace;

/// Receives the log lines of the run in this thread.
pub(crate) struct Logs {
    pub(crate) trace: Trace,
}

impl Subscriber for Logs {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Names of crates, as they stand at the front of targets: the libraries' own chatter is of no use here.
        const OURS: [&str; 8] =
            ["journal", "raft_group", "data_plane", "control_plane", "router", "api", "server", "env"];
        let name = metadata.target().split("::").next().unwrap_or_default();
        metadata.is_event() && *metadata.level() <= Level::TRACE && OURS.contains(&name)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let state = states::ALL.iter().find(|state| !state.log.is_empty() && line.message.starts_with(state.log));
        if let Some(state) = state {
            self.trace.reached(state.name);
        }
        let now = turmoil::sim_elapsed().map_or(0, |elapsed| elapsed.as_millis() as u64);
        let metadata = event.metadata();
        self.trace.note(now, |out| {
            let _ = write!(out, "log {} {}: {}{}", metadata.level(), metadata.target(), line.message, line.fields);
        });
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
