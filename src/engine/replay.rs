//! Pictures without a running engine: facts by hand, and the same verdicts on them. For single frames and for tests.

use super::findings::Findings;
use crate::model::{Cluster, Fact, Store, World};
use crate::util::time::Timestamp;
use std::sync::Arc;

/// A store and the findings about it, fed by hand.
#[derive(Debug)]
pub struct Replay {
    store: Store,
    findings: Findings,
    picture: Arc<World>,
}

impl Replay {
    /// With these clusters, of which nothing is known yet.
    pub fn new(clusters: impl IntoIterator<Item = Cluster>) -> Self {
        Self { store: Store::new(clusters), findings: Findings::new(), picture: Arc::default() }
    }

    /// Takes facts that arrived at `now`, and judges everything as of then.
    pub fn take(&mut self, facts: impl IntoIterator<Item = Fact>, now: Timestamp) {
        facts.into_iter().for_each(|fact| self.store.apply(fact, now));
        self.findings.update(&mut self.store, now);
        self.findings.recheck(&mut self.store, now);
    }

    /// The picture as of the last facts.
    pub fn picture(&mut self) -> Arc<World> {
        if let Some(newer) = self.store.publish() {
            self.picture = newer;
        }
        Arc::clone(&self.picture)
    }
}
