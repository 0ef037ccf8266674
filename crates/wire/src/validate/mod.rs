//! The constraints of the service model, and AWS' wording of their violation.

mod errors;
mod path;
mod pattern;
mod shape;
pub(crate) mod shapes;

pub(crate) use errors::Offender;
pub use errors::{ERRORS_MAX, ValidationErrors};
pub use path::Path;
pub(crate) use pattern::Pattern;
pub(crate) use shape::{IntegerShape, TextShape};
