//! Dialogs in which something is typed or chosen before it is confirmed.

use super::*;
use std::sync::Arc;

#[test]
fn whether_the_image_is_pulled_is_chosen_in_the_dialog() {
    let mut bench = on(PaneId::Services, "catalog");
    let effects = bench.press(Command::Redeploy);
    let asked = |effect: &Effect| matches!(effect, Effect::Request(Request::Survey(_, ActionKind::Redeploy)));
    assert!(effects.iter().any(asked), "{effects:?}");
    assert!(bench.screen().contains("▸as it is"), "{}", bench.screen());
    text(&mut bench, TextInput::Down);
    let screen = bench.screen();
    assert!(screen.contains("▸pulled") && screen.contains("redeploy shop/catalog with its image pulled"), "{screen}");
    assert_eq!(text(&mut bench, ENTER), [], "what that sets for good is not known yet");
    tell(&mut bench, "s-catalog", ActionKind::Redeploy, Answer::Found(Found::Pulls(Arc::default())));
    let pulled = ("redeploy shop/catalog with its image pulled".to_owned(), Action::Redeploy { pull: true }, 1);
    assert_eq!(text(&mut bench, ENTER), [pulled]);
}

#[test]
fn what_becomes_of_the_tasks_is_chosen_before_the_name_is_typed() {
    let propagation = |propagation| Action::DeleteService { propagation };
    let mut bench = on(PaneId::Services, "catalog");
    bench.press(Command::DeleteService);
    assert!(bench.screen().contains("▸background"), "{}", bench.screen());
    bench.type_in("cat");
    text(&mut bench, TextInput::Down);
    let screen = bench.screen();
    assert!(screen.contains("▸foreground") && screen.contains("first, each within its own grace"), "{screen}");
    bench.type_in("alog");
    assert_eq!(text(&mut bench, ENTER), [], "what was typed for another choice does not count");
    text(&mut bench, TextInput::DeleteLine);
    bench.type_in("catalog");
    assert_eq!(text(&mut bench, ENTER), [("delete shop/catalog".to_owned(), propagation(Propagation::Foreground), 1)]);
}

#[test]
fn an_image_is_typed_and_only_then_confirmed() {
    let mut bench = on(PaneId::Services, "catalog");
    bench.press(Command::SetImage);
    let screen = bench.screen();
    assert!(screen.contains("main  registry.local/catalog:1.3") && screen.contains("type another image"), "{screen}");
    assert_eq!(text(&mut bench, ENTER), []);
    assert!(bench.screen().contains("it is the present image: nothing would change"), "{}", bench.screen());
    text(&mut bench, TextInput::DeleteLine);
    // an image may be pasted, and has any letters
    text(&mut bench, TextInput::Paste("mirror/".into()));
    assert_eq!(text(&mut bench, TextInput::Char('y')), [], "a letter of the image is no yes");
    bench.type_in(":2");
    let screen = bench.screen();
    assert!(screen.contains("main: registry.local/catalog:1.3 → mirror/y:2") && screen.contains("enter, then y"), "{screen}");
    assert_eq!(text(&mut bench, ENTER), []);
    assert_eq!(text(&mut bench, TextInput::Char('n')), [], "no part of the image any more");
    let set = Action::SetImage { container: "main".into(), image: "mirror/y:2".into() };
    assert_eq!(text(&mut bench, TextInput::Char('y')), [("set image shop/catalog mirror/y:2".to_owned(), set, 1)]);
}

#[test]
fn how_long_a_deleted_task_has_to_end_is_chosen_with_the_arrows() {
    let mut bench = on(PaneId::Tasks, "web-0");
    let name = "web-0";
    bench.press(Command::DeleteTask);
    let screen = bench.screen();
    assert!(screen.contains("▸its own") && screen.contains("its own grace period, 30 s"), "{screen}");
    text(&mut bench, TextInput::Down);
    let screen = bench.screen();
    assert!(screen.contains("▸0 s") && screen.contains("killed at once"), "{screen}");
    bench.type_in(name);
    assert_eq!(text(&mut bench, ENTER), [(format!("delete {name} within 0 s"), Action::DeleteTask { grace: Some(0) }, 0)]);
}

#[test]
fn an_older_definition_is_chosen_with_the_arrows() {
    let mut bench = on(PaneId::Services, "catalog");
    let earlier = |revision: u64| Earlier { revision, image: Text::from(format!("catalog:{revision}")), made: None };
    let row = Service { earlier: Box::new([earlier(7), earlier(5)]), ..service("s-catalog", "shop", "catalog", 6, 6) };
    upsert(&mut bench, row);
    let effects = bench.press(Command::RollBack);
    let asked = |effect: &Effect| matches!(effect, Effect::Request(Request::Survey(_, ActionKind::RollBack)));
    assert!(effects.iter().any(asked), "{effects:?}");
    assert!(bench.screen().contains("▸7  catalog:7  1 of 2"), "{}", bench.screen());
    assert_eq!(text(&mut bench, TextInput::Down), []);
    let screen = bench.screen();
    assert!(screen.contains("▸5") && screen.contains("goes back to revision 5 · image catalog:5"), "{screen}");
    assert_eq!(text(&mut bench, TextInput::Char('y')), [], "it is not known yet what else it changes");
    assert!(bench.screen().contains("asking what else it changes"), "{}", bench.screen());
    tell(&mut bench, "s-catalog", ActionKind::RollBack, Answer::Failed(Text::new("the server is away")));
    assert!(bench.screen().contains("what else it changes is not known: the server is away"), "{}", bench.screen());
    let earlier = [(7, vec![]), (5, vec!["+ not the image alone".into()])];
    tell(&mut bench, "s-catalog", ActionKind::RollBack, Answer::Found(Found::Earlier(earlier.into())));
    assert!(bench.screen().contains("+ not the image alone"), "{}", bench.screen());
    let back = Action::RollBack { to: Some(5) };
    assert_eq!(text(&mut bench, TextInput::Char('y')), [("roll back shop/catalog to revision 5".to_owned(), back, 1)]);
}

#[test]
fn taking_back_by_an_earlier_definition_asks_what_else_that_changes_and_shows_it() {
    let mut bench = Bench::new(PaneId::Operations, (110, 30));
    let earlier = |revision: u64| Earlier { revision, image: Text::from(format!("catalog:{revision}")), made: None };
    let row = Service { earlier: Box::new([earlier(7), earlier(5)]), ..service("s-catalog", "shop", "catalog", 6, 6) };
    upsert(&mut bench, row);
    let object = ObjectRef { cluster: "prod-eu".into(), kind: Kind::Service, key: "s-catalog".into() };
    let bound = Bound { uid: object.key.clone(), spec_rev: 1 };
    let set = Action::SetImage { container: "main".into(), image: "catalog:8".into() };
    let op = Operation {
        id: OpId(1),
        intent: Intent { object: object.clone(), name: Text::new("catalog"), action: set, bound: bound.clone() },
        title: Text::new("set image shop/catalog catalog:8"),
        by: Text::default(),
        asked: NOW,
        ended: Some(NOW),
        state: OpState::Done,
        progress: Progress::default(),
        undo: Some(Undo { action: Action::RollBack { to: Some(5) }, bound: Some(bound) }),
        plan: None,
    };
    bench.fleet.0.apply(Fact::Operation(op), NOW);
    bench.sync();
    let effects = bench.press(Command::UndoOperation);
    let asked = |effect: &Effect| matches!(effect, Effect::Request(Request::Survey(of, ActionKind::RollBack)) if *of == object);
    assert!(effects.iter().any(asked), "{effects:?}");
    let all = [(7, vec!["+ not this one".into()]), (5, vec!["- spec.containers[main].env[LEVEL] debug".into()])];
    tell(&mut bench, "s-catalog", ActionKind::RollBack, Answer::Found(Found::Earlier(all.into())));
    let screen = bench.screen();
    assert!(screen.contains("env[LEVEL] debug") && !screen.contains("not this one"), "{screen}");
}

#[test]
fn labels_are_typed_and_what_cannot_be_read_is_said_with_its_place() {
    let mut bench = on(PaneId::Nodes, "eu-a-01");
    bench.press(Command::LabelNode);
    let screen = bench.screen();
    assert!(screen.contains("it has no labels") && screen.contains("type key=value to set one, key- to take one away"), "{screen}");
    assert_eq!(text(&mut bench, ENTER), []);
    bench.type_in("disk=ssd y@");
    assert_eq!(text(&mut bench, ENTER), []);
    let screen = bench.screen();
    assert!(screen.contains("character 10: write y@=value to set it, or y@- to take it away"), "{screen}");
    bench.type_in("=1");
    assert_eq!(text(&mut bench, ENTER), []);
    assert!(bench.screen().contains("character 11: a key has letters, digits, - _ and . only, not '@'"), "{}", bench.screen());
    text(&mut bench, TextInput::DeleteLine);
    bench.type_in("gone-");
    assert_eq!(text(&mut bench, ENTER), []);
    assert!(bench.screen().contains("so it is: nothing would change"), "{}", bench.screen());
    text(&mut bench, TextInput::DeleteLine);
    bench.type_in("disk=ssd y=1");
    let screen = bench.screen();
    assert!(screen.contains("disk: none → ssd") && screen.contains("y: none → 1"), "{screen}");
    let edits = crate::analysis::edits::labels("disk=ssd y=1", true).unwrap();
    let want = [("label node eu-a-01 disk=ssd y=1".to_owned(), Action::Label { edits }, 1)];
    assert_eq!(text(&mut bench, ENTER), want);
}

#[test]
fn a_taint_that_deletes_tasks_asks_for_the_name_of_the_node() {
    let mut bench = on(PaneId::Nodes, "eu-a-01");
    bench.press(Command::TaintNode);
    bench.type_in("off:NoExecute");
    let screen = bench.screen();
    assert!(screen.contains("none → off:NoExecute") && screen.contains("would be deleted"), "{screen}");
    assert_eq!(text(&mut bench, ENTER), []);
    bench.type_in("eu-a-01");
    let edits = crate::analysis::edits::taints("off:NoExecute").unwrap();
    let want = [("taint node eu-a-01 off:NoExecute".to_owned(), Action::Taint { edits }, 1)];
    assert_eq!(text(&mut bench, ENTER), want);
}

#[test]
fn no_word_of_a_warning_is_lost_where_its_line_ends() {
    let mut bench = on(PaneId::Nodes, "eu-a-01");
    bench.press(Command::TaintNode);
    bench.type_in("off:NoExecute");
    let words = |bench: &mut Bench| {
        let screen = bench.screen();
        let inside = screen.lines().filter_map(|line| line.split('│').nth(1)).flat_map(str::split_whitespace);
        let from = inside.skip_while(|word| *word != "▲").take_while(|word| *word != "enter,");
        from.map(str::to_owned).collect::<Vec<_>>()
    };
    bench.size = (160, 40);
    let whole = words(&mut bench);
    assert!(whole.len() > 20, "{whole:?}");
    for width in 60..100 {
        bench.size = (width, 40);
        assert_eq!(words(&mut bench), whole, "{width} columns");
    }
}
