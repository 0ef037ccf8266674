//! What clients do, each an endless loop until the faults are over.

pub(crate) mod admin;
pub(crate) mod audit;
pub(crate) mod producer;
pub(crate) mod reader;
