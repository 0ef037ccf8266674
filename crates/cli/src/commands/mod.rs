//! One file per command; `cluster`, `dev` and `bench` have folders.

pub(crate) mod cluster;
pub(crate) mod config;
pub(crate) mod dev;
pub(crate) mod inspect;
pub(crate) mod server;
