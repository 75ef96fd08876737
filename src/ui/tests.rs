#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::testing::{Bench, event, finding, service, task};
use super::*;
use crate::input::{Command, Scope};
use crate::model::{Change, Delta, Key, Level, Link, TaskState, Text};
use crate::model::{Kind, Request};

const PANES: [PaneId; 6] = [PaneId::Fleet, PaneId::Clusters, PaneId::Nodes, PaneId::Services, PaneId::Tasks, PaneId::Events];

#[test]
fn no_size_makes_a_pane_panic_or_write_outside() {
    for pane in PANES.into_iter().chain([PaneId::Detail]) {
        let mut bench = Bench::new(pane, (0, 0));
        for width in (0..220).step_by(7) {
            for height in [0, 1, 2, 5, 9, 10, 11, 13, 18, 24, 31, 40, 59] {
                bench.size = (width, height);
                bench.screen();
            }
        }
        bench.size = (39, 12);
        assert!(bench.screen().contains("terminal too small (39x12)"));
    }
}

/// The first words that must be on each page, at both sizes.
#[test]
fn every_pane_says_what_matters_at_80x24_and_200x50() {
    let want: [(PaneId, &[&str]); 6] = [
        (
            PaneId::Fleet,
            &["trouble · 4", "✖  prod-eu  node eu-b-07", "kubelet silent 96s", "▲  prod-eu  shop/search", "unreachable"],
        ),
        (PaneId::Clusters, &["▲ stale 42s", "✖ unreachable 5m", "2/3", "4/5", "kubernetes"]),
        (PaneId::Nodes, &["eu-a-01       ready", "✖ not ready  eu-b", "2/110", "kubelet s"]),
        (
            PaneId::Services,
            &["edge-swarm stale 42s", "shop/checkout", "2/5  ✖ failing  image not found", "◔ scaling", "billing_worker"],
        ),
        (PaneId::Tasks, &["8b6c5-x2x9k", "▲ starting", "image not", "✖ lost"]),
        (PaneId::Events, &["Failed to pull image", "Node is not ready", "30s", "3×"]),
    ];
    for size in [(80, 24), (200, 50)] {
        for (pane, words) in want {
            let screen = Bench::new(pane, size).screen();
            for words in words {
                assert!(screen.contains(words), "{pane:?} at {size:?} lacks {words:?}:\n{screen}");
            }
            for words in ["1 live · 1 stale 42s · 1 unreachable", "✖ 3", "▲ 1", "14:03 UTC", "? help"] {
                assert!(screen.contains(words), "{pane:?} at {size:?} lacks {words:?}:\n{screen}");
            }
        }
    }
}

#[test]
fn details_stand_beside_a_wide_list_and_in_place_of_a_narrow_one() {
    let mut bench = Bench::new(PaneId::Services, (200, 50));
    bench.press(Command::Down);
    bench.press(Command::Down);
    let screen = bench.screen();
    for words in [
        "┬─ shop/checkout",
        "rollout  stopped at revision 8: new tasks never ready",
        "R roll back to revision 7",
        "spread   eu-a 1/1 · eu-b 0/1 · eu-c 1/1",
        "last events",
    ] {
        assert!(screen.contains(words), "no {words:?} in\n{screen}");
    }
    bench.press(Command::Detail);
    assert!(!bench.screen().contains("spread"), "hidden by the same key");

    let mut bench = Bench::new(PaneId::Services, (80, 24));
    bench.press(Command::Down);
    bench.press(Command::Down);
    assert!(!bench.screen().contains("spread"));
    bench.press(Command::Detail);
    assert!(bench.screen().contains("spread   eu-a 1/1"));
    bench.press(Command::Back);
    assert!(bench.cursor_line().contains("shop/checkout"), "back where it was");
}

#[test]
fn the_cursor_stays_on_its_object_through_sorts_and_changes() {
    let mut bench = Bench::new(PaneId::Services, (80, 24));
    bench.press(Command::Down);
    bench.press(Command::Down);
    assert!(bench.cursor_line().contains("shop/checkout"));
    for command in [Command::SortState, Command::SortReverse, Command::SortAge, Command::SortName] {
        bench.press(command);
        assert!(bench.cursor_line().contains("shop/checkout"), "after {command:?}");
    }
    for n in 0..30 {
        bench.fleet.to("prod-eu", Delta::Service(Change::Upsert(service(&format!("n{n}"), "a", &format!("new-{n:02}"), 1, 1))));
        bench.sync();
        assert!(bench.cursor_line().contains("shop/checkout"), "after {n} new rows");
    }
}

#[test]
fn the_cursor_waits_for_a_row_that_went_away_and_stays_on_the_neighbour_meanwhile() {
    let mut bench = Bench::new(PaneId::Services, (80, 24));
    bench.press(Command::Down);
    bench.press(Command::Down);
    bench.fleet.to("prod-eu", Delta::Service(Change::Remove(Key::from("s-checkout"))));
    bench.sync();
    assert!(bench.cursor_line().contains("shop/search"), "the row that took its place");
    bench.fleet.to("prod-eu", Delta::Service(Change::Upsert(service("s-new", "a", "first", 1, 1))));
    bench.sync();
    assert!(bench.cursor_line().contains("shop/search"), "pinned to the neighbour, not to the row number");
    bench.fleet.to("prod-eu", Delta::Service(Change::Upsert(service("s-checkout", "shop", "checkout", 5, 5))));
    bench.sync();
    assert!(bench.cursor_line().contains("shop/checkout"), "and back on what was chosen");
}

#[test]
fn a_filter_narrows_as_it_is_typed_counts_and_gives_the_cursor_back() {
    let mut bench = Bench::new(PaneId::Services, (80, 24));
    bench.press(Command::Bottom);
    bench.press(Command::Up);
    assert!(bench.cursor_line().contains("shop/web"));
    bench.press(Command::Filter);
    assert!(bench.ui.wants_text());
    bench.type_in("shop !cat ch");
    let screen = bench.screen();
    assert!(screen.contains("/shop !cat ch · 2 of 6"), "{screen}");
    assert!(screen.contains("shop/checkout") && screen.contains("shop/search") && !screen.contains("shop/web "), "{screen}");
    assert!(bench.ui.cursor().is_some());
    bench.ui.text(TextInput::Enter, bench.moment);
    assert!(!bench.ui.wants_text(), "enter keeps the filter and gives the keys back");
    bench.press(Command::Back);
    let screen = bench.screen();
    assert!(screen.contains("services · 6"), "{screen}");
    assert!(bench.cursor_line().contains("shop/web"), "the cursor is back on what it was on");
    bench.press(Command::Filter);
    bench.type_in("nowhere");
    assert!(bench.screen().contains("none of 6 matches /nowhere"));
}

#[test]
fn rows_under_a_filter_follow_changes_in_what_they_say() {
    let mut bench = Bench::new(PaneId::Services, (80, 24));
    bench.press(Command::Filter);
    bench.type_in("oom");
    assert!(bench.screen().contains("0 of 6"));
    let row = finding(Some((Kind::Service, "s-catalog")), Level::Warning, "shop/catalog", "6/6 ready", "OOM killed");
    bench.fleet.to("prod-eu", Delta::Finding(Change::Upsert(row)));
    assert!(bench.sync());
    let screen = bench.screen();
    assert!(screen.contains("1 of 6") && screen.contains("OOM killed"), "{screen}");
}

#[test]
fn marks_survive_a_filter_and_an_action_takes_them_all() {
    let mut bench = Bench::new(PaneId::Services, (80, 24));
    bench.press(Command::Select);
    bench.press(Command::Filter);
    bench.type_in("search");
    bench.ui.text(TextInput::Enter, bench.moment);
    bench.press(Command::Select);
    assert!(bench.screen().contains("2 marked"));
    bench.press(Command::Back);
    let effects = bench.press(Command::Copy);
    assert!(matches!(&effects[..], [Effect::Copy(names)] if names == "coredns\nsearch"), "{effects:?}");
    bench.press(Command::Back);
    assert!(!bench.screen().contains("marked"));
    let effects = bench.press(Command::Copy);
    assert!(matches!(&effects[..], [Effect::Copy(name)] if !name.contains('\n')), "{effects:?}");
}

#[test]
fn open_goes_down_and_escape_comes_back_step_by_step() {
    let mut bench = Bench::new(PaneId::Fleet, (80, 24));
    bench.press(Command::Down);
    assert!(bench.cursor_line().contains("shop/checkout"));
    bench.press(Command::Open);
    let screen = bench.screen();
    assert!(screen.contains("─ services") && bench.cursor_line().contains("shop/checkout"), "{screen}");
    assert_eq!(bench.ui.scopes(bench.moment), [Scope::Service, Scope::List, Scope::Global]);
    bench.press(Command::Open);
    let screen = bench.screen();
    assert!(screen.contains("tasks · of service shop/checkout · 3"), "{screen}");
    assert!(!screen.contains("web-0"), "{screen}");
    bench.press(Command::Detail);
    assert!(bench.screen().contains("image not found: registry.local/checkout:1.3"));
    for title in ["─ tasks", "─ services", "─ trouble"] {
        bench.press(Command::Back);
        assert!(bench.screen().contains(title), "{title}");
    }
    assert!(bench.cursor_line().contains("shop/checkout"));
    bench.press(Command::Back);
    assert!(bench.screen().contains("q leaves Quarterdeck"));
}

#[test]
fn lists_are_narrowed_to_the_cluster_and_namespace_under_the_cursor() {
    let mut bench = Bench::new(PaneId::Services, (80, 24));
    bench.press(Command::ScopeCluster);
    bench.ui.text(TextInput::Enter, bench.moment);
    let screen = bench.screen();
    assert!(screen.contains("services · prod-eu · 5") && !screen.contains("CLUSTER"), "{screen}");
    bench.press(Command::ScopeNamespace);
    bench.ui.text(TextInput::Enter, bench.moment);
    let screen = bench.screen();
    assert!(screen.contains("services · prod-eu · kube-system · 1"), "{screen}");
    bench.press(Command::ScopeAll);
    assert!(bench.screen().contains("services · 6"));
    bench.press(Command::Back);
    assert!(bench.screen().contains("kube-system · 1"), "narrowing is a step that goes back too");
}

#[test]
fn an_empty_list_says_why() {
    let ui = |world: std::sync::Arc<crate::model::World>| {
        let mut bench = Bench::new(PaneId::Tasks, (80, 24));
        bench.ui.sync(world, bench.moment);
        bench.screen()
    };
    assert!(ui(std::sync::Arc::default()).contains("no clusters found: there is no context in KUBECONFIG"));

    let mut bench = Bench::new(PaneId::Tasks, (80, 24));
    bench.press(Command::Filter);
    let mut store = crate::model::Store::new([super::testing::cluster("new", crate::model::ClusterKind::Kubernetes)]);
    assert!(ui(store.publish().unwrap()).contains("new: connecting…"));
    let mut to = |delta| {
        store.apply(crate::model::Fact::Cluster(crate::model::ClusterId::from("new"), delta), super::testing::NOW);
        ui(store.publish().unwrap())
    };
    assert!(to(Delta::Link(Link::Live)).contains("new: loading…"));
    let reason = Text::new("forbidden: may not list pods; ask for the role `view`");
    assert!(to(Delta::Task(Change::Failed(reason))).contains("forbidden: may not list pods"));
    to(Delta::Task(Change::Begin));
    let screen = to(Delta::Task(Change::End));
    assert!(screen.contains("nothing runs"), "{screen}");
}

#[test]
fn only_what_may_be_on_screen_asks_for_a_frame() {
    let mut bench = Bench::new(PaneId::Nodes, (80, 24));
    assert!(!bench.sync(), "nothing was published");
    bench.fleet.to("prod-eu", Delta::Link(Link::Stale { since: super::testing::ago(1), reason: Text::new("x") }));
    assert!(bench.sync());
}

#[test]
fn an_action_that_cannot_be_says_why() {
    let mut bench = Bench::new(PaneId::Nodes, (80, 24));
    bench.press(Command::Scale);
    assert!(bench.screen().contains("cannot scale: there is no service under the cursor"));
    assert!(matches!(bench.press(Command::Reconnect)[..], [Effect::Request(Request::Reconnect)]));
}

#[test]
fn hostile_and_wide_names_stay_in_their_columns() {
    let mut bench = Bench::new(PaneId::Services, (80, 24));
    for (n, name) in ["東京サービス-とても長い名前のサービス-東京サービス", "a\u{1b}[31mred\u{202e}x", ""].iter().enumerate()
    {
        bench.fleet.to("prod-eu", Delta::Service(Change::Upsert(service(&format!("w{n}"), "ns", name, 1, 1))));
    }
    bench.sync();
    let screen = bench.screen();
    assert!(screen.contains("東京") && !screen.contains('\u{1b}') && !screen.contains('\u{202e}'), "{screen}");
    let ready: Vec<usize> = screen
        .lines()
        .filter(|line| line.contains("1/1"))
        .map(|line| crate::util::width::width(&line[..line.find("1/1").unwrap()]))
        .collect();
    assert!(ready.len() == 3 && ready.windows(2).all(|pair| pair[0] == pair[1]), "{ready:?}\n{screen}");
}

#[test]
fn an_ascii_terminal_gets_ascii_only() {
    let mut bench = Bench::new(PaneId::Fleet, (200, 50));
    let area = ratatui::layout::Rect::new(0, 0, 200, 50);
    let mut buf = ratatui::buffer::Buffer::empty(area);
    bench.ui.render(area, &mut buf, bench.moment);
    super::ascii::to_ascii(&mut buf);
    let screen = super::testing::text(&buf);
    assert!(screen.is_ascii() && screen.contains(">  x  prod-eu"), "{screen}");
}

#[test]
fn going_back_to_a_list_brings_back_its_cursor_filter_and_marks() {
    let mut bench = Bench::new(PaneId::Tasks, (80, 24));
    bench.press(Command::Filter);
    bench.type_in("a");
    bench.ui.text(TextInput::Enter, bench.moment);
    bench.press(Command::Down);
    bench.press(Command::Select);
    let line = bench.cursor_line();
    bench.press(Command::Detail);
    bench.press(Command::Back);
    let screen = bench.screen();
    assert!(screen.contains("/a · ") && screen.contains("1 marked") && bench.cursor_line() == line, "{line}\n{screen}");
    bench.press(Command::PaneServices);
    bench.press(Command::Open);
    assert!(!bench.screen().contains("/a"));
    bench.press(Command::Back);
    bench.press(Command::Back);
    let screen = bench.screen();
    assert!(screen.contains("/a · ") && bench.cursor_line() == line, "{line}\n{screen}");
    assert!(!screen.contains("marked"), "marks do not outlive the list they were made in");
}

/// Making the index anew and following changes must give the same rows, whatever happens.
#[test]
fn following_changes_gives_the_same_rows_as_starting_over() {
    use proptest::prelude::*;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig { cases: 40, ..ProptestConfig::default() });
    let steps = prop::collection::vec((0u8..5, 0u8..12, 0u8..4), 1..40);
    let sort = prop::sample::select(vec![Command::SortName, Command::SortAge, Command::SortState, Command::SortReverse]);
    let typed = prop::sample::select(vec!["", "o", "!o", "web"]);
    runner
        .run(&(steps, sort, typed), |(steps, sort, typed)| {
            let mut bench = Bench::new(PaneId::Tasks, (200, 40));
            bench.press(sort);
            bench.press(Command::Filter);
            bench.type_in(typed);
            bench.ui.text(TextInput::Enter, bench.moment);
            for (what, key, value) in steps {
                let key = format!("{}-{key}", ["web", "foo", "bar", "zoo"][usize::from(key % 4)]);
                let state = [TaskState::Running, TaskState::Failed, TaskState::Lost, TaskState::Pending][usize::from(value)];
                let change = if what == 0 {
                    Change::Remove(Key::from(key.as_str()))
                } else {
                    Change::Upsert(task(&key, "s-web", None, state))
                };
                bench.fleet.to("prod-eu", Delta::Task(change));
                bench.sync();
            }
            let followed = bench.screen();
            let mut anew = Bench::new(PaneId::Tasks, (200, 40));
            anew.fleet = std::mem::replace(&mut bench.fleet, super::testing::Fleet::new());
            anew.fleet.to("prod-eu", Delta::Event(Change::Upsert(event("last", None, 1, "x"))));
            anew.sync();
            anew.press(sort);
            anew.press(Command::Filter);
            anew.type_in(typed);
            anew.ui.text(TextInput::Enter, anew.moment);
            let rows = |screen: &str| -> Vec<String> {
                let list = screen.lines().skip_while(|line| !line.starts_with("─ tasks")).skip(2);
                list.map(|line| line.chars().skip(3).take(60).collect::<String>()).collect()
            };
            prop_assert_eq!(rows(&followed), rows(&anew.screen()));
            Ok(())
        })
        .unwrap();
}

#[test]
fn the_newest_operation_shows_its_progress_in_the_header() {
    use crate::model::*;
    let mut bench = Bench::new(PaneId::Services, (200, 50));
    let object = ObjectRef { cluster: ClusterId::from("prod-eu"), kind: Kind::Service, key: Key::from("s-web") };
    let bound = Bound { uid: object.key.clone(), spec_rev: 1 };
    let intent = Intent { object, name: Text::new("shop/web"), action: Action::Scale { to: 5 }, bound };
    let progress = Progress { done: 3, total: 5, note: Text::default() };
    let operation = Operation {
        id: OpId(1),
        intent,
        title: Text::new("scale shop/web 2→5"),
        by: Text::new("me@here"),
        asked: super::testing::ago(5),
        ended: None,
        state: OpState::Verifying,
        progress,
    };
    bench.fleet.0.apply(Fact::Operation(operation), super::testing::NOW);
    assert!(bench.sync());
    assert!(bench.screen().lines().next().unwrap().contains("scale shop/web 2→5  ███░░ 3/5"));
    assert!(bench.ui.interest().tasks);
}
