//! The server's log lines become lines of the trace, and show which rare states were reached.

use std::fmt::{Debug, Write};

use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::states;
use crate::trace::Trace;

/// Receives the log lines of the run in this thread.
pub(crate) struct Logs {
    trace: Trace,
    /// The host that runs now: turmoil enters a span with its name.
    host: Mutex<Host>,
}

#[derive(Default)]
struct Host {
    /// By id of the span, from 1.
    known: Vec<String>,
    running: Option<usize>,
}

impl Logs {
    pub(crate) fn new(trace: Trace) -> Self {
        Self { trace, host: Mutex::default() }
    }
}

impl Subscriber for Logs {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Names of crates, as they stand at the front of targets: the libraries' own chatter is of no use here.
        const OURS: [&str; 8] =
            ["journal", "raft_group", "data_plane", "control_plane", "router", "api", "server", "env"];
        let name = metadata.target().split("::").next().unwrap_or_default();
        if metadata.is_span() {
            return name == "turmoil" && metadata.name() == "node";
        }
        metadata.is_event() && *metadata.level() <= Level::TRACE && OURS.contains(&name)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut name = Line::default();
        attributes.record(&mut name);
        let known = &mut self.host.lock().known;
        let place = known.iter().position(|known| *known == name.fields).unwrap_or_else(|| {
            known.push(name.fields);
            known.len() - 1
        });
        Id::from_u64(place as u64 + 1)
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
        let host = self.host.lock();
        let host = host.running.and_then(|place| host.known.get(place)).map_or("", String::as_str);
        self.trace.note(now, |out| {
            let _ =
                write!(out, "log{host} {} {}: {}{}", metadata.level(), metadata.target(), line.message, line.fields);
        });
    }

    fn enter(&self, span: &Id) {
        self.host.lock().running = Some(span.into_u64() as usize - 1);
    }

    fn exit(&self, _: &Id) {
        self.host.lock().running = None;
    }
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
            "name" => write!(self.fields, " {}", format!("{value:?}").trim_matches('"')),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
