//! `thalweg server`

use std::path::Path;

use server::Loaded;

use crate::Outcome;
use crate::args::ServerArgs;
use crate::serve;

const NO_KEY: &str = "a server checks signatures and needs both `access_key_id` and `secret_access_key`, in the file or as \
                      THALWEG_ACCESS_KEY_ID and THALWEG_SECRET_ACCESS_KEY; `thalweg dev` needs neither";

pub(crate) fn run(args: ServerArgs) -> Outcome {
    let mut loaded = load(&args.config)?;
    if let Some(format) = args.log_format {
        loaded.config.log_format = format.into();
    }
    let whole = loaded.config.access_key.as_ref().is_some_and(|key| !key.id.is_empty() && !key.secret.is_empty());
    if !whole {
        return Err(NO_KEY.into());
    }
    serve::run(loaded, serve::print)
}

/// The configuration in a file, overridden by the environment.
pub(crate) fn load(path: &Path) -> Result<Loaded, String> {
    let text = read(path)?;
    server::load(Some((path, &text)), crate::variables::all()).map_err(|error| error.to_string())
}

fn read(path: &Path) -> Result<String, String> {
    #[allow(
        clippy::disallowed_methods,
        reason = "the configuration says where the disk is, so it is read before there is one"
    )]
    let text = std::fs::read_to_string(path);
    text.map_err(|error| format!("cannot read the configuration {}: {error}", path.display()))
}
