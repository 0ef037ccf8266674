//! `thalweg dev`

mod chaos;
mod cluster;
mod directory;
mod keeper;
mod leash;
mod ports;
mod process;

use server::Config;

use crate::Outcome;
use crate::args::DevArgs;
use crate::serve::{self, Ready};

pub(crate) fn run(args: DevArgs) -> Outcome {
    let mut loaded = server::load(None, crate::variables::all()).map_err(|error| error.to_string())?;
    apply(&mut loaded.config, &args);
    if args.nodes > 1 {
        return cluster::run(&loaded.config, &args);
    }
    if args.chaos {
        return Err("--chaos needs --nodes 3 or more: one of three can be missed, one of one cannot".into());
    }
    if args.supervised {
        leash::hold().map_err(|error| format!("no thread for standard input: {error}"))?;
    }
    directory::refuse_cluster(&loaded.config.data_dir)?;
    serve::run(loaded, |ready| serve::print(&format!("{ready}\n{}", paste(ready))))
}

fn apply(config: &mut Config, args: &DevArgs) {
    // Whatever the pasted lines and the user's own profile say, it serves.
    config.access_key = None;
    if let Some(dir) = &args.data_dir {
        config.data_dir = dir.clone();
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

/// What to paste into another shell.
fn paste(ready: &Ready) -> String {
    exports(&ready.api_addr.to_string(), &ready.region)
}

fn exports(api_addr: &str, region: &str) -> String {
    format!(
        "export AWS_ENDPOINT_URL=http://{api_addr}\n\
         export AWS_ACCESS_KEY_ID=dev\n\
         export AWS_SECRET_ACCESS_KEY=dev\n\
         export AWS_DEFAULT_REGION={region}"
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Command};

    fn args(options: &[&str]) -> DevArgs {
        let parsed = Args::try_parse_from(["thalweg", "dev"].iter().chain(options)).unwrap();
        let Command::Dev(args) = parsed.command else { panic!("another command") };
        args
    }

    #[test]
    fn options_override_the_defaults_and_leave_the_rest() {
        let mut config = Config::default();
        apply(&mut config, &args(&[]));
        assert_eq!(config, Config::default());
        let options =
            "--data-dir elsewhere --api-addr 127.0.0.1:1 --admin-addr 127.0.0.1:2 --limits off --log-format json";
        apply(&mut config, &args(&options.split(' ').collect::<Vec<_>>()));
        assert_eq!(config.data_dir, std::path::Path::new("elsewhere"));
        assert_eq!((config.api_addr.port(), config.admin_addr.port()), (1, 2));
        assert_eq!((config.limits, config.log_format), (server::LimitsMode::Off, server::LogFormat::Json));
    }
}
