//! A small fleet made by hand, and a screen to look at it with, for tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::{Effect, Moment, PaneId, TextInput, Ui, UiOptions};
use crate::input::{Command, Keymap};
use crate::model::*;
use crate::theme::Theme;
use crate::util::time::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// 14:03:00 UTC on some day.
pub const NOW: Timestamp = Timestamp(1_800_000_000_000 - 1_800_000_000_000 % 86_400_000 + (14 * 60 + 3) * 60_000);

pub fn ago(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 - seconds * 1_000)
}

pub fn moment() -> Moment {
    Moment { now: NOW, utc_offset: 7_200 }
}

pub fn cluster(name: &str, kind: ClusterKind) -> Cluster {
    Cluster {
        id: ClusterId::from(name),
        kind,
        endpoint: Text::from(format!("https://{name}.example:6443")),
        version: Some(Text::new("v1.33.1")),
        link: Link::Connecting,
        protected: false,
        read_only: false,
        capabilities: Capabilities::of(&ActionKind::ALL),
        engine: None,
    }
}

pub fn service(key: &str, namespace: &str, name: &str, ready: u32, desired: u32) -> Service {
    Service {
        key: Key::from(key),
        spec_rev: 1,
        observed_rev: 1,
        name: Text::new(name),
        namespace: Text::new(namespace),
        kind: ServiceKind::Deployment,
        stack: None,
        image: Text::from(format!("registry.local/{name}:1.3")),
        container: Text::new("main"),
        beside: Box::default(),
        desired: Some(desired),
        ready,
        updated: desired,
        current: desired,
        rollout: Rollout::STABLE,
        strategy: UpdateStrategy::Rolling,
        revision: Some(Text::new("8")),
        previous: Some(Text::new("revision 7 · image 1.2")),
        earlier: Box::default(),
        budget: None,
        autoscaler: None,
        suspended: false,
        placement: None,
        ports: None,
        created: ago(12 * 86_400),
        changed: None,
    }
}

pub fn task(key: &str, service: &str, node: Option<&str>, state: TaskState) -> Task {
    Task {
        key: Key::from(key),
        name: Text::new(key),
        namespace: Text::new("shop"),
        service: Some(Key::from(service)),
        controller: None,
        node: node.map(Key::from),
        state,
        ready: state == TaskState::Running,
        wanted: true,
        why: None,
        stuck: false,
        since: ago(240),
        image: Text::new("registry.local/checkout:1.3"),
        restarts: 0,
        last_end: None,
        revision: None,
        requests: Resources { cpu_m: 100, mem: 128 << 20 },
        limits: Resources::default(),
        containers: Box::new([Text::new("main")]),
        grace: Some(30),
        created: ago(3_600),
    }
}

pub fn node(name: &str, zone: &str, state: NodeState) -> Node {
    Node {
        key: Key::from(name),
        uid: Key::from(name),
        spec_rev: 1,
        name: Text::new(name),
        labels: Box::default(),
        taints: Box::default(),
        zone: Some(Text::new(zone)),
        role: Text::new("worker"),
        state,
        since: Some(ago(96)),
        why: (state != NodeState::Ready).then(|| Text::new("kubelet silent 96s")),
        availability: Availability::Active,
        pressure: Box::new([]),
        allocatable: Resources { cpu_m: 8_000, mem: 32 << 30 },
        max_tasks: Some(110),
        version: Text::new("v1.33.1"),
        address: Text::new("10.0.0.1"),
        created: ago(90 * 86_400),
    }
}

pub fn event(key: &str, about: Option<(Kind, &str)>, seconds: i64, message: &str) -> Event {
    Event {
        key: Key::from(key),
        at: ago(seconds),
        severity: Severity::Warning,
        about: about.map(|(kind, key)| (kind, Key::from(key))),
        object: Text::new(about.map_or("job nightly", |(_, key)| key)),
        namespace: Text::new("shop"),
        reason: Text::new("Failed"),
        message: Text::new(message),
        count: 3,
    }
}

pub fn finding(object: Option<(Kind, &str)>, level: Level, subject: &str, headline: &str, why: &str) -> Finding {
    let object = object.map(|(kind, key)| (kind, Key::from(key)));
    Finding {
        key: Finding::key_of(object.as_ref().map(|(kind, key)| (*kind, key))),
        object,
        level,
        subject: Text::new(subject),
        headline: Text::new(headline),
        why: Text::new(why),
        extra: Text::new("3 tasks"),
        since: Some(ago(240)),
    }
}

/// A fleet under construction.
pub struct Fleet(pub Store);

impl Fleet {
    /// `prod-eu` (Kubernetes, live), `edge-swarm` (Swarm, stale), `stage` (unreachable).
    pub fn new() -> Self {
        let mut fleet = Self(Store::new([
            cluster("prod-eu", ClusterKind::Kubernetes),
            cluster("edge-swarm", ClusterKind::Swarm),
            cluster("stage", ClusterKind::Docker),
        ]));
        fleet.to("prod-eu", Delta::Link(Link::Live));
        fleet.to("edge-swarm", Delta::Link(Link::Stale { since: ago(42), reason: Text::new("no answer to ping") }));
        fleet.to("stage", Delta::Link(Link::Unreachable { since: ago(300), reason: Text::new("connection refused: stage:2375") }));
        for (name, zone, state) in
            [("eu-a-01", "eu-a", NodeState::Ready), ("eu-b-07", "eu-b", NodeState::NotReady), ("eu-c-03", "eu-c", NodeState::Ready)]
        {
            fleet.to("prod-eu", Delta::Node(Change::Upsert(node(name, zone, state))));
        }
        for row in [
            Service {
                rollout: Rollout { state: RolloutState::Failed, note: Some(Text::new("new tasks never ready")) },
                ..service("s-checkout", "shop", "checkout", 2, 5)
            },
            Service {
                rollout: Rollout { state: RolloutState::Progressing, note: None },
                budget: Some(Budget { name: Text::new("web"), allowed: 1, rule: Text::new("min available 2"), beside: None }),
                ..service("s-web", "shop", "web", 3, 5)
            },
            service("s-search", "shop", "search", 4, 4),
            service("s-catalog", "shop", "catalog", 6, 6),
            service("s-dns", "kube-system", "coredns", 2, 2),
        ] {
            fleet.to("prod-eu", Delta::Service(Change::Upsert(row)));
        }
        fleet.to(
            "edge-swarm",
            Delta::Service(Change::Upsert(Service {
                kind: ServiceKind::Replicated,
                ..service("s-billing", "billing", "billing_worker", 0, 2)
            })),
        );
        for (key, service, node, state) in [
            ("checkout-7d9f8b6c5-x2x9k", "s-checkout", Some("eu-a-01"), TaskState::Running),
            ("checkout-7d9f8b6c5-aaaaa", "s-checkout", Some("eu-c-03"), TaskState::Running),
            ("checkout-5f7c9d4b8-bbbbb", "s-checkout", Some("eu-b-07"), TaskState::Starting),
            ("web-0", "s-web", Some("eu-a-01"), TaskState::Running),
            ("search-0", "s-search", Some("eu-b-07"), TaskState::Lost),
        ] {
            let why = (state == TaskState::Starting).then(|| Text::new("image not found: registry.local/checkout:1.3"));
            fleet.to("prod-eu", Delta::Task(Change::Upsert(Task { why, ..task(key, service, node, state) })));
        }
        fleet.to(
            "prod-eu",
            Delta::Event(Change::Upsert(event("e1", Some((Kind::Task, "checkout-5f7c9d4b8-bbbbb")), 30, "Failed to pull image"))),
        );
        fleet.to("prod-eu", Delta::Event(Change::Upsert(event("e2", Some((Kind::Node, "eu-b-07")), 96, "Node is not ready"))));
        for row in [
            finding(
                Some((Kind::Service, "s-checkout")),
                Level::Failing,
                "shop/checkout",
                "2/5 ready",
                "image not found: registry.local/checkout:1.3",
            ),
            finding(Some((Kind::Node, "eu-b-07")), Level::Failing, "node eu-b-07", "not ready", "kubelet silent 96s"),
            finding(
                Some((Kind::Service, "s-search")),
                Level::Warning,
                "shop/search",
                "4/4 ready",
                "restarting: 9 in 1h, last out of memory",
            ),
        ] {
            fleet.to("prod-eu", Delta::Finding(Change::Upsert(row)));
        }
        fleet.to(
            "stage",
            Delta::Finding(Change::Upsert(finding(
                None,
                Level::Failing,
                "cluster",
                "unreachable",
                "connection refused: stage:2375",
            ))),
        );
        for at in 0..60 {
            let rows = |keys: &[&str]| {
                let usage = |n: usize| Usage { cpu_m: 100 + 40 * (n as u32 + at % 7), mem: 400 << 20, net: None };
                keys.iter().enumerate().map(|(n, key)| (Key::from(*key), usage(n))).collect()
            };
            let when = ago(i64::from(600 - at * 10));
            fleet.to("prod-eu", Delta::Usage { of: Kind::Node, at: when, rows: rows(&["eu-a-01", "eu-c-03"]) });
            fleet.to("prod-eu", Delta::Usage { of: Kind::Task, at: when, rows: rows(&["checkout-7d9f8b6c5-x2x9k", "web-0"]) });
        }
        for kind in Kind::ALL {
            fleet.listed("prod-eu", kind);
            fleet.listed("edge-swarm", kind);
        }
        fleet
    }

    pub fn to(&mut self, cluster: &str, delta: Delta) {
        self.0.apply(Fact::Cluster(ClusterId::from(cluster), delta), NOW);
    }

    /// Says that a kind is listed whole.
    fn listed(&mut self, cluster: &str, kind: Kind) {
        self.to(
            cluster,
            match kind {
                Kind::Node => Delta::Node(Change::End),
                Kind::Service => Delta::Service(Change::End),
                Kind::Task => Delta::Task(Change::End),
                Kind::Event => Delta::Event(Change::End),
            },
        );
    }
}

/// With nothing chosen but the pane to begin with.
pub fn options(pane: PaneId) -> UiOptions {
    UiOptions {
        theme: Theme::plain(),
        themes: vec![Theme::plain()],
        keymap: Keymap::load("default", &[]).0,
        ascii: false,
        read_only: false,
        max_bulk: 20,
        reveals: true,
        local_time: false,
        pane,
        config: Text::new("/home/ops/.config/quarterdeck/config.toml"),
    }
}

/// A screen of a size, and the fleet it looks at.
pub struct Bench {
    pub ui: Ui,
    pub fleet: Fleet,
    pub size: (u16, u16),
    pub moment: Moment,
}

impl Bench {
    pub fn new(pane: PaneId, size: (u16, u16)) -> Self {
        let ui = Ui::new(options(pane));
        let mut bench = Self { ui, fleet: Fleet::new(), size, moment: moment() };
        bench.sync();
        bench
    }

    pub fn sync(&mut self) -> bool {
        match self.fleet.0.publish() {
            Some(world) => self.ui.sync(world, self.moment),
            None => false,
        }
    }

    /// Presses a key and looks at what it did.
    pub fn press(&mut self, command: Command) -> Vec<Effect> {
        let effects = self.ui.command(command, self.moment);
        self.screen();
        effects
    }

    pub fn type_in(&mut self, text: &str) {
        for c in text.chars() {
            self.ui.text(TextInput::Char(c), self.moment);
        }
    }

    /// The screen as text, lines without trailing spaces.
    pub fn screen(&mut self) -> String {
        let area = Rect::new(0, 0, self.size.0, self.size.1);
        let mut buf = Buffer::empty(area);
        self.ui.render(area, &mut buf, self.moment);
        self.ui.seen();
        text(&buf)
    }

    /// The line the cursor is on.
    pub fn cursor_line(&mut self) -> String {
        self.screen().lines().find(|line| line.contains('▸')).unwrap_or_default().to_owned()
    }
}

/// A buffer as text. Cells behind a wide character are left out.
pub fn text(buf: &Buffer) -> String {
    let mut out = String::new();
    for y in buf.area.top()..buf.area.bottom() {
        let mut line = String::new();
        let mut skip = 0;
        for x in buf.area.left()..buf.area.right() {
            let symbol = buf[(x, y)].symbol();
            if skip > 0 {
                skip -= 1;
                continue;
            }
            skip = crate::util::width::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
