use std::collections::BTreeMap;
use std::sync::Arc;

use env::{BoxFuture, Env};
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::meters::Meters;
use crate::seldom::Seldom;
use crate::{Handler, Identity, Options, Service, Tls};

/// What all parts of one transport share.
pub(crate) struct Shared {
    pub(crate) env: Env,
    pub(crate) identity: Identity,
    pub(crate) options: Options,
    pub(crate) meters: Meters,
    pub(crate) tls: Option<Tls>,
    pub(crate) services: RwLock<BTreeMap<Service, Arc<dyn Handler>>>,
    /// What has been logged about strangers that knock.
    pub(crate) knocks: Seldom,
    /// Becomes true once, and each task holds a receiver until its end: so closing can be told and waited for.
    closing: watch::Sender<bool>,
}

/// Held by everything that [`Shared::close`] has to wait for.
#[derive(Clone)]
pub(crate) struct Closing(watch::Receiver<bool>);

impl Closing {
    /// Completes when the transport is being closed.
    pub(crate) async fn begun(&mut self) {
        // The error would mean that the transport is gone altogether.
        let _ = self.0.wait_for(|closing| *closing).await;
    }
}

impl Shared {
    pub(crate) fn new(env: Env, identity: Identity, options: Options, meters: Meters, tls: Option<Tls>) -> Self {
        Self {
            env,
            identity,
            options,
            meters,
            tls,
            services: RwLock::default(),
            knocks: Seldom::default(),
            closing: watch::Sender::new(false),
        }
    }

    /// What a new task holds; `None` when the transport is being closed.
    pub(crate) fn open(&self) -> Option<Closing> {
        // Subscribed before asked, so that a closer who doesn't see this receiver has been seen by it.
        let receiver = self.closing.subscribe();
        let open = !*receiver.borrow();
        open.then_some(Closing(receiver))
    }

    pub(crate) fn spawn(&self, name: &'static str, task: BoxFuture<'static, ()>) {
        self.env.spawn.task(name, task);
    }

    pub(crate) fn begin_close(&self) {
        self.closing.send_replace(true);
    }

    /// Ends everything; completes when all has ended.
    pub(crate) async fn close(&self) {
        self.begin_close();
        self.closing.closed().await;
        // They may hold this transport, and each other.
        let handlers = std::mem::take(&mut *self.services.write());
        drop(handlers);
    }
}
