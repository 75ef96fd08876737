#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lists;

use super::pane::list::List;
use super::pane::services::Services;
use super::testing::{Bench, ago, event, finding, service, task};
use super::*;
use crate::input::Command;
use crate::model::{Change, Delta, Level, Link, TaskState, Text};
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

#[test]
fn the_title_says_since_when_rows_are_not_current_whatever_the_reason() {
    let mut bench = Bench::new(PaneId::Services, (200, 24));
    bench.fleet.to("edge-swarm", Delta::Link(Link::Unauthorised { since: ago(90), reason: Text::new("token expired") }));
    bench.fleet.to("prod-eu", Delta::Service(Change::Failed(Text::new("forbidden: dev may not list services"))));
    bench.sync();
    let screen = bench.screen();
    for words in ["edge-swarm unauthorised 1m", "stage unreachable", "prod-eu not read for 0s: forbidden: dev may not"] {
        assert!(screen.contains(words), "no {words:?}:\n{screen}");
    }
    let state = &bench.fleet.0.world().clusters[0];
    let row = state.services.iter().next().unwrap();
    assert!(<Services as List>::stale(state, row), "rows of a kind that is not read are no more current than those of a lost link");
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
        undo: None,
        plan: None,
    };
    bench.fleet.0.apply(Fact::Operation(operation), super::testing::NOW);
    assert!(bench.sync());
    assert!(bench.screen().lines().next().unwrap().contains("scale shop/web 2→5  ███░░ 3/5"));
    assert!(bench.ui.interest().tasks);
}

/// The words at the foot of a narrow page.
fn foot(bench: &mut Bench) -> String {
    let screen = bench.screen();
    let lines: Vec<&str> = screen.lines().collect();
    lines[lines.len() - 3..lines.len() - 1].iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

#[test]
fn what_a_narrow_list_cuts_stands_whole_at_the_foot_and_nothing_jumps() {
    let why = "image not found: registry.local/checkout:1.3, and a second sentence that goes on for a while after it";
    let mut bench = Bench::new(PaneId::Fleet, (80, 24));
    let row = finding(Some((Kind::Service, "s-checkout")), Level::Failing, "shop/checkout", "2/5 ready", why);
    bench.fleet.to("prod-eu", Delta::Finding(Change::Upsert(row)));
    bench.sync();
    bench.press(Command::Down);
    let there = |bench: &mut Bench| -> Vec<usize> {
        bench.screen().lines().enumerate().filter(|(_, line)| line.starts_with('─')).map(|(n, _)| n).collect()
    };
    assert_eq!(foot(&mut bench), format!("shop/checkout · {why}"));
    let before = there(&mut bench);
    bench.press(Command::Up);
    assert!(bench.cursor_line().contains("kubelet silent 96s"), "{}", bench.screen());
    assert_eq!(foot(&mut bench), "", "nothing of this row is cut");
    assert_eq!(there(&mut bench), before, "the page stands still");

    // where the details have it all there is no foot
    bench.size = (200, 50);
    assert!(!foot(&mut bench).contains("a second sentence"), "{}", bench.screen());

    // a list that cuts nothing keeps all its rows
    let mut bench = Bench::new(PaneId::Services, (120, 24));
    for n in 0..30 {
        bench.fleet.to("prod-eu", Delta::Service(Change::Upsert(service(&format!("n{n}"), "a", &format!("new-{n:02}"), 1, 1))));
    }
    bench.sync();
    bench.press(Command::Filter);
    bench.type_in("new");
    assert!(foot(&mut bench).contains("new-29"), "rows down to the key row\n{}", bench.screen());
}

#[test]
fn every_list_with_reasons_has_them_whole_on_a_narrow_page() {
    let long = |words: &str| Text::from(format!("{words} and then quite a few words more than any column of eighty has room for"));
    for (pane, name) in [
        (PaneId::Fleet, "shop/web"),
        (PaneId::Services, "shop/web"),
        (PaneId::Tasks, "web-0"),
        (PaneId::Nodes, "eu-a-01"),
        (PaneId::Clusters, "stage"),
        (PaneId::Events, "web-0"),
    ] {
        let mut bench = Bench::new(pane, (80, 24));
        let row = finding(Some((Kind::Service, "s-web")), Level::Failing, "shop/web", "3/5 ready", &long("service"));
        bench.fleet.to("prod-eu", Delta::Finding(Change::Upsert(row)));
        let row = crate::model::Task { why: Some(long("task")), ..task("web-0", "s-web", Some("eu-a-01"), TaskState::Failed) };
        bench.fleet.to("prod-eu", Delta::Task(Change::Upsert(row)));
        let row = crate::model::Node {
            why: Some(long("node")),
            ..super::testing::node("eu-a-01", "eu-a", crate::model::NodeState::NotReady)
        };
        bench.fleet.to("prod-eu", Delta::Node(Change::Upsert(row)));
        bench.fleet.to("stage", Delta::Link(Link::Unreachable { since: super::testing::ago(9), reason: long("cluster") }));
        bench.fleet.to("prod-eu", Delta::Event(Change::Upsert(event("e9", Some((Kind::Task, "web-0")), 3, &long("event")))));
        bench.sync();
        bench.press(Command::Top);
        let on = |bench: &mut Bench| bench.cursor_line().contains(name);
        for _ in 0..12 {
            if !on(&mut bench) {
                bench.press(Command::Down);
            }
        }
        assert!(on(&mut bench), "{pane:?} has no {name}\n{}", bench.screen());
        let foot = foot(&mut bench);
        assert!(
            foot.contains(name) && foot.contains("than any column of eighty has room for"),
            "{pane:?}: {foot}\n{}",
            bench.screen()
        );
    }
}

#[test]
fn what_is_said_takes_the_rows_it_needs() {
    let mut bench = Bench::new(PaneId::Services, (80, 24));
    let words = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen";
    bench.ui.say(words, true, bench.moment);
    let screen = bench.screen();
    let said: Vec<&str> = screen.lines().rev().take(2).map(str::trim).collect();
    assert_eq!(format!("{} {}", said[1], said[0]), format!("▲ {words}"));
    bench.ui.say(words.repeat(9), false, bench.moment);
    let screen = bench.screen();
    assert!(screen.lines().last().unwrap().ends_with('…'), "what is too long for three rows is cut, and seen to be\n{screen}");
    assert_eq!(screen.lines().filter(|line| line.contains("twelve") || line.contains("nine")).count(), 3, "{screen}");
    bench.press(Command::Down);
    assert!(bench.screen().contains("? help"), "and the keys are back");
}

#[test]
fn a_key_is_hinted_only_where_it_does_that() {
    let last = |bench: &mut Bench| bench.screen().lines().last().unwrap().to_owned();
    // on a node `c` pauses it, so copying has another key; elsewhere `c` copies
    let mut bench = Bench::new(PaneId::Events, (80, 24));
    bench.press(Command::Down);
    assert!(bench.cursor_line().contains("eu-b-07"), "{}", bench.screen());
    assert!(last(&mut bench).contains("Y copy"), "{}", bench.screen());
    bench.press(Command::Up);
    assert!(last(&mut bench).contains("c copy"), "{}", bench.screen());
}

#[test]
fn jobs_say_how_they_stand_in_words() {
    use crate::model::{Rollout, RolloutState, Service, ServiceKind};
    let mut bench = Bench::new(PaneId::Services, (120, 24));
    let note = |words: &str| Some(Text::new(words));
    let row = |key: &str, kind, ready, desired, current, state, words: &str| Service {
        kind,
        desired,
        current,
        rollout: Rollout { state, note: note(words) },
        ..service(key, "jobs", key, ready, 0)
    };
    use RolloutState::{Failed, Progressing, Stable};
    for row in [
        row("done", ServiceKind::Job, 0, Some(0), 0, Stable, "completed 1/1"),
        row("swarm-done", ServiceKind::SwarmJob, 3, Some(3), 0, Stable, ""),
        row("runs", ServiceKind::Job, 1, Some(2), 1, Progressing, "completed 1/3"),
        row("broke", ServiceKind::Job, 0, Some(0), 0, Failed, "given up after 6 failed tasks"),
        row("nightly", ServiceKind::CronJob, 0, None, 0, Stable, "schedule 0 3 * * *"),
        Service { suspended: true, ..row("held", ServiceKind::CronJob, 0, None, 0, Stable, "schedule 0 4 * * *") },
    ] {
        bench.fleet.to("prod-eu", Delta::Service(Change::Upsert(row)));
    }
    bench.sync();
    let screen = bench.screen();
    for (name, words) in [
        ("jobs/done", ["-  done", "completed 1/1"]),
        ("jobs/swarm-done", ["3/3  done", ""]),
        ("jobs/runs", ["1/2  ◔ running", "completed 1/3"]),
        ("jobs/broke", ["-  ✖ failed", "given up after 6 failed tasks"]),
        ("jobs/nightly", ["-  scheduled", "schedule 0 3 * * *"]),
        ("jobs/held", ["-  suspended", "schedule 0 4 * * *"]),
    ] {
        let line = screen.lines().find(|line| line.contains(name)).unwrap_or_default();
        assert!(words.iter().all(|words| line.contains(words)), "{name}: {line}\n{screen}");
    }
}

#[test]
fn a_node_lists_its_tasks_worst_first_and_the_rest_is_counted() {
    let mut bench = Bench::new(PaneId::Nodes, (200, 50));
    for n in 0..80 {
        let row = task(&format!("more-{n:02}"), "s-web", Some("eu-a-01"), TaskState::Running);
        bench.fleet.to("prod-eu", Delta::Task(Change::Upsert(row)));
    }
    let row =
        crate::model::Task { why: Some(Text::new("no room")), ..task("zz-stuck", "s-web", Some("eu-a-01"), TaskState::Starting) };
    bench.fleet.to("prod-eu", Delta::Task(Change::Upsert(row)));
    // it went elsewhere
    bench.fleet.to("prod-eu", Delta::Task(Change::Upsert(task("more-00", "s-web", Some("eu-c-03"), TaskState::Running))));
    bench.sync();
    let screen = bench.screen();
    let line = screen.lines().position(|line| line.contains("│ 82 tasks")).unwrap_or_else(|| panic!("{screen}"));
    assert!(screen.lines().nth(line + 1).unwrap().contains("zz-stuck"), "the worst first\n{screen}");
    assert!(screen.contains("more lines ↓"), "{screen}");
    bench.size = (80, 24);
    bench.screen();
    bench.press(Command::Detail);
    bench.press(Command::Bottom);
    assert!(bench.screen().contains("+22 more"), "{}", bench.screen());
}

#[test]
fn what_may_follow_stands_in_a_box_until_the_next_key() {
    let mut bench = Bench::new(PaneId::Services, (80, 24));
    let pending = || Pending { begun: "g".into(), next: vec![("g".into(), Command::Top), ("t".into(), Command::PaneNext)] };
    bench.ui.wait_for(Some(pending()));
    let screen = bench.screen();
    for words in ["┌ g … ", "g  the first row", "t  the next pane", "esc gives it up", "? help"] {
        assert!(screen.contains(words), "no {words:?} in\n{screen}");
    }
    bench.press(Command::Top);
    assert!(!bench.screen().contains('┌'), "{}", bench.screen());
    bench.ui.wait_for(Some(pending()));
    bench.ui.say("f9 does nothing here", false, bench.moment);
    assert!(!bench.screen().contains('┌'), "{}", bench.screen());
    for (width, height) in [(40, 10), (41, 11), (200, 50)] {
        bench.size = (width, height);
        bench.ui.wait_for(Some(Pending { begun: "ctrl-x".into(), next: vec![("ctrl-e".into(), Command::Open); 40] }));
        bench.screen();
    }
}

#[test]
fn a_sentence_that_begins_with_the_name_does_not_say_it_twice() {
    let mut bench = Bench::new(PaneId::Events, (80, 24));
    let message = "job nightly has ended with exit code 143 after it was asked to stop by someone at the console";
    bench.fleet.to("prod-eu", Delta::Event(Change::Upsert(event("e9", None, 3, message))));
    bench.sync();
    bench.press(Command::Top);
    assert_eq!(foot(&mut bench), message);
}
