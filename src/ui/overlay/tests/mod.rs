#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod entry;
mod guards;
mod lists;

use crate::input::Command;
use crate::model::{
    Action, ActionKind, Answer, Bound, Change, ClusterKind, Delta, Earlier, Fact, Found, Intent, Key, Kind, ObjectRef, OpId,
    OpState, Operation, Progress, Propagation, Request, Rights, Service, Survey, Text, Undo,
};
use crate::ui::testing::{Bench, NOW, ago, cluster, node, service};
use crate::ui::{Effect, PaneId, TextInput};

pub(super) const ENTER: TextInput = TextInput::Enter;

fn sent(effects: Vec<Effect>) -> Vec<(String, Action, u64)> {
    let mut all = Vec::new();
    for effect in effects {
        let asked = match effect {
            Effect::Request(Request::Execute { intent, title }) => vec![(intent, title)],
            Effect::Request(Request::Bulk { all, .. }) => all,
            _ => Vec::new(),
        };
        all.extend(asked.into_iter().map(|(intent, title)| (title.to_string(), intent.action, intent.bound.spec_rev)));
    }
    all
}

/// The platform's answer to what must be known before an action on a service of `prod-eu`.
pub(super) fn tell(bench: &mut Bench, service: &str, action: ActionKind, answer: Answer) {
    bench.fleet.to("prod-eu", Delta::Survey(Survey { key: service.into(), action, answer }));
    bench.sync();
}

pub(super) fn text(bench: &mut Bench, input: TextInput) -> Vec<(String, Action, u64)> {
    let moment = bench.moment;
    sent(bench.ui.text(input, moment))
}

/// A bench with the cursor on `name`.
pub(super) fn on(pane: PaneId, name: &str) -> Bench {
    let mut bench = Bench::new(pane, (80, 24));
    for _ in 0..20 {
        if bench.cursor_line().contains(name) {
            return bench;
        }
        bench.press(Command::Down);
    }
    panic!("{name} is not in\n{}", bench.screen());
}

fn upsert(bench: &mut Bench, row: Service) {
    bench.fleet.to("prod-eu", Delta::Service(Change::Upsert(row)));
    bench.sync();
}

#[test]
fn a_reversible_action_goes_on_with_enter_and_esc_leaves_all_as_it_is() {
    let mut bench = on(PaneId::Services, "catalog");
    bench.press(Command::Redeploy);
    let screen = bench.screen();
    assert!(screen.contains("┌ redeploy shop/catalog · prod-eu ─"), "{screen}");
    assert!(screen.contains("enter to go on"), "{screen}");
    assert!(screen.contains("esc leaves all as it is"), "{screen}");
    assert_eq!(text(&mut bench, TextInput::Char('y')), []);
    assert_eq!(text(&mut bench, TextInput::Escape), []);
    assert!(!bench.screen().contains('┌'));
    bench.press(Command::Redeploy);
    assert_eq!(text(&mut bench, ENTER), [("redeploy shop/catalog".to_owned(), Action::Redeploy { pull: false }, 1)]);
    assert!(!bench.screen().contains('┌'), "it closes once confirmed");
}

#[test]
fn a_disruptive_action_needs_y() {
    let mut bench = on(PaneId::Services, "catalog");
    bench.press(Command::RollBack);
    tell(&mut bench, "s-catalog", ActionKind::RollBack, Answer::Found(Found::Earlier([].into())));
    assert!(bench.screen().contains("y to go on"), "{}", bench.screen());
    assert_eq!(text(&mut bench, ENTER), []);
    assert!(bench.screen().contains("press y to go on"), "{}", bench.screen());
    assert_eq!(text(&mut bench, TextInput::Paste("y".into())), []);
    assert!(bench.screen().contains("a paste does not count here"), "{}", bench.screen());
    assert_eq!(text(&mut bench, TextInput::Char('y')).len(), 1);
}

#[test]
fn a_destructive_action_needs_the_name_typed() {
    let mut bench = on(PaneId::Nodes, "eu-c-03");
    bench.press(Command::EvacuateNode);
    let screen = bench.screen();
    assert!(screen.contains("type eu-c-03 to go on"), "{screen}");
    assert_eq!(text(&mut bench, TextInput::Char('y')), [], "y alone is no yes here");
    assert_eq!(text(&mut bench, ENTER), []);
    assert!(bench.screen().contains("that is not eu-c-03"), "{}", bench.screen());
    text(&mut bench, TextInput::DeleteLine);
    assert_eq!(text(&mut bench, TextInput::Paste("eu-c-03".into())), []);
    assert_eq!(text(&mut bench, ENTER), [], "a pasted name does not count");
    bench.type_in("eu-c-03");
    assert_eq!(text(&mut bench, ENTER).len(), 1);
}

#[test]
fn a_protected_cluster_asks_for_more() {
    let mut bench = Bench::new(PaneId::Services, (80, 24));
    let mut protected = cluster("prod-eu", ClusterKind::Kubernetes);
    protected.protected = true;
    bench.fleet.0 = crate::model::Store::new([protected]);
    bench.fleet.to("prod-eu", Delta::Link(crate::model::Link::Live));
    bench.fleet.to("prod-eu", Delta::Service(Change::Upsert(service("s-web", "shop", "web", 3, 5))));
    bench.fleet.to("prod-eu", Delta::Service(Change::End));
    bench.sync();
    bench.press(Command::Redeploy);
    let screen = bench.screen();
    assert!(screen.contains("prod-eu (protected)") && screen.contains("y to go on"), "{screen}");
    assert_eq!(text(&mut bench, ENTER), []);
}

#[test]
fn an_object_that_changed_meanwhile_is_refused() {
    let mut bench = on(PaneId::Services, "catalog");
    bench.press(Command::Redeploy);
    // another status is the same specification
    upsert(&mut bench, service("s-catalog", "shop", "catalog", 5, 6));
    assert!(bench.screen().contains("enter to go on"), "{}", bench.screen());
    upsert(&mut bench, Service { spec_rev: 2, ..service("s-catalog", "shop", "catalog", 5, 6) });
    assert!(bench.screen().contains("it was changed by someone while this was open"), "{}", bench.screen());
    assert_eq!(text(&mut bench, ENTER), []);
    // back to what it was is still not what was looked at
    upsert(&mut bench, service("s-catalog", "shop", "catalog", 6, 6));
    assert_eq!(text(&mut bench, ENTER), []);
    text(&mut bench, TextInput::Escape);
    bench.press(Command::Redeploy);
    assert_eq!(text(&mut bench, ENTER).len(), 1, "looked at again, it can be done");
}

#[test]
fn an_object_that_went_away_or_was_made_anew_is_refused() {
    let mut bench = on(PaneId::Services, "catalog");
    bench.press(Command::Redeploy);
    bench.fleet.to("prod-eu", Delta::Service(Change::Remove(Key::from("s-catalog"))));
    bench.sync();
    assert!(bench.screen().contains("it went away while this was open"), "{}", bench.screen());
    assert_eq!(text(&mut bench, ENTER), []);

    let mut bench = on(PaneId::Nodes, "eu-c-03");
    bench.press(Command::PauseNode);
    let mut anew = node("eu-c-03", "eu-c", crate::model::NodeState::Ready);
    anew.uid = Key::from("another");
    bench.fleet.to("prod-eu", Delta::Node(Change::Upsert(anew)));
    bench.sync();
    assert_eq!(text(&mut bench, ENTER), []);
    assert!(bench.screen().contains("was made anew"), "{}", bench.screen());
}

#[test]
fn many_marked_objects_are_one_dialog_and_an_intent_each() {
    let mut bench = on(PaneId::Services, "catalog");
    bench.press(Command::Select);
    bench.press(Command::Select);
    bench.press(Command::Redeploy);
    let screen = bench.screen();
    assert!(screen.contains("┌ redeploy 2 services · prod-eu"), "{screen}");
    let sent = text(&mut bench, ENTER);
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(sent.iter().any(|(title, ..)| title == "redeploy shop/catalog"), "{sent:?}");
}

#[test]
fn of_many_it_can_be_chosen_whether_a_failure_ends_the_rest_and_too_many_are_refused() {
    for (tabs, stops) in [(0, true), (1, false), (2, true)] {
        let mut bench = on(PaneId::Services, "catalog");
        bench.press(Command::Select);
        bench.press(Command::Select);
        bench.press(Command::Redeploy);
        (0..tabs).for_each(|_| drop(text(&mut bench, TextInput::BackTab)));
        let said = if stops { "begins no more once one fails (shift-tab" } else { "goes on when one fails (shift-tab" };
        assert!(bench.screen().contains(said), "{}", bench.screen());
        let moment = bench.moment;
        match &bench.ui.text(ENTER, moment)[..] {
            [Effect::Request(Request::Bulk { all, stop })] => assert_eq!((all.len(), *stop), (2, stops)),
            other => panic!("{other:?}"),
        }
    }
    let mut bench = on(PaneId::Services, "catalog");
    for n in 0..21 {
        upsert(&mut bench, service(&format!("s-m{n:02}"), "many", &format!("m{n:02}"), 1, 1));
    }
    bench.press(Command::Top);
    (0..30).for_each(|_| drop(bench.press(Command::Select)));
    bench.press(Command::Redeploy);
    let screen = bench.screen();
    assert!(screen.contains("services at once: 20 is the most") && !screen.contains('┌'), "{screen}");
}

#[test]
fn scaling_asks_for_the_number_in_the_same_box() {
    let mut bench = on(PaneId::Services, "catalog");
    bench.press(Command::Scale);
    let screen = bench.screen();
    assert!(screen.contains("tasks  6  was 6"), "{screen}");
    assert_eq!(text(&mut bench, ENTER), []);
    assert!(bench.screen().contains("6 is what it has: nothing would change"), "{}", bench.screen());
    bench.type_in("12");
    assert!(bench.screen().contains("┌ scale shop/catalog 6→12 · prod-eu"), "{}", bench.screen());
    text(&mut bench, TextInput::Up);
    assert_eq!(text(&mut bench, ENTER), [("scale shop/catalog 6→13".to_owned(), Action::Scale { to: 13 }, 1)]);
    bench.press(Command::Scale);
    text(&mut bench, TextInput::Backspace);
    assert_eq!(text(&mut bench, ENTER), []);
    assert!(bench.screen().contains("type the number of tasks"), "{}", bench.screen());
}

#[test]
fn what_cannot_be_done_is_said_without_a_dialog() {
    let mut bench = on(PaneId::Services, "billing_worker");
    bench.press(Command::Redeploy);
    let screen = bench.screen();
    assert!(!screen.contains('┌') && screen.contains("edge-swarm is stale"), "{screen}");
}

#[test]
fn dialogs_fit_every_size() {
    for (pane, row, command) in [
        (PaneId::Services, "catalog", Command::Scale),
        (PaneId::Services, "catalog", Command::RollBack),
        (PaneId::Nodes, "eu-c-03", Command::EvacuateNode),
    ] {
        let mut bench = on(pane, row);
        bench.press(command);
        let lines = vec!["- spec.containers[main].env[LEVEL] debug".into(); 9];
        tell(&mut bench, "s-catalog", ActionKind::RollBack, Answer::Found(Found::Earlier([(1, lines)].into())));
        for width in (0..220).step_by(9) {
            for height in [0, 1, 2, 3, 9, 10, 11, 12, 24, 60] {
                bench.size = (width, height);
                bench.screen();
            }
        }
    }
}

#[test]
fn marks_go_once_the_action_was_confirmed_and_stay_where_it_was_not() {
    let mut bench = on(PaneId::Services, "catalog");
    bench.press(Command::Select);
    bench.press(Command::Select);
    bench.press(Command::Redeploy);
    text(&mut bench, TextInput::Escape);
    assert!(bench.screen().contains("2 marked"), "{}", bench.screen());
    bench.press(Command::Redeploy);
    assert_eq!(text(&mut bench, ENTER).len(), 2);
    assert!(!bench.screen().contains("marked"), "{}", bench.screen());
}

#[test]
fn marked_objects_stand_in_the_order_of_their_names() {
    let mut bench = on(PaneId::Services, "coredns");
    bench.press(Command::Select);
    bench.press(Command::Select);
    bench.press(Command::Redeploy);
    let screen = bench.screen();
    let at = |words: &str| screen.find(words).unwrap_or_else(|| panic!("no {words} in\n{screen}"));
    // their keys are the other way round
    assert!(at("│ redeploy kube-system/coredns") < at("│ redeploy shop/catalog"), "{screen}");
}

fn asked(effects: &[Effect]) -> Vec<Key> {
    let rights = effects.iter().filter_map(|effect| match effect {
        Effect::Request(Request::Rights(objects)) => Some(objects.iter().map(|object| object.key.clone())),
        _ => None,
    });
    rights.flatten().collect()
}

#[test]
fn a_key_that_must_fail_says_why_before_and_is_not_hinted() {
    let mut bench = on(PaneId::Services, "catalog");
    let moment = |bench: &mut Bench, millis: i64| bench.moment.now.0 += millis;
    assert_eq!(asked(&bench.ui.rested(bench.moment)), []);
    moment(&mut bench, 100);
    assert_eq!(asked(&bench.ui.rested(bench.moment)), [], "the cursor may be passing by");
    moment(&mut bench, 300);
    let of = asked(&bench.ui.rested(bench.moment));
    assert_eq!(of.len(), 1);
    moment(&mut bench, 9_000);
    assert_eq!(asked(&bench.ui.rested(bench.moment)), [], "once");
    let hinted = |bench: &mut Bench, word: &str| bench.screen().lines().last().unwrap_or_default().contains(word);
    assert!(hinted(&mut bench, "s scale"), "{}", bench.screen());

    // an answer while the dialog is open stops it too
    assert_eq!(asked(&bench.press(Command::Scale)), of, "what is opened is asked for");
    let why = "may not patch deployments/scale in shop: asked of the cluster";
    let denied = |why: &[(ActionKind, Text)]| Rights { kind: Kind::Service, key: of[0].clone(), denied: why.to_vec() };
    bench.fleet.to("prod-eu", Delta::Rights(denied(&[(ActionKind::Scale, Text::new(why))])));
    bench.sync();
    assert!(bench.screen().contains(why), "{}", bench.screen());
    text(&mut bench, TextInput::Char('7'));
    assert_eq!(text(&mut bench, ENTER), []);
    text(&mut bench, TextInput::Escape);

    let hinted_now = hinted(&mut bench, "s scale");
    assert!(!hinted_now && hinted(&mut bench, "redeploy"), "{}", bench.screen());
    assert_eq!(asked(&bench.press(Command::Scale)), of, "it is asked again: it may be allowed by now");
    let screen = bench.screen();
    assert!(screen.contains("cannot scale shop/catalog: may not patch deployments/scale in shop"), "{screen}");
    assert!(!screen.contains('┌'), "{screen}");
    bench.fleet.to("prod-eu", Delta::Rights(denied(&[])));
    bench.sync();
    bench.press(Command::Scale);
    assert!(bench.screen().contains("┌ scale shop/catalog"), "{}", bench.screen());
}

#[test]
fn an_operation_is_taken_back_by_the_old_value_unless_someone_changed_the_object_since() {
    let mut bench = Bench::new(PaneId::Operations, (110, 24));
    let object = ObjectRef { cluster: "prod-eu".into(), kind: Kind::Service, key: "s-catalog".into() };
    let bound = Bound { uid: object.key.clone(), spec_rev: 1 };
    let mut op = Operation {
        id: OpId(1),
        intent: Intent { object, name: Text::new("catalog"), action: Action::Scale { to: 6 }, bound: bound.clone() },
        title: Text::new("scale shop/catalog 8→6"),
        by: Text::default(),
        asked: ago(60),
        ended: Some(ago(10)),
        state: OpState::Done,
        progress: Progress::default(),
        undo: Some(Undo { action: Action::Scale { to: 8 }, bound: Some(Bound { spec_rev: 2, ..bound }) }),
        plan: None,
    };
    let tell = |bench: &mut Bench, op: &Operation| {
        bench.fleet.0.apply(Fact::Operation(op.clone()), NOW);
        bench.sync();
    };
    upsert(&mut bench, Service { spec_rev: 2, ..service("s-catalog", "shop", "catalog", 6, 6) });
    tell(&mut bench, &op);
    assert!(bench.screen().lines().last().unwrap_or_default().contains("u undo"), "{}", bench.screen());
    bench.press(Command::UndoOperation);
    assert!(bench.screen().contains("┌ scale shop/catalog 6→8"), "{}", bench.screen());
    assert_eq!(text(&mut bench, ENTER), [("scale shop/catalog 6→8".to_owned(), Action::Scale { to: 8 }, 2)]);

    upsert(&mut bench, Service { spec_rev: 3, ..service("s-catalog", "shop", "catalog", 6, 6) });
    bench.press(Command::UndoOperation);
    let why = "cannot undo scale shop/catalog 8→6: it was changed by someone since then";
    assert!(bench.screen().contains(why) && !bench.screen().contains('┌'), "{}", bench.screen());
    op.state = OpState::Verifying;
    tell(&mut bench, &op);
    bench.press(Command::UndoOperation);
    assert!(bench.screen().contains("only what has ended can be taken back"), "{}", bench.screen());
    // an image that did not start, say: the platform had taken it
    op.state = OpState::Failed;
    upsert(&mut bench, Service { spec_rev: 2, ..service("s-catalog", "shop", "catalog", 6, 6) });
    tell(&mut bench, &op);
    bench.moment.now.0 += 10_000;
    assert!(bench.screen().lines().last().unwrap_or_default().contains("u undo"), "{}", bench.screen());
    bench.press(Command::UndoOperation);
    assert!(bench.screen().contains("┌ scale shop/catalog 6→8"), "{}", bench.screen());
    bench.press(Command::Back);
    op.state = OpState::Done;
    op.undo = None;
    tell(&mut bench, &op);
    bench.moment.now.0 += 60_000;
    assert!(!bench.screen().lines().last().unwrap_or_default().contains("undo"), "{}", bench.screen());
    bench.press(Command::UndoOperation);
    assert!(bench.screen().contains("nothing would bring back what was before"), "{}", bench.screen());
}
