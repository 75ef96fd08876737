#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::input::Command;
use crate::model::*;
use crate::ui::testing::{Bench, NOW, ago, service, task};
use crate::ui::{Effect, PaneId, TextInput};
use crate::util::time::Timestamp;

fn requests(effects: &[Effect]) -> String {
    let word = |effect: &Effect| match effect {
        Effect::Request(request) => format!("{request:?}").split([' ', '(']).next().unwrap_or_default().to_owned(),
        other => format!("{other:?}"),
    };
    effects.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn tail_id(effects: &[Effect]) -> TailId {
    effects.iter().find_map(|effect| if let Effect::Request(Request::Tail { id, .. }) = effect { Some(*id) } else { None }).unwrap()
}

fn line(n: u64) -> LogItem {
    let level = if n % 10 == 3 { "ERROR" } else { "INFO" };
    let text = Text::from(format!("{level} request {n}"));
    LogItem::Line(LogLine { at: Some(ago(60)), task: Text::new("x2x9k"), stream: Stream::Out, text })
}

fn logs() -> (Bench, TailId) {
    let mut bench = Bench::new(PaneId::Services, (80, 24));
    while !bench.cursor_line().contains("checkout") {
        bench.press(Command::Down);
    }
    let effects = bench.press(Command::Logs);
    let id = tail_id(&effects);
    let target = LogTarget {
        object: ObjectRef { cluster: "prod-eu".into(), kind: Kind::Service, key: "s-checkout".into() },
        container: None,
        previous: false,
    };
    let mut buffer = LogBuffer::new(1 << 20);
    (0..100).for_each(|n| buffer.push(line(n)));
    buffer.push(LogItem::Gap { at: NOW, lines: Some(212), reason: Text::new("the link was slower than the stream") });
    buffer.push(line(101));
    bench.fleet.0.apply(Fact::TailOpened(Tail { id, target, state: TailState::Following(2), buffer }), NOW);
    bench.sync();
    (bench, id)
}

#[test]
fn a_log_follows_and_holds_its_place_while_lines_come() {
    let (mut bench, id) = logs();
    let screen = bench.screen();
    assert!(screen.contains("logs · shop/checkout · 2 of 3 tasks · following · 212 lines left out"), "{screen}");
    assert!(screen.contains("⋯ 212 lines dropped here: the link was slower"), "{screen}");
    assert!(screen.contains("x2x9k  14:02:00.000  INFO request 101"), "{screen}");
    bench.press(Command::PageUp);
    let held = bench.screen();
    bench.fleet.0.apply(Fact::Log(id, (200..240).map(line).collect()), NOW);
    bench.sync();
    let after = bench.screen();
    let body = |screen: &str| screen.lines().filter(|line| line.contains("request")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(body(&held), body(&after), "what is read stays where it is");
    assert!(after.contains("holding") && after.contains("lines below"), "{after}");
    bench.press(Command::LogFollow);
    assert!(bench.screen().contains("request 239"), "{}", bench.screen());
}

#[test]
fn a_filter_keeps_the_gaps_and_a_match_is_shown_among_its_neighbours() {
    let (mut bench, _) = logs();
    bench.press(Command::Filter);
    bench.type_in("error");
    let screen = bench.screen();
    assert!(screen.contains("/error · 10 match") && !screen.contains("INFO") && screen.contains("⋯ 212"), "{screen}");
    bench.ui.text(TextInput::Enter, bench.moment);
    bench.press(Command::SearchPrevious);
    assert!(bench.screen().contains("ERROR request 93") && bench.screen().contains("INFO request 94"), "{}", bench.screen());
    bench.press(Command::SearchPrevious);
    assert!(bench.screen().contains("ERROR request 83"), "{}", bench.screen());
    bench.press(Command::SearchNext);
    assert!(bench.screen().contains("ERROR request 93"), "{}", bench.screen());
    bench.press(Command::Back);
    assert!(!bench.screen().contains("/error") && bench.screen().contains("logs ·"), "esc clears the filter first");
}

#[test]
fn the_next_match_is_hinted_once_something_is_looked_for() {
    let (mut bench, _) = logs();
    let last = |bench: &mut Bench| bench.screen().lines().last().unwrap().to_owned();
    assert!(last(&mut bench).contains("/ filter") && !last(&mut bench).contains("next match"), "{}", last(&mut bench));
    bench.press(Command::Filter);
    bench.type_in("error");
    bench.ui.text(TextInput::Enter, bench.moment);
    assert!(last(&mut bench).contains("n next match"), "{}", last(&mut bench));
}

#[test]
fn the_log_of_a_task_that_waits_says_what_for() {
    let mut bench = Bench::new(PaneId::Tasks, (80, 24));
    while !bench.cursor_line().contains("starting") {
        bench.press(Command::Down);
    }
    bench.press(Command::Logs);
    let screen = bench.screen();
    assert!(screen.contains("it has not started yet (image not found: registry.local/checkout:1.3)"), "{screen}");
}

#[test]
fn clear_mark_and_copy() {
    let (mut bench, id) = logs();
    bench.screen();
    let copied = bench.press(Command::Copy);
    assert!(matches!(&copied[0], Effect::Copy(text) if text.ends_with("INFO request 101") && !text.contains("x2x9k")));
    bench.press(Command::LogMark);
    assert!(bench.screen().contains("── 14:03:00 ──"), "{}", bench.screen());
    bench.press(Command::LogClear);
    assert!(bench.screen().contains("cleared; new lines come"), "{}", bench.screen());
    bench.fleet.0.apply(Fact::Log(id, vec![line(300)]), NOW);
    bench.sync();
    let screen = bench.screen();
    assert!(screen.contains("request 300") && !screen.contains("request 101"), "{screen}");
}

#[test]
fn a_log_is_closed_when_one_leaves_and_a_new_one_has_a_new_number() {
    let (mut bench, id) = logs();
    assert_eq!(requests(&bench.press(Command::Back)), "Untail");
    let effects = bench.press(Command::Logs);
    assert_ne!(tail_id(&effects), id);
}

#[test]
fn the_text_of_an_object_is_fetched_anew_searched_and_says_its_age() {
    let mut bench = Bench::new(PaneId::Services, (80, 24));
    let object = ObjectRef { cluster: "prod-eu".into(), kind: Kind::Service, key: "s-dns".into() };
    assert_eq!(requests(&bench.press(Command::Inspect)), "Inspect");
    assert!(bench.screen().contains("fetching the object"), "{}", bench.screen());
    let lines = (0..90).map(|n| Text::from(format!("  key{n}: value"))).collect();
    bench.fleet.0.apply(Fact::Document(Document { object: object.clone(), at: NOW, lines: Ok(lines) }), NOW);
    bench.sync();
    let screen = bench.screen();
    assert!(screen.contains("service kube-system/coredns · prod-eu · as of 14:03:00 (0s ago)"), "{screen}");
    bench.press(Command::Filter);
    bench.type_in("key7");
    bench.ui.text(TextInput::Enter, bench.moment);
    assert!(bench.screen().contains("▸  key7: value"), "{}", bench.screen());
    bench.press(Command::SearchNext);
    assert!(bench.screen().contains("▸  key70: value"), "{}", bench.screen());
    bench.fleet.0.apply(Fact::Document(Document { object, at: NOW, lines: Err(Text::new("forbidden: get deployments")) }), NOW);
    bench.sync();
    assert!(bench.screen().contains("forbidden: get deployments"), "{}", bench.screen());
}

fn operation(id: u64, state: OpState, note: &str) -> Operation {
    Operation {
        id: OpId(id),
        intent: Intent {
            object: ObjectRef { cluster: "prod-eu".into(), kind: Kind::Service, key: "s-web".into() },
            name: Text::new("web"),
            action: Action::Scale { to: 5 },
            bound: Bound { uid: "s-web".into(), spec_rev: 1 },
        },
        title: Text::from(format!("scale shop/web 2→{id}")),
        by: Text::new("ops@bastion"),
        asked: ago(60),
        ended: None,
        state,
        progress: Progress { done: 3, total: 5, note: Text::new(note) },
        undo: None,
        plan: None,
    }
}

#[test]
fn operations_stand_newest_first_and_can_be_stopped() {
    let mut bench = Bench::new(PaneId::Operations, (110, 24));
    assert!(bench.screen().contains("nothing was asked for"), "{}", bench.screen());
    for row in
        [operation(1, OpState::Failed, "the quota of shop is used up"), operation(2, OpState::Verifying, "2 tasks not ready")]
    {
        bench.fleet.0.apply(Fact::Operation(row), NOW);
    }
    bench.sync();
    let screen = bench.screen();
    assert!(screen.contains("operations · 1 under way · 2 in all"), "{screen}");
    assert!(screen.find("2→2").unwrap() < screen.find("2→1").unwrap(), "{screen}");
    assert!(screen.contains("✖ failed") && screen.contains("███░░ 3/5"), "{screen}");
    assert_eq!(requests(&bench.press(Command::CancelOperation)), "Cancel");
    bench.press(Command::Down);
    // a newer one does not take the cursor away
    bench.fleet.0.apply(Fact::Operation(operation(3, OpState::Running, "")), NOW);
    bench.sync();
    assert!(bench.cursor_line().contains("2→1"), "{}", bench.screen());
    assert_eq!(requests(&bench.press(Command::CancelOperation)), "");
    assert!(bench.screen().contains("is over (failed)"), "{}", bench.screen());
}

#[test]
fn graphs_have_numbers_and_a_scale_or_say_why_there_are_none() {
    let mut bench = Bench::new(PaneId::Metrics, (160, 40));
    let screen = bench.screen();
    assert!(screen.contains("metrics · node eu-a-01 · prod-eu · measured 10s ago"), "{screen}");
    assert!(screen.contains("cpu  ") && screen.contains("min 100m · max 340m"), "{screen}");
    assert!(screen.contains("memory  400 MiB") && screen.contains("-10m") && screen.contains('█'), "{screen}");
    bench.press(Command::Down);
    assert!(bench.screen().contains("nothing measured yet"), "{}", bench.screen());
    bench.fleet.to("prod-eu", Delta::NoUsage(Some(Text::new("metrics-server is not installed"))));
    bench.sync();
    assert!(bench.screen().contains("no measurements from prod-eu: metrics-server is not installed"), "{}", bench.screen());
}

#[test]
fn no_size_makes_them_panic() {
    let (mut bench, _) = logs();
    bench.press(Command::LogMark);
    let mut others = vec![bench];
    for pane in [PaneId::Operations, PaneId::Metrics] {
        let mut bench = Bench::new(pane, (80, 24));
        bench.fleet.0.apply(Fact::Operation(operation(1, OpState::Failed, "the quota of shop is used up")), NOW);
        bench.sync();
        others.push(bench);
    }
    for bench in &mut others {
        for width in (0..220).step_by(7) {
            for height in [0, 1, 2, 5, 9, 10, 11, 13, 18, 24, 31, 40, 59] {
                bench.size = (width, height);
                bench.screen();
            }
        }
    }
}

/// What is asked for as the frame is drawn `millis` after the bench's beginning.
fn frame_at(bench: &mut Bench, millis: i64) -> Vec<Effect> {
    bench.moment.now = Timestamp(NOW.0 + millis);
    bench.screen();
    let mut effects = bench.ui.rested(bench.moment);
    // what is allowed on a row is asked for on its own
    effects.retain(|effect| !matches!(effect, Effect::Request(Request::Rights(_))));
    effects
}

#[test]
fn logs_below_a_list_follow_the_cursor_when_it_rests_and_are_never_another_rows() {
    let mut bench = Bench::new(PaneId::Services, (200, 50));
    assert_eq!(requests(&frame_at(&mut bench, 0)), "", "not without being asked for");
    bench.press(Command::LogStrip);
    assert_eq!(requests(&frame_at(&mut bench, 100)), "");
    // passing over rows opens nothing
    for step in 1..6 {
        bench.press(if step < 3 { Command::Down } else { Command::Up });
        assert_eq!(requests(&frame_at(&mut bench, 100 + step * 500)), "", "step {step}");
    }
    let rested = frame_at(&mut bench, 4_000);
    let (id, target) = match &rested[..] {
        [Effect::Request(Request::Tail { id, target })] => (*id, target.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(requests(&frame_at(&mut bench, 9_000)), "", "once");
    let name = bench.cursor_line().split_whitespace().nth(2).unwrap_or_default().to_owned();
    assert!(bench.screen().contains(&format!("─ logs · {name} · opening…")), "{}", bench.screen());
    let mut buffer = LogBuffer::new(1 << 20);
    (0..40).for_each(|n| buffer.push(line(n)));
    bench.fleet.0.apply(Fact::TailOpened(Tail { id, target, state: TailState::Following(2), buffer }), NOW);
    bench.sync();
    let screen = bench.screen();
    assert!(screen.contains("request 39") && screen.contains("request 32") && !screen.contains("request 31"), "{screen}");

    // the very next frame after the cursor has moved has none of it
    bench.press(Command::Down);
    assert!(!bench.screen().contains("request 39"), "{}", bench.screen());
    assert_eq!(requests(&frame_at(&mut bench, 9_100)), "Untail");
    assert_eq!(requests(&frame_at(&mut bench, 9_900)), "Tail");
    bench.press(Command::PaneNodes);
    assert_eq!(requests(&frame_at(&mut bench, 10_000)), "Untail", "nothing stays open behind another page");
    bench.press(Command::Back);
    assert_eq!(requests(&frame_at(&mut bench, 11_000)), "");
    assert_eq!(requests(&frame_at(&mut bench, 12_000)), "Tail");
    bench.press(Command::LogStrip);
    assert_eq!(requests(&frame_at(&mut bench, 13_000)), "Untail");
    assert!(!bench.screen().contains("─ logs"), "{}", bench.screen());
}

#[test]
fn logs_below_a_list_need_room() {
    let mut bench = Bench::new(PaneId::Services, (80, 24));
    bench.screen();
    bench.press(Command::LogStrip);
    assert!(bench.screen().contains("from 140 columns"), "{}", bench.screen());
    frame_at(&mut bench, 0);
    assert_eq!(requests(&frame_at(&mut bench, 5_000)), "");
}

#[test]
fn an_evacuation_shows_below_the_list_what_became_of_each_task() {
    for size in [(80, 24), (200, 50)] {
        let mut bench = Bench::new(PaneId::Operations, size);
        let none = service("s-search", "shop", "search", 4, 4);
        let budget = Some(Budget { name: Text::new("search-pdb"), allowed: 0, rule: Text::new("min available 4"), beside: None });
        bench.fleet.to("prod-eu", Delta::Service(Change::Upsert(Service { budget, ..none })));
        for n in 0..60 {
            let name = format!("search-{n:02}");
            bench.fleet.to("prod-eu", Delta::Task(Change::Upsert(task(&name, "s-search", Some("eu-a-01"), TaskState::Running))));
        }
        let object = ObjectRef { cluster: "prod-eu".into(), kind: Kind::Node, key: "eu-a-01".into() };
        let bound = Bound { uid: object.key.clone(), spec_rev: 1 };
        let intent = Intent { object, name: Text::new("eu-a-01"), action: Action::Evacuate, bound };
        let plan = crate::analysis::steps::plan(bench.fleet.0.world(), &intent).map(std::sync::Arc::new);
        let op = Operation {
            intent,
            plan,
            title: Text::new("evacuate node eu-a-01"),
            ..operation(
                1,
                OpState::Running,
                "shop/search-00 waits for budget search-pdb (needs 4 healthy pods and has 4 currently)",
            )
        };
        bench.fleet.0.apply(Fact::Operation(op), NOW);
        bench.fleet.to("prod-eu", Delta::Task(Change::Remove("checkout-7d9f8b6c5-x2x9k".into())));
        let new = task("checkout-7d9f8b6c5-zzzzz", "s-checkout", Some("eu-c-03"), TaskState::Running);
        bench.fleet.to("prod-eu", Delta::Task(Change::Upsert(Task { created: ago(1), ..new })));
        bench.sync();
        let screen = bench.screen();
        assert!(screen.contains("currently)"), "the note is whole: {screen}");
        assert!(screen.contains("1 of 62 tasks moved · 60 wait"), "{screen}");
        assert!(screen.contains("shop/checkout 2 of 5 ready · eu-a 0 · eu-b 1 · eu-c 2"), "{screen}");
        assert!(screen.contains("‖ search-00"), "what waits stands first: {screen}");
        assert!(screen.contains("waits: budget search-pdb allows 0 (min available 4)"), "{screen}");
        let more = screen.lines().find(|line| line.contains("more: 1 of ")).unwrap_or_else(|| panic!("{screen}"));
        let shown = screen.lines().filter(|line| line.contains("‖ search-")).count();
        let rest: usize = more.trim().strip_prefix("and ").and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap();
        assert_eq!(shown + rest, 62, "none is left out: {screen}");
        assert!(shown >= if size.1 == 24 { 5 } else { 25 }, "{screen}");
        // what was asked for before stands above, and its tasks are not those of this one
        bench.fleet.0.apply(Fact::Operation(operation(2, OpState::Failed, "the quota of shop is used up")), NOW);
        bench.sync();
        assert!(!bench.screen().contains("‖ search-00"), "{}", bench.screen());
        bench.press(Command::Down);
        assert!(bench.screen().contains("‖ search-00"), "{}", bench.screen());
        if size.1 == 50 {
            for n in 2..60 {
                bench.fleet.to("prod-eu", Delta::Task(Change::Remove(format!("search-{n:02}").as_str().into())));
            }
            bench.sync();
            let screen = bench.screen();
            assert!(screen.contains("✔ checkout-7d9f8b6c5-x2x9k"), "{screen}");
            assert!(screen.contains("→ checkout-7d9f8b6c5-zzzzz on eu-c-03 (eu-c), ready"), "{screen}");
        }
    }
}
