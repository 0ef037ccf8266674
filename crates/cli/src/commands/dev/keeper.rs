//! Keeps one node running: starts its process, and again after it has died.

use std::process::ExitStatus;
use std::time::Duration;

use env::Env;
use tokio::sync::{mpsc, oneshot, watch};

use super::directory;
use super::process::{Process, Recipe};

/// After a first death: long enough for the dead one's address and locks to be free.
const PAUSE_MIN: Duration = Duration::from_millis(200);
/// However often it dies.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// A node that has run for so long is not one that dies at its start.
const STEADY: Duration = Duration::from_secs(30);
/// Beyond what a stopping node allows itself, which is half a minute with the defaults.
const STOP_MAX: Duration = Duration::from_secs(45);
/// The exit code of a node that says why it doesn't start.
const REFUSED: i32 = 1;

/// How a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Its process runs, or is about to.
    Starting,
    Serving,
    /// It has died, and will be started again.
    Away,
    /// It has never served and said why it won't. It is not started again.
    Refused,
    /// It was stopped. It is not started again.
    Ended,
}

/// What a keeper is asked for.
#[derive(Debug)]
enum Order {
    /// End the process as a crash does, and start it again after so long.
    Crash(Duration),
    Stop,
    /// End the process at once, and for good.
    Kill,
}

/// Nodes that are kept running.
pub(super) struct Keepers {
    nodes: Vec<Kept>,
    states: watch::Receiver<Vec<State>>,
}

struct Kept {
    recipe: Recipe,
    orders: mpsc::Sender<Order>,
}

impl Keepers {
    /// Starts the nodes.
    pub(super) fn start(env: &Env, recipes: Vec<Recipe>) -> Self {
        let (says, states) = watch::channel(vec![State::Starting; recipes.len()]);
        let keep = |(index, recipe): (usize, Recipe)| {
            // Few orders are ever given, and one that is given twice does no more than once.
            let (orders, received) = mpsc::channel(4);
            let says = Says { index, states: says.clone() };
            let watch = Watch { env: env.clone(), recipe: recipe.clone(), orders: received, says, has_served: false };
            env.spawn.task("node keeper", Box::pin(watch.run()));
            Kept { recipe, orders }
        };
        Self { nodes: recipes.into_iter().enumerate().map(keep).collect(), states }
    }

    pub(super) fn recipes(&self) -> impl ExactSizeIterator<Item = &Recipe> {
        self.nodes.iter().map(|node| &node.recipe)
    }

    /// Completes when every node serves.
    ///
    /// # Errors
    /// The first of those that refuse to.
    pub(super) async fn all_serve(&self) -> Result<(), &Recipe> {
        let refuses = |states: &[State]| states.iter().position(|state| *state == State::Refused);
        let states = self.wait(|states| refuses(states).is_some() || states.iter().all(|s| *s == State::Serving)).await;
        refuses(&states).map_or(Ok(()), |index| Err(&self.nodes[index].recipe))
    }

    /// Completes when no node runs or will be started.
    pub(super) async fn all_ended(&self) {
        self.wait(|states| states.iter().all(|state| matches!(state, State::Ended | State::Refused))).await;
    }

    async fn wait(&self, is_reached: impl Fn(&[State]) -> bool) -> Vec<State> {
        let mut states = self.states.clone();
        let reached = states.wait_for(|states| is_reached(states)).await.map(|states| states.clone());
        // Keepers that are gone keep nothing.
        reached.unwrap_or_else(|_| vec![State::Ended; self.nodes.len()])
    }

    /// Ends a node as a crash does, and starts it again after so long.
    pub(super) fn crash(&self, index: usize, away: Duration) {
        self.nodes[index].order(Order::Crash(away));
    }

    /// Asks all nodes to stop.
    pub(super) fn stop(&self) {
        self.nodes.iter().for_each(|node| node.order(Order::Stop));
    }

    /// Ends all nodes at once.
    pub(super) fn kill(&self) {
        self.nodes.iter().for_each(|node| node.order(Order::Kill));
    }
}

impl Kept {
    fn order(&self, order: Order) {
        if let Err(error) = self.orders.try_send(order) {
            tracing::debug!(%error, "a node that has ended gets no more orders");
        }
    }
}

/// How a process' life went.
enum Fate {
    Died(Option<ExitStatus>),
    Crashed(Duration),
    Ended,
}

/// Where one node's state is told.
struct Says {
    index: usize,
    states: watch::Sender<Vec<State>>,
}

impl Says {
    fn say(&self, state: State) {
        self.states.send_modify(|states| states[self.index] = state);
    }
}

struct Watch {
    env: Env,
    recipe: Recipe,
    orders: mpsc::Receiver<Order>,
    says: Says,
    has_served: bool,
}

impl Watch {
    async fn run(mut self) {
        let name = directory::name(self.recipe.number);
        let mut pause = PAUSE_MIN;
        loop {
            self.says.say(State::Starting);
            let began = self.env.clock.monotonic();
            let fate = match self.recipe.start(&self.env) {
                Ok((process, ready)) => self.attend(process, ready).await,
                Err(error) => {
                    tracing::error!(%error, "cannot start {name}");
                    Fate::Died(None)
                }
            };
            let away = match fate {
                Fate::Ended => break,
                Fate::Died(Some(status)) if status.code() == Some(REFUSED) && !self.has_served => {
                    self.says.say(State::Refused);
                    return;
                }
                Fate::Died(status) => {
                    let steady = self.env.clock.monotonic() - began >= STEADY;
                    pause = if steady { PAUSE_MIN } else { pause };
                    let status = status.map_or_else(String::new, |status| status.to_string());
                    tracing::warn!(status, again_in = ?pause, "{name} has died");
                    let longer = (2 * pause).min(PAUSE_MAX);
                    std::mem::replace(&mut pause, longer)
                }
                Fate::Crashed(away) => away,
            };
            self.says.say(State::Away);
            if !self.sleep(away).await {
                break;
            }
        }
        self.says.say(State::Ended);
    }

    /// Waits for the end of a process, and does meanwhile as is ordered.
    async fn attend(&mut self, mut process: Process, mut ready: oneshot::Receiver<()>) -> Fate {
        let mut is_waited_for = true;
        loop {
            tokio::select! {
                status = process.ended() => return Fate::Died(status.ok()),
                ready = &mut ready, if is_waited_for => {
                    is_waited_for = false;
                    if ready.is_ok() {
                        self.has_served = true;
                        self.says.say(State::Serving);
                    }
                }
                order = self.orders.recv() => match order {
                    Some(Order::Crash(away)) => {
                        self.says.say(State::Away);
                        kill(&mut process).await;
                        return Fate::Crashed(away);
                    }
                    Some(Order::Stop) => {
                        self.stop(process).await;
                        return Fate::Ended;
                    }
                    // Without anyone to give orders there is nobody to keep it for.
                    Some(Order::Kill) | None => {
                        kill(&mut process).await;
                        return Fate::Ended;
                    }
                },
            }
        }
    }

    async fn stop(&mut self, mut process: Process) {
        process.terminate();
        let deadline = self.env.clock.sleep(STOP_MAX);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                _ = process.ended() => return,
                () = &mut deadline => break,
                order = self.orders.recv() => if matches!(order, Some(Order::Kill) | None) { break },
            }
        }
        kill(&mut process).await;
    }

    /// Whether the node is to be started afterwards.
    async fn sleep(&mut self, away: Duration) -> bool {
        let over = self.env.clock.sleep(away);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return true,
                order = self.orders.recv() => if !matches!(order, Some(Order::Crash(_))) { return false },
            }
        }
    }
}

async fn kill(process: &mut Process) {
    process.kill();
    if let Err(error) = process.ended().await {
        tracing::warn!(%error, "cannot wait for a node that was killed");
    }
}
