//! How a leader knows that nobody else has been elected: by what each node of a quorum has said of the group, and has stood by since.
//!
//! Who follows a leader votes for nobody else as long as it hears the leader's node without a break. So a leader asks each node once whether it
//! follows (a *claim*, in a pulse), and counts on the answer as long as the contact lasts. After a break, a restart of the node or a
//! transfer it asks again: meanwhile another leader may have been elected, and pulses between nodes go on as if nothing had happened.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;
use types::NodeId;

/// A contact with a node without a break: another number after each.
pub(crate) type Contact = u64;

/// Who has confirmed one replica's claim to lead.
#[derive(Default)]
pub(crate) struct Claims {
    inner: Mutex<Confirmed>,
}

#[derive(Default)]
struct Confirmed {
    term: u64,
    by: BTreeMap<NodeId, Contact>,
}

impl Claims {
    /// A node follows this leader of `term`, as it said within `contact`.
    pub(crate) fn confirm(&self, term: u64, node: NodeId, contact: Contact) {
        let mut inner = self.inner.lock();
        if inner.term != term {
            *inner = Confirmed { term, by: BTreeMap::new() };
        }
        inner.by.insert(node, contact);
    }

    /// Whether a node has confirmed the claim for `term` within `contact`.
    pub(crate) fn is_confirmed(&self, term: u64, node: NodeId, contact: Contact) -> bool {
        let inner = self.inner.lock();
        inner.term == term && inner.by.get(&node) == Some(&contact)
    }

    /// Others may elect another leader without having missed this one.
    pub(crate) fn forget(&self) {
        self.inner.lock().by.clear();
    }
}

/// Asks the pulse loop not to wait for the next pulse.
#[derive(Default)]
pub(crate) struct Urgent {
    asked: AtomicBool,
    pub(crate) wake: Notify,
}

impl Urgent {
    pub(crate) fn ask(&self) {
        self.asked.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    pub(crate) fn take(&self) -> bool {
        self.asked.swap(false, Ordering::AcqRel)
    }
}

/// The term of the newest applied entry of a replica. In a new one there is a new leader, with claims to make.
#[derive(Default)]
pub(crate) struct AppliedTerm {
    term: AtomicU64,
    urgent: Arc<Urgent>,
}

impl AppliedTerm {
    pub(crate) fn new(urgent: &Arc<Urgent>) -> Arc<Self> {
        Arc::new(Self { term: AtomicU64::new(0), urgent: Arc::clone(urgent) })
    }

    pub(crate) fn set(&self, term: u64) {
        if self.term.swap(term, Ordering::AcqRel) != term {
            self.urgent.ask();
        }
    }

    pub(crate) fn get(&self) -> u64 {
        self.term.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmation_holds_for_one_term_and_one_contact() {
        let (claims, node) = (Claims::default(), NodeId(2));
        claims.confirm(3, node, 7);
        assert!(claims.is_confirmed(3, node, 7));
        assert!(!claims.is_confirmed(4, node, 7) && !claims.is_confirmed(3, node, 8));
        assert!(!claims.is_confirmed(3, NodeId(1), 7));
        claims.confirm(4, NodeId(1), 7);
        assert!(!claims.is_confirmed(3, node, 7) && !claims.is_confirmed(4, node, 7));
        claims.forget();
        assert!(!claims.is_confirmed(4, NodeId(1), 7));
    }
}
