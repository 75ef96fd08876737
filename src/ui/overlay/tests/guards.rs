//! What stands between a key and what it would do.

use super::*;

#[test]
fn keys_that_came_before_the_dialog_was_on_screen_are_no_answer_to_it() {
    let mut bench = on(PaneId::Services, "catalog");
    let moment = bench.moment;
    // in one piece with the key that opens it
    bench.ui.command(Command::Redeploy, moment);
    assert_eq!(text(&mut bench, ENTER), []);
    let area = ratatui::layout::Rect::new(0, 0, 80, 24);
    let mut buffer = ratatui::buffer::Buffer::empty(area);
    bench.ui.render(area, &mut buffer, moment);
    let drawn = crate::ui::testing::text(&buffer);
    assert!(drawn.contains("no answer to it and were dropped"), "{drawn}");
    assert_eq!(text(&mut bench, ENTER), [], "drawn, but not on its way yet");
    bench.screen();
    assert_eq!(text(&mut bench, ENTER).len(), 1);
    // the way out is open all the time
    bench.ui.command(Command::Redeploy, moment);
    text(&mut bench, TextInput::Escape);
    assert!(!bench.screen().contains('┌'));
    // what is typed into its field is kept, and confirmed only when it was seen
    bench.ui.command(Command::Scale, moment);
    assert_eq!(text(&mut bench, TextInput::Char('9')), []);
    assert_eq!(text(&mut bench, ENTER), []);
    bench.screen();
    let sent = text(&mut bench, ENTER);
    assert!(matches!(&sent[..], [(_, Action::Scale { to }, _)] if to % 10 == 9), "{sent:?}");
    // a line that does not act loses nothing
    bench.ui.command(Command::Filter, moment);
    bench.type_in("search");
    bench.ui.text(ENTER, moment);
    assert!(bench.screen().contains("search"), "{}", bench.screen());
    bench.ui.command(Command::Palette, moment);
    bench.type_in("redeploy");
    assert!(bench.cursor_line().contains("redeploy"), "{}", bench.screen());
}

#[test]
fn where_there_is_no_room_for_a_dialog_nothing_is_opened_or_answered() {
    let mut bench = on(PaneId::Services, "catalog");
    bench.press(Command::Redeploy);
    bench.size = (30, 8);
    bench.screen();
    assert_eq!(text(&mut bench, ENTER), []);
    bench.size = (80, 24);
    assert!(bench.screen().contains("the terminal was too small"), "{}", bench.screen());
    assert_eq!(text(&mut bench, ENTER).len(), 1);
    bench.size = (30, 8);
    bench.screen();
    bench.press(Command::Redeploy);
    bench.size = (80, 24);
    assert!(!bench.screen().contains('┌'), "{}", bench.screen());
    bench.press(Command::Redeploy);
    bench.size = (30, 8);
    bench.screen();
    bench.press(Command::Quit);
    bench.size = (80, 24);
    assert!(!bench.screen().contains('┌'), "it can be left");
}

/// Operation 1: an evacuation, or what scaling would be taken back from.
fn asked_for(state: OpState, action: Action) -> Operation {
    let (kind, key) = (action.kind().spec().on, if action == Action::Evacuate { "eu-c-03" } else { "s-catalog" });
    let bound = Bound { uid: key.into(), spec_rev: 1 };
    let object = ObjectRef { cluster: "prod-eu".into(), kind, key: key.into() };
    let undo = Undo { action: Action::Scale { to: 3 }, bound: Some(bound.clone()) };
    Operation {
        id: OpId(1),
        intent: Intent { object, name: key.into(), action, bound },
        title: "the work".into(),
        by: "ann@there".into(),
        asked: ago(600),
        ended: None,
        state,
        progress: Progress::default(),
        undo: (kind == Kind::Service).then_some(undo),
        plan: None,
    }
}

/// A bench that looks at such an operation.
fn operation(state: OpState, action: Action, protected: bool) -> Bench {
    let mut bench = Bench::new(PaneId::Operations, (100, 30));
    if protected {
        bench.fleet.0 =
            crate::model::Store::new([crate::model::Cluster { protected, ..cluster("prod-eu", ClusterKind::Kubernetes) }]);
        bench.fleet.to("prod-eu", Delta::Link(crate::model::Link::Live));
    }
    bench.fleet.0.apply(Fact::Operation(asked_for(state, action)), NOW);
    bench.sync();
    bench
}

fn resumed(effects: &[Effect]) -> bool {
    matches!(effects, [Effect::Request(Request::Resume(OpId(1)))])
}

#[test]
fn what_is_dangerous_goes_on_only_when_it_is_asked_for_as_it_was_at_first() {
    let mut bench = operation(OpState::Paused, Action::Rebalance, false);
    assert!(resumed(&bench.press(Command::ResumeOperation)), "no more dangerous than the key");

    let mut bench = operation(OpState::Paused, Action::Evacuate, false);
    assert!(bench.press(Command::ResumeOperation).is_empty());
    assert!(bench.screen().contains("type eu-c-03 to go on") && bench.screen().contains("ann@there"), "{}", bench.screen());
    let moment = bench.moment;
    for early in [TextInput::Char('y'), ENTER, TextInput::DeleteLine, TextInput::Paste("eu-c-03".into()), ENTER] {
        assert!(bench.ui.text(early, moment).is_empty());
    }
    bench.type_in("eu-c-03");
    assert!(resumed(&bench.ui.text(ENTER, moment)));

    let mut bench = operation(OpState::Paused, Action::Rebalance, true);
    assert!(bench.press(Command::ResumeOperation).is_empty());
    assert!(bench.screen().contains("prod-eu (protected)"), "{}", bench.screen());
    bench.type_in("s-catalog");
    assert!(resumed(&bench.ui.text(ENTER, moment)));
}

#[test]
fn the_rights_of_all_that_are_marked_are_asked_for_and_before_an_undo_too() {
    let mut bench = on(PaneId::Services, "catalog");
    for n in 0..30 {
        upsert(&mut bench, service(&format!("s-many-{n}"), "shop", &format!("many-{n}"), 1, 1));
    }
    bench.ui = crate::ui::Ui::new(crate::ui::UiOptions { max_bulk: 50, ..crate::ui::testing::options(PaneId::Services) });
    bench.ui.sync(bench.fleet.0.publish().unwrap_or_default(), bench.moment);
    upsert(&mut bench, service("s-many-30", "shop", "many-30", 1, 1));
    bench.screen();
    for _ in 0..30 {
        bench.press(Command::Select);
    }
    let of = asked(&bench.press(Command::Redeploy));
    assert!(of.len() > 25, "{of:?}");

    let mut bench = operation(OpState::Done, Action::Scale { to: 6 }, false);
    assert_eq!(asked(&bench.press(Command::UndoOperation)), [Key::from("s-catalog")]);
}

#[test]
fn what_a_terminal_would_not_take_is_not_copied_and_that_is_said() {
    let mut bench = operation(OpState::Failed, Action::Rebalance, false);
    let copies = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::Copy(_)));
    assert!(copies(&bench.press(Command::Copy)));
    let long = Progress { note: "x".repeat(60_000).into(), ..Progress::default() };
    let op = Operation { progress: long, ..asked_for(OpState::Failed, Action::Rebalance) };
    bench.fleet.0.apply(Fact::Operation(op), NOW);
    bench.sync();
    assert!(!copies(&bench.press(Command::Copy)));
    assert!(bench.screen().contains("nothing was copied: it is 61 KB"), "{}", bench.screen());
}
