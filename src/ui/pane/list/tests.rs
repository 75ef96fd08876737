//! An index that follows what changes is what one made from nothing is, and that is what the definition of a list says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::input::Keymap;
use crate::model::*;
use crate::theme::{ColorDepth, Theme};
use crate::ui::pane::{PaneId, clusters::Clusters, events::Events, fleet::Fleet, nodes::Nodes, services::Services, tasks::Tasks};
use crate::ui::testing::{NOW, cluster, event, finding, moment, node, service, task};
use crate::ui::view::filter::Query;
use crate::ui::view::rows::{Beside, RowId, RowIndex, Rows, Sort, Source};
use crate::ui::{Cx, Narrow, Place, Subject};
use crate::util::time::Timestamp;
use proptest::prelude::*;
use std::cell::Cell;
use std::sync::Arc;

const CLUSTERS: [&str; 2] = ["prod-eu", "edge"];
const TYPED: [&str; 14] =
    ["", "", "s", "sh", "shop", "shop 1", "!s", "!shop", "!shop 1", "b", "restarting", "eu-a", "Zürich", "running !2"];

/// One thing that happens, and the numbers that say to what and how.
type Step = (u8, u8, u8, u8);

struct Bench {
    store: Store,
    place: Place,
    typed: &'static str,
    sort: Sort,
    round: i64,
}

/// The object that is looked into at times.
fn subject(n: u8) -> Option<Subject> {
    let (kind, key) = match n % 4 {
        0 => (Kind::Service, format!("s{}", n / 4 % 5)),
        1 => (Kind::Node, format!("eu-{}", n / 4 % 4)),
        _ => return None,
    };
    Some(Subject::of(ObjectRef { cluster: CLUSTERS[0].into(), kind, key: key.as_str().into() }))
}

fn text(n: u8) -> String {
    // long ones that differ late, some that differ in case, some of other letters
    match n % 5 {
        0 => format!("{}-{n}", "a-name-of-more-than-a-hundred-letters-".repeat(3)),
        1 => "Shop".to_owned(),
        2 => format!("zürich-{}", n / 5 % 3),
        _ => format!("web-{}", n / 5 % 7),
    }
}

impl Bench {
    fn new() -> Self {
        Self {
            store: Store::new(CLUSTERS.map(|name| cluster(name, ClusterKind::Kubernetes))),
            place: Place { pane: PaneId::Tasks, narrow: Narrow::default(), subject: None },
            typed: "",
            sort: Sort { column: 1, down: false },
            round: 0,
        }
    }

    fn step(&mut self, (what, which, how, more): Step) {
        let key = |of: &str| Key::from(format!("{of}{which}").as_str());
        let of_service = format!("s{}", how % 5);
        let of_node = format!("eu-{}", more % 4);
        let namespace = ["shop", "shop-two", "billing", ""][usize::from(how % 4)];
        let delta = match what % 16 {
            0..=4 => {
                let state = [TaskState::Running, TaskState::Starting, TaskState::Failed][usize::from(more % 3)];
                Delta::Task(Change::Upsert(Task {
                    name: text(how).into(),
                    namespace: namespace.into(),
                    why: more.is_multiple_of(3).then(|| Text::from(format!("restarting after exit {more}"))),
                    restarts: u32::from(how % 3),
                    wanted: !more.is_multiple_of(5),
                    created: Timestamp(NOW.0 - i64::from(more % 6) * 1_000),
                    ..task(&key("t"), &of_service, (how % 6 > 0).then_some(of_node.as_str()), state)
                }))
            }
            5 => Delta::Task(Change::Remove(key("t"))),
            6 | 7 => Delta::Service(Change::Upsert(service(&key("s"), namespace, &text(how), u32::from(more % 4), 3))),
            8 if how.is_multiple_of(3) => Delta::Service(Change::Remove(key("s"))),
            8 | 9 => {
                let kind = [Kind::Service, Kind::Task, Kind::Node][usize::from(how % 3)];
                let object = ["s", "t", "eu-"][usize::from(how % 3)];
                let level = if more.is_multiple_of(2) { Level::Failing } else { Level::Warning };
                let row = finding(Some((kind, &key(object))), level, "shop", "2/5 ready", &text(more));
                if how > 200 { Delta::Finding(Change::Remove(row.key)) } else { Delta::Finding(Change::Upsert(row)) }
            }
            10 => {
                let state = if more.is_multiple_of(2) { NodeState::Ready } else { NodeState::Down };
                let name = if how.is_multiple_of(4) { format!("other-{how}") } else { of_node.clone() };
                let row = Node { name: name.into(), ..node(&of_node, "eu-a", state) };
                if how > 200 { Delta::Node(Change::Remove(row.key)) } else { Delta::Node(Change::Upsert(row)) }
            }
            11 => {
                self.round += 1;
                let usage =
                    |n: u8| Usage { cpu_m: u32::from(n.wrapping_mul(more) % 7) * 100, mem: u64::from(n % 3) << 20, net: None };
                let (of, name) = if how.is_multiple_of(2) { (Kind::Task, "t") } else { (Kind::Node, "eu-") };
                let rows = (0..which).map(|n| (Key::from(format!("{name}{n}").as_str()), usage(n))).collect();
                Delta::Usage { of, at: Timestamp(NOW.0 + self.round * 10_000), rows }
            }
            12 => {
                let about = Some((Kind::Task, format!("t{how}")));
                let about = about.as_ref().map(|(kind, key)| (*kind, key.as_str()));
                Delta::Event(Change::Upsert(event(&key("e"), about, i64::from(more % 5), &text(how))))
            }
            13 => Delta::About {
                kind: if more.is_multiple_of(3) { ClusterKind::Swarm } else { ClusterKind::Kubernetes },
                version: format!("v{how}").into(),
                capabilities: Default::default(),
                engine: None,
            },
            14 => {
                self.sort = Sort { column: usize::from(how % 16), down: more.is_multiple_of(2) };
                return;
            }
            _ => {
                match more % 5 {
                    0 => self.place.subject = subject(how),
                    1 => self.place.narrow.namespace = (how % 3 > 0).then(|| Text::new(namespace)),
                    2 => self.place.narrow.cluster = (how % 3 > 0).then(|| CLUSTERS[usize::from(how % 2)].into()),
                    _ => self.typed = TYPED[usize::from(how) % TYPED.len()],
                }
                return;
            }
        };
        let cluster = CLUSTERS[usize::from(more > 200)];
        self.store.apply(Fact::Cluster(cluster.into(), delta), NOW);
    }
}

/// A filter by its definition.
fn admits<'a>(typed: &str, words: impl Iterator<Item = &'a str> + Clone) -> bool {
    let has = |word: &str| words.clone().any(|text| text.to_lowercase().contains(&word.to_lowercase()));
    typed.split_whitespace().all(|word| match word.strip_prefix('!') {
        Some(word) => word.is_empty() || !has(word),
        None => has(word),
    })
}

fn check<S: Source>(index: &mut RowIndex<S>, cx: &Cx<'_>, typed: &str, sort: Sort) {
    let mut want = Vec::new();
    let mut admitted = 0;
    for (number, state) in cx.world.clusters.iter().enumerate() {
        if !cx.place.narrow.admits_cluster(&state.cluster.id) {
            continue;
        }
        let beside = Beside::of(state);
        let (rows, whole): (Vec<&S::Row>, bool) = match S::rows(state) {
            Rows::Table(table) => (table.iter().map(|row| &**row).collect(), false),
            Rows::Cluster(row) => (vec![&**row], true),
        };
        for row in rows.into_iter().filter(|row| S::admits(state, row, cx.place)) {
            admitted += 1;
            if admits(typed, S::words(&beside, row)) {
                let key = if whole { Key::new("") } else { row.key().clone() };
                want.push((S::by(&beside, row, sort.column), number, S::name(row), key, row));
            }
        }
    }
    want.sort_by(|a, b| {
        let by = if sort.down { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) };
        by.then_with(|| (a.1, a.2, &a.3).cmp(&(b.1, b.2, &b.3)))
    });
    index.sync(cx, &Query::new(typed), sort);
    let ids: Vec<RowId> = (0..index.len()).map(|at| index.id(at).unwrap()).collect();
    let id = |(_, number, _, key, _): &(_, usize, _, Key, _)| RowId { cluster: CLUSTERS[*number].into(), key: key.clone() };
    assert_eq!(ids, want.iter().map(id).collect::<Vec<_>>(), "/{typed} by {sort:?} in {:?}", cx.place);
    assert_eq!(index.admitted(), admitted);
    for (at, id) in ids.iter().enumerate() {
        assert!(std::ptr::eq(index.row(cx, at).unwrap().1, want[at].4), "the row of now");
        assert_eq!(index.position(cx, id, usize::MAX), Some(at));
    }
    assert_eq!(index.position(cx, &RowId { cluster: "nowhere".into(), key: Key::new("t1") }, 0), None);
    assert!(!index.sync(cx, &Query::new(typed), sort), "nothing has changed since");
}

/// Indexes of all lists.
#[derive(Default)]
struct Followed {
    tasks: RowIndex<Tasks>,
    services: RowIndex<Services>,
    nodes: RowIndex<Nodes>,
    events: RowIndex<Events>,
    fleet: RowIndex<Fleet>,
    clusters: RowIndex<Clusters>,
}

fn look(bench: &Bench, world: &Arc<World>, followed: &mut Followed, theme: &Theme, keymap: &Keymap) {
    let cx = Cx {
        world,
        place: &bench.place,
        totals: &[],
        theme,
        keymap,
        scopes: &[],
        moment: moment(),
        young: &Cell::default(),
        local_time: false,
        read_only: false,
        max_bulk: 20,
        reveals: true,
    };
    check(&mut followed.tasks, &cx, bench.typed, bench.sort);
    check(&mut followed.services, &cx, bench.typed, bench.sort);
    check(&mut followed.nodes, &cx, bench.typed, bench.sort);
    check(&mut followed.events, &cx, bench.typed, bench.sort);
    check(&mut followed.fleet, &cx, bench.typed, bench.sort);
    if let Some(index) = (bench.place.subject.is_none()).then_some(&mut followed.clusters) {
        check(index, &cx, bench.typed, bench.sort);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn an_index_that_follows_is_one_made_from_nothing(
        first in prop::collection::vec((0u8..13, 0u8..60, any::<u8>(), any::<u8>()), 0..160),
        then in prop::collection::vec((any::<u8>(), 0u8..60, any::<u8>(), any::<u8>(), 0u8..3), 1..40),
    ) {
        let (theme, _) = Theme::load("default", &[], ColorDepth::Indexed);
        let (keymap, _) = Keymap::load("default", &[]);
        let mut bench = Bench::new();
        first.into_iter().for_each(|step| bench.step(step));
        let mut world = bench.store.publish().unwrap();
        let mut followed = Followed::default();
        look(&bench, &world, &mut followed, &theme, &keymap);
        for (what, which, how, more, wait) in then {
            bench.step((what, which, how, more));
            // several changes a picture, and what is typed between pictures
            if wait > 0 {
                world = bench.store.publish().unwrap_or(world);
                look(&bench, &world, &mut followed, &theme, &keymap);
            }
        }
    }
}

#[test]
fn a_list_left_alone_holds_no_row_that_is_gone() {
    let mut bench = Bench::new();
    (0..60).for_each(|n| bench.step((0, n, n, n)));
    let world = bench.store.publish().unwrap();
    let (theme, _) = Theme::load("default", &[], ColorDepth::Indexed);
    let (keymap, _) = Keymap::load("default", &[]);
    let mut followed = Followed::default();
    look(&bench, &world, &mut followed, &theme, &keymap);
    let row = Arc::downgrade(world.clusters[0].tasks.iter().next().unwrap());
    let state = Arc::downgrade(&world.clusters[0]);
    drop((world, bench));
    assert!(state.upgrade().is_none(), "the picture itself is not held, by any list");
    assert!(row.upgrade().is_some());
    followed.tasks.forget();
    assert!(row.upgrade().is_none());
}
