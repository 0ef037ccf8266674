//! The environment.

/// All variables that are text. Others are none of ours, and no reason to fail.
pub(crate) fn all() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
