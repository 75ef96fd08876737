//! What is asked of an engine or a swarm itself: what it has that nothing uses, and how another machine joins.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::tests::{ENTER, on, text};
use crate::input::Command;
use crate::model::{
    Action, ActionKind, Answer, Change, Delta, Found, Join, Leftover, LeftoverKind, Request, Secret, Survey, Text, Volumes,
};
use crate::ui::testing::{Bench, NOW, ago, options};
use crate::ui::{Effect, PaneId, TextInput, Ui, UiOptions};

fn surveyed(bench: &mut Bench, action: ActionKind, answer: Answer) {
    let survey = Survey { key: "eu-a-01".into(), action, answer };
    bench.fleet.to("prod-eu", Delta::Survey(survey));
    bench.sync();
}

fn asked(effects: &[Effect], kind: ActionKind) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Request(Request::Survey(_, asked)) if *asked == kind))
}

#[test]
fn what_is_pruned_is_what_the_engine_said_and_volumes_are_chosen() {
    let mut bench = on(PaneId::Nodes, "eu-a-01");
    let effects = bench.press(Command::PruneEngine);
    assert!(asked(&effects, ActionKind::Prune), "{effects:?}");
    let screen = bench.screen();
    assert!(screen.contains("▸kept") && screen.contains("wait for its answer"), "{screen}");
    assert_eq!(text(&mut bench, TextInput::Char('y')), [], "nothing is known yet");
    let leftover = |kind, name: &str| Leftover { kind, id: name.into(), made: None, name: name.into(), size: 7 };
    let seen: std::sync::Arc<[Leftover]> =
        [leftover(LeftoverKind::Container, "old"), leftover(LeftoverKind::NamedVolume, "pgdata")].into();
    surveyed(&mut bench, ActionKind::Prune, Answer::Found(Found::Leftovers(seen.clone())));
    let screen = bench.screen();
    assert!(screen.contains("removes 1 stopped container: old") && screen.contains("kept: 1 named volume: pgdata"), "{screen}");
    assert!(screen.contains("y to go on"), "{screen}");
    text(&mut bench, TextInput::Down);
    text(&mut bench, TextInput::Down);
    let screen = bench.screen();
    assert!(screen.contains("▸named go too") && screen.contains("what is in them is lost for good"), "{screen}");
    assert!(screen.contains("type eu-a-01 to go on"), "{screen}");
    assert_eq!(text(&mut bench, TextInput::Char('y')), []);
    text(&mut bench, TextInput::DeleteLine);
    bench.type_in("eu-a-01");
    let prune = Action::Prune { volumes: Volumes::All, seen };
    assert_eq!(text(&mut bench, ENTER), [("prune node eu-a-01".to_owned(), prune, 1)]);
}

#[test]
fn what_the_engine_says_anew_must_be_read_anew() {
    let mut bench = on(PaneId::Nodes, "eu-a-01");
    let found = |name: &str| {
        let one = Leftover { kind: LeftoverKind::Container, id: name.into(), made: None, name: name.into(), size: 7 };
        Answer::Found(Found::Leftovers([one].into()))
    };
    surveyed(&mut bench, ActionKind::Prune, found("old"));
    bench.press(Command::PruneEngine);
    // what was said before it was asked is forgotten when it is asked
    surveyed(&mut bench, ActionKind::Prune, Answer::Asking);
    assert_eq!(text(&mut bench, TextInput::Char('y')), []);
    surveyed(&mut bench, ActionKind::Prune, found("other"));
    let sent = text(&mut bench, TextInput::Char('y'));
    let [(_, Action::Prune { seen, .. }, _)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(seen[0].id.as_str(), "other");
}

#[test]
fn whose_token_is_made_anew_is_chosen() {
    let mut bench = on(PaneId::Nodes, "eu-a-01");
    let effects = bench.press(Command::RotateToken);
    assert!(asked(&effects, ActionKind::RotateToken), "{effects:?}");
    assert_eq!(text(&mut bench, TextInput::Char('y')), []);
    surveyed(&mut bench, ActionKind::RotateToken, Answer::Found(Found::Swarm(12)));
    assert!(bench.screen().contains("┌ rotate join token of workers"), "{}", bench.screen());
    text(&mut bench, TextInput::Down);
    let rotate = Action::RotateToken { managers: true, version: Some(12) };
    assert_eq!(text(&mut bench, TextInput::Char('y')), [("rotate join token of managers".to_owned(), rotate, 1)]);
}

#[test]
fn a_token_is_shown_only_when_asked_for_and_no_longer_than_a_minute() {
    let mut bench = on(PaneId::Nodes, "eu-a-01");
    let answer = |bench: &mut Bench, managers, at| {
        let found = Ok((Secret::new("SWMTKN-1-canary"), Text::new("10.0.0.1:2377")));
        bench.fleet.to("prod-eu", Delta::Join(Some(Join { managers, at, found })));
        bench.sync();
    };
    // one that somebody asked for before
    answer(&mut bench, false, ago(5));
    let press = |bench: &mut Bench, input| {
        let moment = bench.moment;
        bench.ui.text(input, moment)
    };
    bench.press(Command::JoinSwarm);
    let screen = bench.screen();
    assert!(screen.contains("docker swarm join --token ••••") && !screen.contains("SWMTKN"), "{screen}");
    let effects = press(&mut bench, TextInput::Char('r'));
    let [Effect::Request(Request::Reveal { managers: false, .. })] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(!bench.screen().contains("SWMTKN") && bench.screen().contains("asking the swarm"), "{}", bench.screen());
    assert!(press(&mut bench, TextInput::Char('c')).is_empty(), "there is nothing to copy yet");
    answer(&mut bench, true, NOW);
    assert!(!bench.screen().contains("SWMTKN"), "that one is for managers");
    answer(&mut bench, false, NOW);
    let whole = "docker swarm join --token SWMTKN-1-canary 10.0.0.1:2377";
    assert!(bench.screen().contains(whole), "{}", bench.screen());
    bench.moment.now.0 += 61_000;
    assert!(!bench.screen().contains("SWMTKN"), "{}", bench.screen());
    press(&mut bench, TextInput::Char('r'));
    let now = bench.moment.now;
    answer(&mut bench, false, now);
    assert!(bench.screen().contains(whole), "{}", bench.screen());
    let effects = press(&mut bench, TextInput::Char('c'));
    let [Effect::Copy(copied), Effect::Request(Request::Conceal(_))] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(copied, whole);
    assert!(!bench.screen().contains("SWMTKN") && bench.screen().contains("copied"), "{}", bench.screen());
    for out in [TextInput::Escape, TextInput::Tab] {
        bench.press(Command::JoinSwarm);
        let effects = press(&mut bench, out);
        assert!(matches!(effects.as_slice(), [Effect::Request(Request::Conceal(_))]), "{effects:?}");
    }
}

#[test]
fn no_token_is_asked_for_where_nothing_may_be_changed_or_a_picture_is_kept() {
    for (read_only, reveals, why) in [(true, true, "is read-only here"), (false, false, "shown on a terminal only")] {
        let mut bench = Bench::new(PaneId::Nodes, (80, 24));
        bench.ui = Ui::new(UiOptions { read_only, reveals, ..options(PaneId::Nodes) });
        bench.fleet.to("prod-eu", Delta::Finding(Change::End));
        let world = bench.fleet.0.publish().unwrap();
        let moment = bench.moment;
        bench.ui.sync(world, moment);
        bench.screen();
        bench.press(Command::JoinSwarm);
        assert!(bench.screen().contains(why), "{}", bench.screen());
        assert!(bench.ui.text(TextInput::Char('r'), moment).is_empty());
    }
}
