use std::collections::BTreeMap;
use std::sync::Arc;

use catalog_state::CatalogState;
use control_plane::ControlPlane;
use data_plane::DataPlane;
use env::Env;
use parking_lot::RwLock;
use raft_group::RaftNode;
use types::TimestampMs;

use crate::route::Route;
use crate::seal::Sealer;
use crate::shards::Shards;
use crate::{Options, RouterError, StreamRef};

/// Finds for each request the shards, the groups and the node that serve it. Clones share it.
#[derive(Clone)]
pub struct Router {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) env: Env,
    pub(crate) control: ControlPlane,
    pub(crate) shards: Shards,
    pub(crate) options: Options,
    pub(crate) iterators: Sealer,
    pub(crate) pages: Sealer,
    /// By stream id. Holds at most a table for each stream, see [`Inner::remember`].
    routes: RwLock<BTreeMap<u64, Arc<Route>>>,
}

impl Router {
    /// Joins the planes of one node, and those of the other nodes through `raft`, whose questions about shards it answers from
    /// now on.
    #[must_use]
    pub fn new(env: Env, control: ControlPlane, data: DataPlane, raft: RaftNode, options: Options) -> Router {
        let key = control.cluster().iterator_key;
        let (iterators, pages) = (Sealer::new(&key, "shard iterator"), Sealer::new(&key, "list shards"));
        let routes = RwLock::default();
        let shards = Shards::new(env.clone(), raft, data);
        Router { inner: Arc::new(Inner { env, control, shards, options, iterators, pages, routes }) }
    }

    /// The region and account of this service, as ARNs have them.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.inner.options
    }
}

impl Router {
    /// Up to where this node's copy of the catalog has got.
    #[must_use]
    pub fn catalog_index(&self) -> u64 {
        self.inner.control.catalog().applied_index()
    }

    /// Makes sure that the catalog here lacks nothing that is committed, before a client is told that something isn't there: another
    /// node may have made it a moment ago, and a node that has just started may know little yet. Returns whether the catalog has changed since it was
    /// at `seen`, so that the request is worth another try.
    ///
    /// # Errors
    /// [`RouterError::Unavailable`] when no leader of the catalog can be asked.
    pub async fn catch_up(&self, seen: u64) -> Result<bool, RouterError> {
        let index = self.inner.control.catch_up().await.map_err(unavailable)?;
        Ok(index > seen)
    }

    /// For requests that show the catalog as it is: waits until this node, after its start, has caught up once.
    ///
    /// # Errors
    /// As [`Self::catch_up`].
    pub async fn settle(&self) -> Result<(), RouterError> {
        self.inner.control.settle().await.map_err(unavailable)
    }
}

fn unavailable(error: control_plane::Error) -> RouterError {
    RouterError::Unavailable(error.to_string())
}

impl Inner {
    /// The leader's clock: the wall.
    pub(crate) fn now(&self) -> TimestampMs {
        TimestampMs(self.env.clock.unix_ms())
    }

    /// The table of the stream that a request names.
    pub(crate) fn route(&self, stream: &StreamRef<'_>) -> Result<Arc<Route>, RouterError> {
        let catalog = self.control.catalog();
        let found = stream.find(&catalog, &self.options)?;
        let known = self.routes.read().get(&found.id).filter(|route| is_current(route, &catalog)).cloned();
        Ok(known.unwrap_or_else(|| self.remember(Route::new(found, catalog.applied_index()), &catalog)))
    }

    /// The table of the stream that a token names; `None` when that stream is gone, even if one of the same name exists.
    pub(crate) fn route_of_id(&self, id: u64) -> Option<Arc<Route>> {
        let catalog = self.control.catalog();
        let known = self.routes.read().get(&id).cloned();
        let found = match known {
            Some(route) if is_current(&route, &catalog) => return Some(route),
            Some(route) => catalog.stream(&route.name).filter(|stream| stream.id == id),
            None => catalog.stream_by_id(id),
        };
        found.map(|stream| self.remember(Route::new(stream, catalog.applied_index()), &catalog))
    }

    fn remember(&self, route: Route, catalog: &CatalogState) -> Arc<Route> {
        let route = Arc::new(route);
        let mut routes = self.routes.write();
        routes.retain(|id, known| catalog.stream(&known.name).is_some_and(|stream| stream.id == *id));
        routes.insert(route.id, Arc::clone(&route));
        route
    }
}

/// Tables are made anew after any change of the catalog: those are rare, and comparing would cost as much.
fn is_current(route: &Route, catalog: &CatalogState) -> bool {
    route.applied_index == catalog.applied_index()
}
