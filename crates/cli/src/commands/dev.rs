//! `thalweg dev`

use server::Config;

use crate::Outcome;
use crate::args::DevArgs;
use crate::serve::{self, Ready};

pub(crate) fn run(args: DevArgs) -> Outcome {
    let mut loaded = server::load(None, crate::variables::all()).map_err(|error| error.to_string())?;
    apply(&mut loaded.config, args);
    serve::run(loaded, |ready| serve::print(&paste(ready)))
}

fn apply(config: &mut Config, args: DevArgs) {
    // Whatever the pasted lines and the user's own profile say, it serves.
    config.access_key = None;
    if let Some(dir) = args.data_dir {
        config.data_dir = dir;
    }
    if let Some(address) = args.api_addr {
        config.api_addr = address;
    }
    if let Some(address) = args.admin_addr {
        config.admin_addr = address;
    }
    if let Some(limits) = args.limits {
        config.limits = limits.into();
    }
    if let Some(format) = args.log_format {
        config.log_format = format.into();
    }
}

/// The line that says it serves, and what to paste into another shell.
fn paste(ready: &Ready) -> String {
    format!(
        "{ready}\n\
         export AWS_ENDPOINT_URL=http://{}\n\
         export AWS_ACCESS_KEY_ID=dev\n\
         export AWS_SECRET_ACCESS_KEY=dev\n\
         export AWS_DEFAULT_REGION={}",
        ready.api_addr, ready.region
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_override_the_defaults_and_leave_the_rest() {
        let none = DevArgs { data_dir: None, api_addr: None, admin_addr: None, limits: None, log_format: None };
        let mut config = Config::default();
        apply(&mut config, none);
        assert_eq!(config, Config::default());
        let some = DevArgs {
            data_dir: Some("elsewhere".into()),
            api_addr: Some(([127, 0, 0, 1], 1).into()),
            admin_addr: Some(([127, 0, 0, 1], 2).into()),
            limits: Some(crate::args::LimitsArg::Off),
            log_format: Some(crate::args::LogFormatArg::Json),
        };
        apply(&mut config, some);
        assert_eq!(config.data_dir, std::path::Path::new("elsewhere"));
        assert_eq!((config.api_addr.port(), config.admin_addr.port()), (1, 2));
        assert_eq!((config.limits, config.log_format), (server::LimitsMode::Off, server::LogFormat::Json));
    }
}
