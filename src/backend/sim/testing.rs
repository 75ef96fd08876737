//! A platform to act on in tests, and the picture that a reader of its deltas has.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::actions::Begun;
use super::moves::Step;
use super::parts::Moment;
use super::platform::Platform;
use super::{PICTURE_EPOCH, Scenario};
use crate::analysis::rollout::{Verdict, verdict};
use crate::model::{Action, Bound, ClusterState, Expect, Fact, Intent, Kind, ObjectRef, Service, Store, Task};

/// A platform and the picture a reader of its deltas has.
pub(super) struct Bench {
    pub platform: Platform,
    store: Store,
    /// Fewest ready tasks of `web` seen so far.
    pub least_ready: u32,
}

pub(super) const KUBERNETES: &str = r#"
[[cluster]]
name = "c"
kind = "kubernetes"
version = "v1.33.4"
endpoint = "e"
missing_images = ["web:none"]
node = [
  { name = "a1", zone = "a", cpu = "4", memory = "8Gi" }, { name = "a2", zone = "a", cpu = "4", memory = "8Gi" },
  { name = "b1", zone = "b", cpu = "4", memory = "8Gi" }, { name = "c1", zone = "c", cpu = "4", memory = "8Gi" },
]
service = [
  { name = "web", namespace = "shop", kind = "deployment", image = "web:2", previous_image = "web:1", revision = 4, tasks = 4, cpu = "200m", memory = "128Mi", budget = { min_available = 3 }, progress_deadline = "1m" },
  { name = "db", namespace = "shop", kind = "statefulset", image = "db:2", previous_image = "db:1", revision = 2, tasks = 3, cpu = "200m", memory = "128Mi", budget = { max_unavailable = 1 } },
  { name = "agent", namespace = "shop", kind = "daemonset", image = "agent:2", previous_image = "agent:1", cpu = "50m", memory = "32Mi" },
  { name = "lone", namespace = "shop", kind = "deployment", image = "lone:1", tasks = 1, cpu = "50m", memory = "32Mi", budget = { min_available = 1 } },
  { name = "sweep", namespace = "shop", kind = "cronjob", image = "sweep:1", every = "1h", takes = "5s", cpu = "50m", memory = "32Mi" },
]
"#;

pub(super) const SWARM: &str = r#"
[[cluster]]
name = "c"
kind = "swarm"
version = "28"
endpoint = "e"
missing_images = ["web:none"]
node = [
  { name = "a1", zone = "a", cpu = "4", memory = "8Gi", role = "leader" }, { name = "a2", zone = "a", cpu = "4", memory = "8Gi" },
  { name = "b1", zone = "b", cpu = "4", memory = "8Gi" }, { name = "c1", zone = "c", cpu = "4", memory = "8Gi" },
]
service = [
  { name = "web", namespace = "shop", kind = "replicated", image = "web:2", previous_image = "web:1", tasks = 4, cpu = "200m", memory = "128Mi", update = { parallelism = 2, delay = "1s" } },
  { name = "db", namespace = "shop", kind = "replicated", image = "db:2", previous_image = "db:1", tasks = 2, cpu = "200m", memory = "128Mi", update = { start_first = true, on_failure = "rollback" } },
  { name = "agent", namespace = "shop", kind = "global", image = "agent:2", previous_image = "agent:1", cpu = "50m", memory = "32Mi" },
]
"#;

pub(super) const ENGINE: &str = r#"
[[cluster]]
name = "c"
kind = "docker"
version = "28"
endpoint = "e"
node = [{ name = "box", cpu = "8", memory = "8Gi", role = "engine" }]
service = [
  { name = "web", namespace = "shop", kind = "compose", image = "web:2", tasks = 2, cpu = "200m", memory = "128Mi" },
  { name = "lone", kind = "container", image = "lone:1" },
]
"#;

impl Bench {
    pub fn new(scenario: &str) -> Self {
        let scenario = Scenario::parse(None, scenario).unwrap();
        let mut platform = Platform::build(&scenario.clusters[0], 7, PICTURE_EPOCH);
        let mut store = Store::new([platform.cluster_row()]);
        let (id, now) = (platform.id.clone(), platform.stamp(0));
        for delta in platform.list() {
            store.apply(Fact::Cluster(id.clone(), delta), now);
        }
        Self { platform, store, least_ready: u32::MAX }
    }

    pub fn world(&self) -> &ClusterState {
        &self.store.world().clusters[0]
    }

    pub fn service(&self, name: &str) -> Service {
        Service::clone(
            self.world().services.iter().find(|s| s.name.as_str() == name).unwrap_or_else(|| panic!("no service {name}")),
        )
    }

    pub fn tasks(&self, name: &str) -> Vec<Task> {
        self.world().tasks_of(&self.service(name).key).filter(|t| t.wanted && !t.state.ended()).map(|t| Task::clone(t)).collect()
    }

    /// Plays on by `ms`, telling the store what changed.
    pub fn pass(&mut self, ms: Moment) {
        let to = self.platform.now + ms;
        self.platform.advance(to);
        let (id, now) = (self.platform.id.clone(), self.platform.stamp(to));
        for delta in self.platform.changes() {
            self.store.apply(Fact::Cluster(id.clone(), delta), now);
        }
        self.least_ready = self.least_ready.min(self.service("web").ready);
    }

    pub fn intent(&self, kind: Kind, name: &str, action: Action) -> Intent {
        let world = self.world();
        let (key, bound) = match kind {
            Kind::Service => {
                let service = self.service(name);
                (service.key.clone(), Bound { uid: service.key, spec_rev: service.spec_rev })
            }
            Kind::Node => {
                let node = world.nodes.iter().find(|n| n.name.as_str() == name).unwrap();
                (node.key.clone(), Bound { uid: node.uid.clone(), spec_rev: node.spec_rev })
            }
            Kind::Task | Kind::Event => {
                let task = world.tasks.iter().find(|t| t.name.as_str() == name).unwrap();
                (task.key.clone(), Bound { uid: task.key.clone(), spec_rev: 0 })
            }
        };
        let object = ObjectRef { cluster: world.cluster.id.clone(), kind, key };
        Intent { object, name: name.into(), action, bound }
    }

    /// Begins an action and plays on until its last request was taken.
    pub fn take(&mut self, intent: &Intent) -> Expect {
        match self.platform.begin(intent).unwrap() {
            Begun::Taken(expect) => expect,
            Begun::Moves(mut moves) => {
                for _ in 0..2_000 {
                    if let Step::Over(expect) = moves.step(&mut self.platform) {
                        return expect;
                    }
                    self.pass(500);
                }
                panic!("{intent:?} never ends: {:?}", moves.step(&mut self.platform));
            }
        }
    }

    /// What the engine would say of an operation at this moment.
    pub fn verdict(&self, expect: &Expect, taken: Moment) -> Verdict {
        let stamp = |at| self.platform.stamp(at);
        verdict(self.world(), expect, stamp(taken), stamp(self.platform.now))
    }

    /// Takes the action and plays on until the facts agree; panics after ten minutes.
    pub fn converge(&mut self, kind: Kind, name: &str, action: Action) {
        let intent = self.intent(kind, name, action);
        let expect = self.take(&intent);
        let taken = self.platform.now;
        for _ in 0..6_000 {
            self.pass(100);
            match self.verdict(&expect, taken) {
                Verdict::Done(_) => return self.told_whole(),
                Verdict::Failed(why) => panic!("{intent:?} failed: {why}"),
                Verdict::Pending(_) => {}
            }
        }
        panic!("{intent:?} did not come to {expect:?}: {:?}", self.verdict(&expect, taken));
    }

    /// What was told as changes is what a new reader would be told.
    pub fn told_whole(&mut self) {
        let mut fresh = Store::new([self.platform.cluster_row()]);
        let (id, now) = (self.platform.id.clone(), self.platform.stamp(self.platform.now));
        for delta in self.platform.list() {
            fresh.apply(Fact::Cluster(id.clone(), delta), now);
        }
        let (told, fresh) = (self.world(), &fresh.world().clusters[0]);
        let sorted = |state: &ClusterState| {
            let mut rows: Vec<String> = state.tasks.iter().map(|r| format!("{r:?}")).collect();
            rows.extend(state.services.iter().map(|r| format!("{r:?}")));
            rows.extend(state.nodes.iter().map(|r| format!("{r:?}")));
            rows.extend(state.events.iter().map(|r| format!("{r:?}")));
            rows.sort();
            rows
        };
        assert_eq!(sorted(told), sorted(fresh));
    }
}
