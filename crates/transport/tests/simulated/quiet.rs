//! Connections on which nothing happens.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use env::sim::{FaultDisk, FaultPlan, ProcessEnd, SimClock};
use transport::{Lane, Options};
use types::NodeId;

use crate::support::{GATE, Node, request};

/// Many times what a connection may be silent.
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_call_may_take_as_long_as_its_deadline_and_pings_cost_next_to_nothing() {
    let mut sim = turmoil::Builder::new()
        .rng_seed(1)
        .tick_duration(Duration::from_millis(50))
        .simulation_duration(2 * HOUR)
        .build();
    let clock = SimClock::new(0);
    let world = move |seed| {
        let disk = FaultDisk::new(seed, FaultPlan::default()).mount();
        env::sim::env(seed, clock.clone(), disk, ProcessEnd::default())
    };
    let env = world(2);
    sim.client("two", async move {
        let two = Node::new(&env, 2, Options::default());
        two.transport.listen(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 1))).await?;
        env.clock.sleep(HOUR).await;
        assert_eq!(*two.waiting.lock(), 1, "the call was given up");
        two.gate.send_replace(true);
        env.clock.sleep(Duration::from_secs(10)).await;
        let pings = two.metric("thalweg_transport_received_bytes_total") / 40.0;
        assert!((0.3..1.1).contains(&(pings / HOUR.as_secs_f64())), "{pings} pings");
        Ok(())
    });
    let env = world(1);
    sim.client("one", async move {
        let one = Node::new(&env, 1, Options::default());
        one.transport.set_peer(NodeId(2), "two:1");
        env.clock.sleep(Duration::from_secs(1)).await;
        let reply = one.transport.call(NodeId(2), Lane::Control, request(GATE, "late", vec![]), 2 * HOUR).await?;
        assert_eq!(reply.head, "late");
        Ok(())
    });
    sim.run().unwrap();
}
