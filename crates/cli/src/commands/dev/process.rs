//! One node's process: started, listened to, ended.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use env::Env;
use rustix::process::{Pid, Signal, kill_process};
use server::{Config, LogFormat};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;

use super::directory;
use super::ports::Addresses;
use crate::args::LimitsArg;

/// A longer line is shown in parts.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// All that differs from one node to the next, and what they share.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) number: u8,
    pub(super) data_dir: PathBuf,
    pub(super) addresses: Addresses,
    /// The peer address of the first node, for the others.
    pub(super) seed: Option<String>,
    pub(super) limits: Option<LimitsArg>,
    pub(super) log_format: LogFormat,
}

/// A running node. Dropping it kills it.
pub(super) struct Process {
    child: Child,
    /// Kept open: its end would end the node.
    _stdin: Option<ChildStdin>,
}

impl Recipe {
    pub(super) fn new(number: u8, config: &Config, limits: Option<LimitsArg>, all: &[Addresses]) -> Self {
        let addresses = all[usize::from(number) - 1];
        Self {
            number,
            data_dir: directory::folder(&config.data_dir, number),
            addresses,
            seed: (number > 1).then(|| all[0].peer.to_string()),
            limits,
            log_format: config.log_format,
        }
    }

    fn command(&self) -> io::Result<Command> {
        let mut command = Command::new(program()?);
        command.args(["dev", "--supervised", "--data-dir"]).arg(&self.data_dir);
        command.args(["--api-addr", &self.addresses.api.to_string()]);
        command.args(["--admin-addr", &self.addresses.admin.to_string()]);
        match self.limits {
            Some(LimitsArg::Aws) => command.args(["--limits", "aws"]),
            Some(LimitsArg::Off) => command.args(["--limits", "off"]),
            None => &mut command,
        };
        let format = if self.log_format == LogFormat::Json { "json" } else { "human" };
        command.args(["--log-format", format]);
        // The user's own variables are for all nodes; those of one node are ours to say.
        command.env("THALWEG_NODE_ID", self.number.to_string());
        command.env("THALWEG_PEER_ADDR", self.addresses.peer.to_string());
        command.env("THALWEG_SEEDS", self.seed.as_deref().map_or(OsStr::new(""), OsStr::new));
        command.env_remove("THALWEG_PEER_ADVERTISE").env_remove("THALWEG_API_ADVERTISE");
        Ok(command)
    }

    /// Starts the node. Its log goes to standard error, each line with its name. The receiver completes when it serves, and fails when
    /// its output ends before.
    pub(super) fn start(&self, env: &Env) -> io::Result<(Process, oneshot::Receiver<()>)> {
        let mut command = self.command()?;
        // A group of its own, or the terminal's Ctrl-C would reach all nodes at once, besides this process.
        command.process_group(0).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (says, ready) = oneshot::channel();
        if let Some(stdout) = child.stdout.take() {
            env.spawn.task("node output", Box::pin(wait_ready(stdout, says)));
        }
        if let Some(stderr) = child.stderr.take() {
            env.spawn.task("node log", Box::pin(show_log(stderr, self.number, self.log_format)));
        }
        let _stdin = child.stdin.take();
        Ok((Process { child, _stdin }, ready))
    }
}

/// This program, also after the file that it was started from has been replaced, as a build does.
fn program() -> io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    Ok(if path.exists() { path } else { PathBuf::from("/proc/self/exe") })
}

impl Process {
    /// Completes with its end.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Asks it to stop.
    pub(super) fn terminate(&self) {
        // Without a number it has ended already.
        let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())) else { return };
        if let Err(error) = kill_process(pid, Signal::TERM) {
            tracing::warn!(%error, "cannot ask a node to stop");
        }
    }

    /// Ends it as a crash does.
    pub(super) fn kill(&mut self) {
        if let Err(error) = self.child.start_kill() {
            tracing::debug!(%error, "the node has ended already");
        }
    }
}

/// Waits for the line that says that a node serves; what else it prints is for one that is alone.
async fn wait_ready(output: impl AsyncRead + Unpin, says: oneshot::Sender<()>) {
    let mut says = Some(says);
    each_line(output, |line| {
        if line.starts_with(b"ready ")
            && let Some(says) = says.take()
        {
            // Nobody waits for a node that is being stopped.
            let _ = says.send(());
        }
    })
    .await;
}

async fn show_log(output: impl AsyncRead + Unpin, number: u8, format: LogFormat) {
    // A reader that is gone is no reason for the nodes to stop.
    each_line(output, |line| drop(io::stderr().write_all(&labelled(line, number, format)))).await;
}

async fn each_line(output: impl AsyncRead + Unpin, mut each: impl FnMut(&[u8])) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while matches!((&mut output).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await, Ok(1..)) {
        each(&line);
        line.clear();
    }
}

/// A line of a node's log with the node's name, as a field where lines are JSON.
fn labelled(line: &[u8], number: u8, format: LogFormat) -> Vec<u8> {
    let label = match (format, line) {
        (LogFormat::Json, [b'{', rest @ ..]) => return [format!("{{\"node\":{number},").as_bytes(), rest].concat(),
        _ => format!("{} | ", directory::name(number)),
    };
    let end: &[u8] = if line.ends_with(b"\n") { b"" } else { b"\n" };
    [label.as_bytes(), line, end].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_whose_it_is_and_json_stays_json() {
        assert_eq!(labelled(b"serving\n", 2, LogFormat::Human), b"node-2 | serving\n");
        assert_eq!(labelled(b"last words", 2, LogFormat::Human), b"node-2 | last words\n");
        assert_eq!(labelled(b"{\"level\":1}\n", 2, LogFormat::Json), b"{\"node\":2,\"level\":1}\n");
        assert_eq!(labelled(b"thread panicked\n", 2, LogFormat::Json), b"node-2 | thread panicked\n");
    }

    #[test]
    fn only_the_first_node_founds() {
        let all = super::super::ports::assign(([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 2).into(), 3).unwrap();
        let recipe = |number| Recipe::new(number, &Config::default(), None, &all);
        assert_eq!(recipe(1).seed, None);
        assert_eq!((recipe(3).seed.as_deref(), recipe(3).addresses), (Some("127.0.0.1:3"), all[2]));
        assert_eq!(recipe(3).data_dir, std::path::Path::new("thalweg-data/node-3"));
    }
}
