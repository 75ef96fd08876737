//! A fleet that is hostile in every field that holds text.

use quarterdeck::model::*;
use quarterdeck::util::time::Timestamp;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

pub const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// A moment before the present.
pub fn ago(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 - seconds * 1_000)
}

/// What stands in the fields of a fleet: each field takes the next of these texts, behind two letters of its own so that rows
/// keep their order.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    texts: &'a [String],
    from: usize,
    fields: Rc<RefCell<Vec<String>>>,
}

impl<'a> Words<'a> {
    pub fn new(texts: &'a [String], from: usize) -> Self {
        Self { texts, from, fields: Rc::default() }
    }

    /// The text of a field, always the same.
    pub fn of(&self, field: &str) -> String {
        let mut fields = self.fields.borrow_mut();
        let at = fields.iter().position(|held| held == field).unwrap_or_else(|| {
            fields.push(field.to_owned());
            fields.len() - 1
        });
        format!("{field}{}", self.texts[(self.from + at) % self.texts.len()])
    }

    /// The fields that were asked for.
    pub fn fields(&self) -> Vec<String> {
        self.fields.borrow().clone()
    }

    /// The numbers of the texts that stood anywhere.
    pub fn used(&self) -> BTreeSet<usize> {
        (0..self.fields.borrow().len()).map(|at| (self.from + at) % self.texts.len()).collect()
    }
}

/// The fleet: hostile in every field that holds text.
pub fn fleet(words: &Words<'_>) -> Store {
    let t = |field: &str| Text::from(words.of(field));
    let key = |field: &str| Key::from(words.of(field).as_str());
    let id = |field: &str| ClusterId::from(words.of(field).as_str());
    let cluster = |prefix: &str, kind| Cluster {
        id: id(prefix),
        kind,
        endpoint: t("e0"),
        version: Some(t("v0")),
        link: Link::Connecting,
        protected: false,
        read_only: false,
        capabilities: Capabilities::of(&ActionKind::ALL),
        // of a swarm it is a node, which may have no row
        engine: (kind == ClusterKind::Swarm).then(|| key("eg")),
    };
    let mut store = Store::new([
        cluster("c1", ClusterKind::Kubernetes),
        cluster("c2", ClusterKind::Swarm),
        cluster("c3", ClusterKind::Docker),
        cluster("c4", ClusterKind::Docker),
        cluster("c5", ClusterKind::Swarm),
    ]);
    let mut to = |cluster: &str, delta| store.apply(Fact::Cluster(id(cluster), delta), NOW);
    to("c1", Delta::Link(Link::Live));
    to("c2", Delta::Link(Link::Stale { since: ago(42), reason: t("r0") }));
    to("c3", Delta::Link(Link::Unreachable { since: ago(300), reason: t("r1") }));
    to("c4", Delta::Link(Link::Unauthorised { since: ago(300), reason: t("r2") }));
    to("c5", Delta::Link(Link::Live));
    to("c1", Delta::NoUsage(Some(t("nu"))));
    use quarterdeck::model::Effect::{NoSchedule, PreferNoSchedule};
    for (cluster, n, state) in [
        ("c1", "n1", NodeState::Ready),
        ("c1", "n2", NodeState::NotReady),
        ("c1", "n3", NodeState::Ready),
        ("c1", "na", NodeState::Ready),
        ("c5", "n4", NodeState::Ready),
        ("c5", "n5", NodeState::Ready),
        ("c5", "n6", NodeState::Ready),
        ("c5", "n7", NodeState::Ready),
    ] {
        // managers by the word, and by no other
        let leads = matches!(n, "n4" | "n5" | "n6");
        to(
            cluster,
            Delta::Node(Change::Upsert(Node {
                key: key(n),
                uid: key(n),
                spec_rev: 1,
                name: t(n),
                labels: Box::new([(t("lk"), t("lv"))]),
                taints: Box::new([Taint {
                    key: t("tk"),
                    value: t("tv"),
                    effect: if n == "n2" { NoSchedule } else { PreferNoSchedule },
                }]),
                zone: Some(t(if n == "na" { "z1" } else { "z0" })),
                role: if leads { Text::new("manager") } else { t("ro") },
                state,
                since: Some(ago(96)),
                why: matches!(n, "n2" | "n7").then(|| t("wn")),
                availability: if n == "n3" { Availability::Paused } else { Availability::Active },
                pressure: if leads { Box::default() } else { Box::new([t("pr")]) },
                allocatable: Resources { cpu_m: 8_000, mem: 32 << 30 },
                max_tasks: Some(110),
                version: t("v1"),
                address: t("ad"),
                created: ago(7_776_000),
            })),
        );
    }
    // its tasks may run wherever they are best spread
    let placed = |service: &str| service != "s3";
    use ServiceKind::{CronJob, Deployment};
    for (s, kind, ready, rollout) in [
        ("s1", Deployment, 2, RolloutState::Failed),
        ("s2", Deployment, 5, RolloutState::Stable),
        ("s3", Deployment, 5, RolloutState::Progressing),
        ("s4", CronJob, 5, RolloutState::Stable),
        ("s5", Deployment, 5, RolloutState::Paused),
    ] {
        to(
            "c1",
            Delta::Service(Change::Upsert(Service {
                key: key(s),
                spec_rev: 1,
                observed_rev: 1,
                name: t(s),
                namespace: t("ns"),
                kind,
                container: t("co"),
                beside: Box::new([(t("bn"), t("bi"))]),
                earlier: Box::new([3, 2].map(|revision| Earlier { revision, image: t("ei"), made: Some(ago(900)) })),
                stack: Some(t("st")),
                image: t("im"),
                desired: Some(5),
                ready,
                updated: 5,
                current: 5,
                rollout: Rollout { state: rollout, note: Some(t("no")) },
                strategy: UpdateStrategy::Rolling,
                revision: Some(t("re")),
                previous: Some(t("pv")),
                budget: Some(Budget { name: t("bu"), allowed: 1, rule: t("ru"), beside: None }),
                autoscaler: Some(Autoscaler { name: t("au"), min: 1, max: 9 }),
                suspended: false,
                placement: placed(s).then(|| t("pl")),
                ports: Some(t("po")),
                created: ago(86_400),
                changed: Some(ago(500)),
            })),
        );
    }
    for (k, service, node, state) in [
        ("t1", "s1", "n1", TaskState::Running),
        ("t2", "s1", "n9", TaskState::Starting),
        ("t3", "s2", "n2", TaskState::Failed),
        ("t4", "s2", "n1", TaskState::Running),
        // two where one would do
        ("t5", "s3", "n1", TaskState::Running),
        ("t6", "s3", "n1", TaskState::Running),
        // of a controller that is no service here
        ("t0", "", "n1", TaskState::Running),
    ] {
        to(
            "c1",
            Delta::Task(Change::Upsert(Task {
                key: key(k),
                name: t(k),
                namespace: t("ns"),
                service: (!service.is_empty()).then(|| key(service)),
                controller: Some(t("ct")),
                // the node n9 has no row: its key is shown
                node: Some(key(node)),
                state,
                ready: state == TaskState::Running,
                wanted: true,
                why: Some(t("wt")),
                stuck: state == TaskState::Starting,
                since: ago(240),
                image: t("im"),
                restarts: 3,
                last_end: Some(Ending { at: Some(ago(500)), exit: 137, reason: t("en") }),
                revision: Some(t("re")),
                requests: Resources { cpu_m: 100, mem: 128 << 20 },
                limits: Resources::default(),
                containers: Box::new([t("k1"), t("k2")]),
                grace: Some(30),
                created: ago(3_600),
            })),
        );
    }
    for (e, about) in [("e1", Some((Kind::Task, key("t2")))), ("e2", Some((Kind::Node, key("n2")))), ("e3", None)] {
        to(
            "c1",
            Delta::Event(Change::Upsert(Event {
                key: key(e),
                at: ago(30),
                severity: Severity::Warning,
                about,
                object: t("ob"),
                namespace: t("ns"),
                reason: t("rn"),
                message: t(e),
                count: 3,
            })),
        );
    }
    for (object, subject) in [(Some((Kind::Service, key("s1"))), "f1"), (Some((Kind::Node, key("n2"))), "f2"), (None, "f3")] {
        to(
            "c1",
            Delta::Finding(Change::Upsert(Finding {
                key: Finding::key_of(object.as_ref().map(|(kind, key)| (*kind, key))),
                object,
                level: Level::Failing,
                subject: t(subject),
                headline: t("hl"),
                why: t("wy"),
                extra: t("ex"),
                since: Some(ago(240)),
            })),
        );
    }
    for cluster in ["c1", "c2", "c5"] {
        to(cluster, Delta::Node(Change::End));
        to(cluster, Delta::Service(Change::End));
        to(cluster, Delta::Task(Change::End));
        to(cluster, Delta::Event(Change::End));
    }
    to("c1", Delta::Task(Change::Narrowed(t("nr"))));
    to("c2", Delta::Service(Change::Failed(t("cf"))));
    let object = ObjectRef { cluster: id("c1"), kind: Kind::Service, key: key("s2") };
    for (n, state) in [(1, OpState::Failed), (2, OpState::Running)] {
        store.apply(
            Fact::Operation(Operation {
                id: OpId(n),
                intent: Intent {
                    object: object.clone(),
                    name: t("s2"),
                    action: Action::Redeploy { pull: false },
                    bound: Bound { uid: key("s2"), spec_rev: 1 },
                },
                title: t("ti"),
                by: t("by"),
                asked: ago(20),
                ended: state.ended().then(|| ago(3)),
                state,
                progress: Progress { done: 1, total: 3, note: t("pn") },
                undo: None,
                plan: (n == 2).then(|| {
                    let planned = |task: &str, service: &str| Planned {
                        key: key(task),
                        name: t("pt"),
                        service: Some(key(service)),
                        node: Some(key("n1")),
                    };
                    let tasks = Box::new([planned("t1", "s1"), planned("t9", "s1"), planned("t8", "s2"), planned("t7", "s9")]);
                    Arc::new(Plan { tasks, newest: ago(7_200) })
                }),
            }),
            NOW,
        );
    }
    store.apply(Fact::Notice(Notice::warning(ago(60), t("nt"))), NOW);
    store
}
