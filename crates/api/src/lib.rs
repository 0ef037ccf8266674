//! The operations of the API: one file per operation, found by its AWS name. Each turns a typed request into calls of the router,
//! and what comes back into a typed reply.
//!
//! A request passes [`Api::handle`]: `wire` says which operation is meant and decodes it, its file in `ops` carries it out, `wire`
//! encodes the reply. What the router refuses becomes an AWS error in `error`, and nowhere else.
//!
//! With an access key, [`Api::handle`] first verifies the request's signature; the development server has none.

mod dispatch;
mod error;
mod ops;
mod respond;
mod shapes;

pub use dispatch::{AccessKey, Api};
pub use respond::error_response;
