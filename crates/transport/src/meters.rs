use telemetry::{IntCounter, IntCounterVec, IntGauge, Telemetry};

use crate::CallError;

/// The transport's metrics, labels resolved once.
pub(crate) struct Meters {
    pub(crate) sent_bytes: IntCounter,
    pub(crate) received_bytes: IntCounter,
    pub(crate) in_flight_bytes: IntGauge,
    pub(crate) connect_failures: IntCounter,
    connections_open: IntGauge,
    /// Calls made here.
    pub(crate) calls: Outcomes,
    /// Calls answered here.
    pub(crate) served: Outcomes,
}

/// Counters of calls by what became of them. A side uses those that its metric's help names.
pub(crate) struct Outcomes {
    by_outcome: IntCounterVec,
    pub(crate) answered: IntCounter,
}

impl Meters {
    pub(crate) fn new(telemetry: &Telemetry) -> Self {
        Self {
            sent_bytes: telemetry.transport_sent_bytes.clone(),
            received_bytes: telemetry.transport_received_bytes.clone(),
            in_flight_bytes: telemetry.transport_in_flight_bytes.clone(),
            connect_failures: telemetry.transport_connect_failures.clone(),
            connections_open: telemetry.transport_connections_open.clone(),
            calls: Outcomes::new(&telemetry.transport_calls),
            served: Outcomes::new(&telemetry.transport_served_calls),
        }
    }

    /// Counts a connection until the value is dropped.
    pub(crate) fn connection(&self) -> Open {
        self.connections_open.inc();
        Open(self.connections_open.clone())
    }
}

impl Outcomes {
    fn new(by_outcome: &IntCounterVec) -> Self {
        Self { by_outcome: by_outcome.clone(), answered: by_outcome.with_label_values(&["answered"]) }
    }

    pub(crate) fn failed(&self, error: &CallError) {
        let outcome = match error {
            CallError::NotSent(_) => "not_sent",
            CallError::Unknown(_) => "unknown",
            CallError::Refused(_) => "refused",
        };
        self.by_outcome.with_label_values(&[outcome]).inc();
    }

    pub(crate) fn refused(&self) {
        self.by_outcome.with_label_values(&["refused"]).inc();
    }

    pub(crate) fn dropped(&self) {
        self.by_outcome.with_label_values(&["dropped"]).inc();
    }
}

/// An open connection.
pub(crate) struct Open(IntGauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
