//! Links that are cut and mended. A connection over a link that was cut stays dead, since simulated TCP sends nothing again.

use turmoil::Sim;

use super::Driver;
use crate::plan::Cut;
use crate::run::CLIENTS;

impl Driver {
    pub(super) fn cut(&mut self, sim: &mut Sim<'_>, node: usize, cut: Cut) {
        let host = self.nodes[node].host.as_str();
        for other in self.others(node) {
            match cut {
                Cut::Nodes | Cut::Everything => sim.partition(host, other),
                Cut::Outgoing => sim.partition_oneway(host, other),
                Cut::Incoming => sim.partition_oneway(other, host),
                Cut::Link { to } if other == self.nodes[to as usize - 1].host => sim.partition(host, other),
                Cut::Link { .. } => {}
                Cut::Held => sim.hold(host, other),
            }
        }
        if cut == Cut::Everything {
            sim.partition(host, CLIENTS);
        }
    }

    pub(super) fn mend(&mut self, sim: &mut Sim<'_>, node: usize, cut: Cut) {
        let host = self.nodes[node].host.as_str();
        self.world.note(|line| line.push_str(&format!("mended: {host} {cut:?}")));
        for other in self.others(node) {
            if cut == Cut::Held { sim.release(host, other) } else { sim.repair(host, other) }
        }
        if cut == Cut::Everything {
            sim.repair(host, CLIENTS);
        }
    }

    pub(super) fn mend_all(&mut self, sim: &mut Sim<'_>) {
        for node in 0..self.nodes.len() {
            for cut in [Cut::Held, Cut::Everything] {
                self.mend(sim, node, cut);
            }
        }
    }

    fn others(&self, node: usize) -> impl Iterator<Item = &str> {
        let others = self.nodes.iter().enumerate().filter(move |(place, _)| *place != node);
        others.map(|(_, other)| other.host.as_str())
    }
}
