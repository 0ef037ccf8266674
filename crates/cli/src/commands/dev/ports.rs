//! Where the nodes of a cluster on one machine listen.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use env::{Env, Listener};

/// How long an address may be in use before it counts as taken: nodes that were killed a moment ago are still about to end.
const TAKEN: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(50);

/// One node's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Addresses {
    pub(super) api: SocketAddr,
    pub(super) admin: SocketAddr,
    pub(super) peer: SocketAddr,
}

/// Node 1 listens where it is told to; what else is needed takes the ports above, node after node, so that those of the first nodes
/// don't depend on how many there are.
pub(super) fn assign(api: SocketAddr, admin: SocketAddr, nodes: u8) -> Result<Vec<Addresses>, String> {
    if api.port() == 0 || admin.port() == 0 {
        return Err("the ports of several nodes are counted on from those of the first: --api-addr and --admin-addr need ports other than 0".into());
    }
    let mut last = api.port().max(admin.port());
    let mut next = || {
        last = last.checked_add(1).ok_or("there are not enough ports above those of --api-addr and --admin-addr")?;
        Ok::<u16, String>(last)
    };
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut all = vec![Addresses { api, admin, peer: SocketAddr::new(local, next()?) }];
    for _ in 1..nodes {
        let (api_port, admin_port, peer_port) = (next()?, next()?, next()?);
        all.push(Addresses {
            api: SocketAddr::new(api.ip(), api_port),
            admin: SocketAddr::new(admin.ip(), admin_port),
            peer: SocketAddr::new(local, peer_port),
        });
    }
    Ok(all)
}

/// Binds each address once, so that one that is taken is named before any node starts.
pub(super) async fn check(env: &Env, all: &[Addresses]) -> Result<(), String> {
    let mut bound = Vec::new();
    let deadline = env.clock.monotonic() + TAKEN;
    for (number, node) in (1..).zip(all) {
        for (address, what) in [(node.api, "API"), (node.admin, "admin"), (node.peer, "peer")] {
            match bind(env, address, deadline).await {
                // Kept until all are checked: two of ours must not be the same either.
                Ok(listener) => bound.push(listener),
                Err(error) => {
                    return Err(format!(
                        "cannot listen on {address}, the {what} address of node {number}: {error}. \
                         End what listens there, or have --api-addr and --admin-addr elsewhere"
                    ));
                }
            }
        }
    }
    Ok(())
}

async fn bind(env: &Env, address: SocketAddr, deadline: Duration) -> io::Result<Box<dyn Listener>> {
    loop {
        match env.network.bind(address).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && env.clock.monotonic() < deadline => {
                env.clock.sleep(PAUSE).await;
            }
            bound => return bound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn ports_follow_those_given_and_do_not_depend_on_how_many_nodes_there_are() {
        let five = assign(local(4567), local(4568), 5).unwrap();
        let first = Addresses { api: local(4567), admin: local(4568), peer: local(4569) };
        let second = Addresses { api: local(4570), admin: local(4571), peer: local(4572) };
        assert_eq!(five[..2], [first, second]);
        assert_eq!(assign(local(4567), local(4568), 3).unwrap(), five[..3]);
        let elsewhere = assign(SocketAddr::from(([0, 0, 0, 0], 9000)), local(80), 2).unwrap();
        assert_eq!((elsewhere[1].api, elsewhere[1].admin), (SocketAddr::from(([0, 0, 0, 0], 9002)), local(9003)));
    }

    #[test]
    fn ports_that_cannot_be_counted_on_from_are_refused() {
        assert!(assign(local(0), local(1), 3).unwrap_err().contains("other than 0"));
        assert!(assign(local(65_530), local(1), 3).unwrap_err().contains("not enough ports"));
    }

    #[test]
    fn a_taken_port_is_named_with_its_node() {
        let checked = env::real::run(async {
            let env = env::real::env(std::env::temp_dir());
            let other = env.network.bind(local(0)).await.unwrap();
            let taken = other.local_addr().unwrap();
            let node = Addresses { api: taken, admin: local(0), peer: local(0) };
            check(&env, &[node]).await.unwrap_err()
        });
        assert!(checked.unwrap().contains("the API address of node 1"));
    }
}
