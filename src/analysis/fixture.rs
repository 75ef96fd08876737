//! Rows for the tables of this room's tests: healthy ones, to be changed where a test says so.

use crate::model::*;
use crate::util::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// The tests' present: an hour after the fixtures were made.
pub(crate) const NOW: Timestamp = Timestamp(10_000_000_000);

/// A moment `s` seconds before [`NOW`].
pub(crate) fn ago(s: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(s))
}

pub(crate) struct Fixture {
    id: ClusterId,
    store: Store,
}

impl Fixture {
    pub(crate) fn kubernetes() -> Self {
        Self::of(ClusterKind::Kubernetes)
    }

    pub(crate) fn of(kind: ClusterKind) -> Self {
        let id = ClusterId::from("prod");
        let cluster = Cluster {
            id: id.clone(),
            kind,
            endpoint: Text::new("https://prod:6443"),
            version: None,
            link: Link::Live,
            protected: false,
            read_only: false,
            capabilities: Capabilities::of(&ActionKind::ALL),
            engine: None,
        };
        let mut fixture = Self { store: Store::new([cluster]), id };
        for delta in [Delta::Node(Change::End), Delta::Service(Change::End), Delta::Task(Change::End), Delta::Event(Change::End)] {
            fixture.delta(delta);
        }
        fixture
    }

    pub(crate) fn delta(&mut self, delta: Delta) -> &mut Self {
        self.store.apply(Fact::Cluster(self.id.clone(), delta), NOW);
        self
    }

    pub(crate) fn node(&mut self, node: Node) -> &mut Self {
        self.delta(Delta::Node(Change::Upsert(node)))
    }

    pub(crate) fn service(&mut self, service: Service) -> &mut Self {
        self.delta(Delta::Service(Change::Upsert(service)))
    }

    pub(crate) fn task(&mut self, task: Task) -> &mut Self {
        self.delta(Delta::Task(Change::Upsert(task)))
    }

    pub(crate) fn usage(&mut self, of: Kind, key: &str, usage: Usage) -> &mut Self {
        let at = Timestamp(self.store.world().revision as i64 + 1);
        self.store.publish();
        self.delta(Delta::Usage { of, at, rows: vec![(Key::from(key), usage)] })
    }

    pub(crate) fn state(&self) -> Arc<ClusterState> {
        Arc::clone(&self.store.world().clusters[0])
    }
}

pub(crate) fn node(key: &str, zone: &str) -> Node {
    Node {
        key: Key::from(key),
        uid: Key::from(format!("uid-{key}").as_str()),
        spec_rev: 1,
        name: Text::new(key),
        labels: Box::default(),
        taints: Box::default(),
        zone: (!zone.is_empty()).then(|| Text::new(zone)),
        role: Text::new("worker"),
        state: NodeState::Ready,
        since: Some(ago(3_600)),
        why: None,
        availability: Availability::Active,
        pressure: Box::new([]),
        allocatable: Resources { cpu_m: 4_000, mem: 8 << 30 },
        max_tasks: None,
        version: Text::new("1.33"),
        address: Text::new("10.0.0.1"),
        created: ago(3_600),
    }
}

/// A whole service in the namespace `shop`.
pub(crate) fn service(key: &str, desired: u32) -> Service {
    Service {
        key: Key::from(key),
        spec_rev: 7,
        observed_rev: 7,
        name: Text::new(key),
        namespace: Text::new("shop"),
        kind: ServiceKind::Deployment,
        stack: None,
        image: Text::new("web:1"),
        container: Text::new("main"),
        beside: Box::default(),
        desired: Some(desired),
        ready: desired,
        updated: desired,
        current: desired,
        rollout: Rollout::STABLE,
        strategy: UpdateStrategy::Rolling,
        revision: None,
        previous: Some(Text::new("revision 6")),
        earlier: Box::default(),
        budget: None,
        autoscaler: None,
        suspended: false,
        placement: None,
        ports: None,
        created: ago(3_600),
        changed: Some(ago(3_600)),
    }
}

/// A ready task.
pub(crate) fn task(key: &str, service: &str, node: &str) -> Task {
    Task {
        key: Key::from(key),
        name: Text::new(key),
        namespace: Text::new("shop"),
        service: (!service.is_empty()).then(|| Key::from(service)),
        controller: None,
        node: (!node.is_empty()).then(|| Key::from(node)),
        state: TaskState::Running,
        ready: true,
        wanted: true,
        why: None,
        stuck: false,
        since: ago(3_600),
        image: Text::new("web:1"),
        restarts: 0,
        last_end: None,
        revision: None,
        requests: Resources { cpu_m: 100, mem: 64 << 20 },
        limits: Resources { cpu_m: 0, mem: 256 << 20 },
        containers: Box::new([Text::new("main")]),
        grace: Some(30),
        created: ago(3_600),
    }
}

/// A ready task that a controller of this kind keeps running, which is no service.
pub(crate) fn kept(key: &str, controller: &str, node: &str) -> Task {
    Task { controller: Some(Text::new(controller)), ..task(key, "", node) }
}

/// A task that cannot start for this reason.
pub(crate) fn stuck(key: &str, service: &str, why: &str, since: u64) -> Task {
    let why = Some(Text::new(why));
    Task { state: TaskState::Starting, ready: false, why, stuck: true, since: ago(since), ..task(key, service, "n1") }
}

/// A task whose start is under way, at this step.
pub(crate) fn starting(key: &str, service: &str, step: Option<&str>, since: u64) -> Task {
    Task { why: step.map(Text::new), stuck: false, ..stuck(key, service, "", since) }
}

/// A budget that allows so many tasks to be away.
pub(crate) fn budget(allowed: u32) -> Option<Budget> {
    Some(Budget { name: Text::new("cart-pdb"), allowed, rule: Text::new("min available 1"), beside: None })
}

/// Two zones: `web` with three tasks (two of them on n1), `cart` with one on n1 under a budget, an agent on every node.
pub(crate) fn small(kind: ClusterKind) -> Fixture {
    let mut fleet = Fixture::of(kind);
    fleet.node(node("n1", "a")).node(node("n2", "b"));
    fleet.service(service("web", 3)).service(Service { budget: budget(0), ..service("cart", 1) });
    fleet.service(Service { kind: ServiceKind::DaemonSet, ..service("agent", 2) });
    for (key, of, on) in
        [("w1", "web", "n1"), ("w2", "web", "n1"), ("w3", "web", "n2"), ("c1", "cart", "n1"), ("a1", "agent", "n1")]
    {
        fleet.task(task(key, of, on));
    }
    fleet
}
