//! Previews of what is asked of an engine or a swarm itself.
#![allow(clippy::unwrap_used)]

use super::tests::{fleet, seen};
use super::*;
use crate::analysis::fixture::{Fixture, node};
use crate::model::{Answer, Change, ClusterId, Delta, Found, Key, Leftover, LeftoverKind, Survey, Volumes, World};
use std::sync::Arc;

fn whole(fixture: &Fixture, key: &str, action: &Action) -> Preview {
    let world = World { clusters: vec![fixture.state()], ..World::default() };
    preview(&world, &ObjectRef { cluster: ClusterId::from("prod"), kind: Kind::Node, key: Key::from(key) }, action).unwrap()
}

#[test]
fn pruning_says_what_goes_what_is_kept_and_that_volumes_are_lost() {
    let leftover = |kind, name: &str, size| Leftover { kind, id: name.into(), made: None, name: name.into(), size };
    let seen: Arc<[Leftover]> = Arc::from([
        leftover(LeftoverKind::Container, "old", 2 << 20),
        leftover(LeftoverKind::Container, "migrate", 0),
        leftover(LeftoverKind::Network, "net", 0),
        leftover(LeftoverKind::Image, "sha256:a", 1 << 30),
        leftover(LeftoverKind::Volume, "0123", 1 << 20),
        leftover(LeftoverKind::NamedVolume, "pgdata", 3 << 30),
    ]);
    let mut fleet = Fixture::of(ClusterKind::Docker);
    fleet.node(node("n1", ""));
    let prune = |volumes| Action::Prune { volumes, seen: Arc::default() };
    let (title, _, lines) = seen_of(&fleet, &prune(Volumes::Kept));
    assert_eq!((title.as_str(), lines.len()), ("prune node n1", 1));
    assert!(lines[0].starts_with("asking the engine"), "{lines:?}");
    assert_eq!(whole(&fleet, "n1", &prune(Volumes::Kept)).held.as_deref(), Some("wait for its answer"));
    let say = |fleet: &mut Fixture, answer| {
        fleet.delta(Delta::Survey(Survey { key: "n1".into(), action: ActionKind::Prune, answer }));
    };
    say(&mut fleet, Answer::Found(Found::Leftovers(Arc::clone(&seen))));
    let (_, danger, lines) = seen_of(&fleet, &prune(Volumes::Kept));
    assert_eq!(danger, Danger::Disruptive);
    assert_eq!(
        lines,
        [
            "removes 2 stopped containers: migrate, old · 2.0 MiB",
            "! their logs and what they wrote go with them, and none of them can be started again",
            "removes 1 unused network: net",
            "removes 1 image without a name · 1.0 GiB",
            "kept: 1 unnamed volume: 0123 · 1.0 MiB",
            "kept: 1 named volume: pgdata · 3.0 GiB",
            "1.0 GiB or more come back",
            "only what was found goes, one after the other; what stops or is used from now on stays",
        ]
    );
    let all = whole(&fleet, "n1", &prune(Volumes::All));
    assert_eq!((&all.action, all.held), (&Action::Prune { volumes: Volumes::All, seen }, None));
    assert_eq!(all.danger, Danger::Destructive);
    let lost = "removes 1 named volume: pgdata · 3.0 GiB; what is in them is lost for good";
    assert!(all.lines.iter().any(|line| line.warning && line.text.as_str() == lost), "{:?}", all.lines);
    say(&mut fleet, Answer::Found(Found::Leftovers(Arc::from([leftover(LeftoverKind::Volume, "0123", 1)]))));
    assert_eq!(whole(&fleet, "n1", &prune(Volumes::Kept)).held.as_deref(), Some("there is nothing to remove"));
    assert_eq!(whole(&fleet, "n1", &prune(Volumes::Unnamed)).held, None);
    say(&mut fleet, Answer::Failed("no answer".into()));
    assert!(whole(&fleet, "n1", &prune(Volumes::Kept)).held.is_some());
}

fn seen_of(fleet: &Fixture, action: &Action) -> (String, Danger, Vec<String>) {
    seen(fleet, Kind::Node, "n1", action).unwrap()
}

#[test]
fn only_the_engine_that_answers_can_be_pruned() {
    let prune = Action::Prune { volumes: Volumes::Kept, seen: Arc::default() };
    let mut fleet = fleet(ClusterKind::Swarm);
    let why = seen(&fleet, Kind::Node, "n1", &prune).unwrap_err();
    assert_eq!(why, "which node answers here is not known: connect to the engine of n1 itself");
    let (kind, version) = (ClusterKind::Swarm, Text::new("28"));
    let capabilities = fleet.state().cluster.capabilities;
    fleet.delta(Delta::About { kind, version, capabilities, engine: Some(Key::from("n1")) });
    fleet.delta(Delta::Node(Change::End));
    assert!(seen(&fleet, Kind::Node, "n1", &prune).is_ok());
    let why = seen(&fleet, Kind::Node, "n2", &prune).unwrap_err();
    assert_eq!(why, "only n1 answers here: connect to the engine of n2 itself");
}

#[test]
fn rotating_a_token_says_whom_it_shuts_out_and_is_bound_to_the_swarm() {
    let mut fleet = fleet(ClusterKind::Swarm);
    let rotate = Action::RotateToken { managers: true, version: None };
    let before = whole(&fleet, "n1", &rotate);
    assert_eq!(
        (before.title.as_str(), before.held.as_deref()),
        ("rotate join token of managers", Some("asking the swarm how it stands"))
    );
    let answer = Answer::Found(Found::Swarm(12));
    fleet.delta(Delta::Survey(Survey { key: "n1".into(), action: ActionKind::RotateToken, answer }));
    let (_, danger, lines) = seen(&fleet, Kind::Node, "n1", &rotate).unwrap();
    assert_eq!(danger, Danger::Disruptive);
    assert_eq!(
        lines,
        [
            "makes a new token for managers; the one there is ends at once",
            "nodes that have joined stay as they are",
            "! whoever has the old manager token can no longer join: machines that are being set up, scripts, templates",
        ]
    );
    assert_eq!(whole(&fleet, "n1", &rotate).action, Action::RotateToken { managers: true, version: Some(12) });
}
