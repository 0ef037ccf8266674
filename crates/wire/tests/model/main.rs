//! Golden tests against the service model that AWS' own clients are made from; see `extract_model.py`.

#![allow(clippy::unwrap_used, reason = "a test that meets an error should fail")]

mod inputs;
mod outputs;
mod shapes;
