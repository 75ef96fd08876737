//! Lists: the cursor, the filter, marks, and the way down and back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::testing::{Bench, event, finding, service, task};
use super::super::*;
use crate::input::{Command, Scope};
use crate::model::Kind;
use crate::model::{Change, Delta, Key, Level, Link, Notice, TaskState, Text, World};
use std::sync::Arc;

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
fn what_a_list_is_sorted_by_and_which_way_is_said_in_its_header_not_by_a_colour_alone() {
    // titles with a mark, and the marks
    let marked = |bench: &mut Bench| {
        let screen = bench.screen();
        let words: Vec<&str> = screen.split([' ', '\n', '│']).filter(|word| !word.is_empty()).collect();
        let title = |word: &str| word.bytes().all(|letter| letter.is_ascii_uppercase());
        let marked = words.windows(2).filter(|pair| title(pair[0]) && ["↑", "↓"].contains(&pair[1]));
        marked.map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect::<Vec<_>>()
    };
    for size in [(80, 24), (200, 50)] {
        for pane in [PaneId::Clusters, PaneId::Nodes, PaneId::Services, PaneId::Tasks, PaneId::Events] {
            let mut bench = Bench::new(pane, size);
            // what is not on screen is not sorted by
            bench.screen();
            bench.press(Command::Sort);
            let first = marked(&mut bench);
            let mut columns = 0;
            loop {
                let before = marked(&mut bench);
                assert_eq!(before.len(), 1, "{pane:?} at {size:?}, column {columns}:\n{}", bench.screen());
                if columns > 0 && before[0].0 == first[0].0 {
                    break;
                }
                bench.press(Command::SortReverse);
                assert_ne!(marked(&mut bench)[0].1, before[0].1, "{pane:?} at {size:?}, column {columns}");
                bench.press(Command::Sort);
                columns += 1;
                assert!(columns < 20, "{pane:?} at {size:?}: going through the columns ends where it began");
            }
            assert!(columns >= 4, "{pane:?} at {size:?} was sorted by {columns}");
        }
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
fn a_filter_narrows_as_it_is_typed_and_the_cursor_is_on_what_was_found_or_back_where_it_was() {
    let mut bench = Bench::new(PaneId::Services, (80, 24));
    bench.press(Command::Bottom);
    bench.press(Command::Up);
    assert!(bench.cursor_line().contains("shop/web"));
    let filter = |bench: &mut Bench, words: &str, end: Option<TextInput>| {
        bench.press(Command::Filter);
        assert!(bench.ui.wants_text());
        bench.type_in(words);
        if let Some(end) = end {
            bench.ui.text(end, bench.moment);
            assert!(!bench.ui.wants_text(), "it gives the keys back");
        }
    };
    filter(&mut bench, "shop !cat ch", None);
    let screen = bench.screen();
    assert!(screen.contains("/shop !cat ch · 2 of 6"), "{screen}");
    assert!(screen.contains("shop/checkout") && screen.contains("shop/search") && !screen.contains("shop/web "), "{screen}");
    assert!(bench.ui.cursor().is_some());
    bench.ui.text(TextInput::Escape, bench.moment);
    assert!(bench.cursor_line().contains("shop/web"), "given up: back on what it was on");
    filter(&mut bench, "nowhere", Some(TextInput::Enter));
    assert!(bench.screen().contains("none of 6 matches /nowhere"));
    bench.press(Command::Back);
    assert!(bench.screen().contains("services · 6") && bench.cursor_line().contains("shop/web"), "nothing was found");
    filter(&mut bench, "shop !cat ch", Some(TextInput::Enter));
    assert!(bench.screen().contains("2 of 6"), "enter keeps the filter");
    bench.press(Command::Back);
    let screen = bench.screen();
    assert!(screen.contains("services · 6") && bench.cursor_line().contains("shop/search"), "{screen}");
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
    assert!(bench.screen().contains("ctrl-c leaves Quarterdeck"));
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
    let ui = |world: Arc<World>| {
        let mut bench = Bench::new(PaneId::Tasks, (80, 24));
        bench.ui.sync(world, bench.moment);
        bench.screen()
    };
    let mut bench = Bench::new(PaneId::Fleet, (80, 24));
    bench.ui = crate::ui::Ui::new(super::testing::options(PaneId::Fleet));
    let screen = bench.screen();
    assert!(screen.contains("looking for clusters…") && !screen.contains("was found"), "{screen}");
    bench.ui.sync(Arc::default(), bench.moment);
    let screen = bench.screen();
    for words in ["no cluster was found", "KUBECONFIG", "DOCKER_HOST", "/home/ops/.config/quarterdeck/config.toml", "--demo"] {
        assert!(screen.contains(words), "no {words:?} in\n{screen}");
    }
    assert_eq!(screen.matches("was found").count(), 1, "it is said once\n{screen}");
    assert!(!screen.contains("enter open"), "there is nothing to open\n{screen}");
    assert!(!screen.contains("went wrong"), "{screen}");
    let notice = |text: &str, warning| Arc::new(Notice { at: crate::util::time::Timestamp(0), text: text.into(), warning });
    let notices = vec![notice("/home/ops/.kube/config cannot be read: line 14", true), notice("hello", false)];
    bench.ui.sync(Arc::new(World { notices, ..World::default() }), bench.moment);
    let screen = bench.screen();
    assert!(screen.contains("What went wrong") && !screen.contains("hello"), "{screen}");
    assert!(screen.contains("     /home/ops/.kube/config cannot be read: line 14"), "long after it was news\n{screen}");

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
fn that_nothing_is_wrong_is_said_only_when_all_was_read() {
    let mut bench = Bench::new(PaneId::Fleet, (120, 30));
    let clusters = ["one", "two"].map(|name| super::testing::cluster(name, crate::model::ClusterKind::Kubernetes));
    bench.fleet.0 = crate::model::Store::new(clusters);
    let mut says = |cluster: &str, deltas: Vec<Delta>, words: &str| {
        deltas.into_iter().for_each(|delta| bench.fleet.to(cluster, delta));
        bench.sync();
        assert!(bench.screen().contains(words), "no {words:?} in\n{}", bench.screen());
    };
    let read = || vec![Delta::Node(Change::End), Delta::Service(Change::End), Delta::Task(Change::End)];
    says("one", vec![Delta::Link(Link::Live)], "two: connecting…");
    says("two", vec![Delta::Link(Link::Live)], "nothing wrong so far: one and 1 more are still being read");
    says("one", read(), "nothing wrong so far: two is still being read");
    says("two", vec![Delta::Node(Change::End)], "nothing wrong so far: two is still being read");
    says("two", read(), "nothing is wrong: 2 clusters live");
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
                let list: Vec<&str> = screen.lines().skip_while(|line| !line.starts_with("─ tasks")).skip(2).collect();
                // the last row has the keys of the cursor's row, and the cursor may stand elsewhere
                list[..list.len() - 1].iter().map(|line| line.chars().skip(3).take(60).collect::<String>()).collect()
            };
            prop_assert_eq!(rows(&followed), rows(&anew.screen()));
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_cursor_nobody_has_moved_stays_at_the_top_until_the_first_rows_are_there() {
    let come = |bench: &mut Bench, name: &str| {
        let row = task(name, "s-checkout", None, TaskState::Running);
        bench.fleet.to("prod-eu", Delta::Task(Change::Upsert(row)));
        bench.sync();
    };
    let arriving = || {
        let mut bench = Bench::new(PaneId::Fleet, (80, 24));
        bench.fleet.to("prod-eu", Delta::Link(Link::Connecting));
        bench.fleet.to("prod-eu", Delta::Link(Link::Live));
        bench.fleet.to("prod-eu", Delta::Task(Change::Begin));
        bench.sync();
        bench.press(Command::PaneTasks);
        bench
    };
    let mut bench = arriving();
    for name in ["0-3", "0-2"] {
        come(&mut bench, name);
        let screen = bench.screen();
        assert!(bench.cursor_line().contains(name), "the first row while the list arrives:\n{screen}");
    }
    bench.fleet.to("prod-eu", Delta::Task(Change::End));
    bench.sync();
    come(&mut bench, "0-1");
    assert!(bench.cursor_line().contains("0-2"), "and from then on it keeps its object");

    let mut bench = arriving();
    come(&mut bench, "0-3");
    bench.press(Command::Select);
    bench.press(Command::Up);
    come(&mut bench, "0-2");
    assert!(bench.cursor_line().contains("0-3"), "it keeps its object from the first key on");
}
