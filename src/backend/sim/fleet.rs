//! The whole simulated fleet: made from a scenario, driven by hand ([`Fleet::advance`]) or by a clock behind connectors.

use super::platform::Platform;
use super::scenario::Scenario;
use super::session::{SimClock, Simulated};
use crate::backend::Connector;
use crate::model::{Cluster, Delta, Fact, Link};
use crate::util::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// How a scenario is played.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Same seed, same fleet.
    pub seed: u64,
    /// The moment on the clock of the opening (virtual time zero). Live: now, less `start_at`, so that ages are right;
    /// for pictures: [`PICTURE_EPOCH`].
    pub epoch: Timestamp,
    /// Virtual seconds per second.
    pub speed: u32,
    /// Virtual time at which the connectors' clock starts.
    pub start_at: Duration,
}

/// The opening in pictures: 2026-01-15T14:00:00Z.
pub const PICTURE_EPOCH: Timestamp = Timestamp(1_768_485_600_000);

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, epoch: PICTURE_EPOCH, speed: 1, start_at: Duration::ZERO }
    }
}

/// The fleet behind connectors, its clock running from now on.
pub fn fleet(scenario: &Scenario, options: Options) -> Vec<Arc<dyn Connector>> {
    let clock = SimClock::starting(options.start_at, options.speed);
    let simulated = |plan| -> Arc<dyn Connector> {
        Arc::new(Simulated::new(Platform::build(plan, options.seed, options.epoch), clock.clone()))
    };
    scenario.clusters.iter().map(simulated).collect()
}

/// The fleet without a clock, a runtime or an engine: for pictures and tests.
#[derive(Debug)]
pub struct Fleet {
    clusters: Vec<Told>,
    epoch: Timestamp,
}

/// A cluster and what was told of it.
#[derive(Debug)]
struct Told {
    platform: Platform,
    /// Told at least once.
    listed: bool,
    link: Link,
    /// Measurements are told until here.
    swept: i64,
}

impl Fleet {
    /// The fleet at its opening.
    pub fn new(scenario: &Scenario, options: Options) -> Self {
        let told = |plan| Told {
            platform: Platform::build(plan, options.seed, options.epoch),
            listed: false,
            link: Link::Connecting,
            swept: i64::MIN / 2,
        };
        Self { clusters: scenario.clusters.iter().map(told).collect(), epoch: options.epoch }
    }

    /// Rows to make a store of.
    pub fn clusters(&self) -> Vec<Cluster> {
        self.clusters.iter().map(|told| told.platform.cluster_row()).collect()
    }

    /// The moment of a virtual time, as the rows tell it.
    pub fn at(&self, virtual_time: Duration) -> Timestamp {
        self.epoch.plus(virtual_time)
    }

    /// Plays on to `to` and says what changed: at first everything.
    pub fn advance(&mut self, to: Duration) -> Vec<Fact> {
        let to = i64::try_from(to.as_millis()).unwrap_or(i64::MAX);
        let mut facts = Vec::new();
        for told in &mut self.clusters {
            told.platform.advance(to);
            let id = told.platform.id.clone();
            facts.extend(told.news().into_iter().map(|delta| Fact::Cluster(id.clone(), delta)));
        }
        facts
    }
}

impl Told {
    fn news(&mut self) -> Vec<Delta> {
        let mut out = Vec::new();
        let link = self.platform.link();
        let news = (link != self.link).then(|| Delta::Link(link.clone()));
        self.link = link;
        // what is live anew is listed anew
        let (back, away) = if self.link.is_live() { (news, None) } else { (None, news) };
        if !self.listed || back.is_some() {
            // even a cluster that is away at this moment answered before
            out.extend((!self.listed).then(|| self.platform.about()));
            self.listed = true;
            out.extend(back);
            out.extend(self.platform.list());
        } else if self.platform.cut.is_none() {
            out.extend(self.platform.changes());
        }
        out.extend(away);
        if self.platform.cut.is_none() {
            let now = self.platform.now;
            out.extend(self.platform.sweeps(self.swept, now));
            self.swept = now;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::backend::sim::demo_scenario;

    fn story(seed: u64, steps: &[u64]) -> Vec<String> {
        let mut fleet = Fleet::new(&demo_scenario().unwrap(), Options { seed, ..Options::default() });
        steps.iter().flat_map(|s| fleet.advance(Duration::from_secs(*s))).map(|fact| format!("{fact:?}")).collect()
    }

    #[test]
    fn the_same_seed_tells_the_same_story_and_another_one_another() {
        let steps = [0, 30, 60, 300, 900];
        assert_eq!(story(1, &steps), story(1, &steps));
        assert_ne!(story(1, &steps), story(2, &steps));
    }
}
