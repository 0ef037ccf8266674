//! One file per command, but `bench`, which has a folder.

pub(crate) mod config;
pub(crate) mod dev;
pub(crate) mod inspect;
pub(crate) mod server;
