//! What takes an action back: the same object with the value it had before.

use crate::model::{
    Action, Availability, Bound, ClusterKind, ClusterState, Expect, Intent, LabelEdit, Service, ServiceKind, TaintEdit, Undo, World,
};

/// What would take `intent` back, by what its object is before it is carried out. Nothing where nothing would (a deleted
/// task does not come back), where it changes nothing, or where the object is no longer what was confirmed.
pub fn action(world: &World, intent: &Intent) -> Option<Action> {
    let (object, bound) = (&intent.object, &intent.bound);
    let state = world.cluster(&object.cluster)?;
    let service = || state.services.get(&object.key).filter(|s| s.spec_rev == bound.spec_rev);
    let node = || state.nodes.get(&object.key).filter(|n| n.uid == bound.uid && n.spec_rev == bound.spec_rev);
    match &intent.action {
        // it would run once more
        Action::Scale { .. } if service()?.kind == ServiceKind::SwarmJob => None,
        Action::Scale { to } => service()?.desired.filter(|before| before != to).map(|before| Action::Scale { to: before }),
        Action::SetImage { container, image } if service()?.images().any(|held| held == (container, image)) => None,
        // a CronJob keeps no definition before this one; what its row does not tell of its image comes with the end
        Action::SetImage { container, .. } if service()?.kind == ServiceKind::CronJob => {
            let before = service()?.images().find(|(name, _)| *name == container)?.1.clone();
            Some(Action::SetImage { container: container.clone(), image: before })
        }
        Action::SetImage { .. } | Action::RollBack { .. } => back_to(state.cluster.kind, service()?, bound),
        Action::Redeploy { .. } if state.cluster.kind == ClusterKind::Swarm => back_to(ClusterKind::Swarm, service()?, bound),
        Action::Pause if node()?.availability == Availability::Active => Some(Action::Activate),
        Action::Label { edits } => {
            let node = node()?;
            let back: Box<[LabelEdit]> = edits.iter().filter_map(|edit| edit.undo(node)).collect();
            (!back.is_empty()).then_some(Action::Label { edits: back })
        }
        Action::Taint { edits } => {
            let node = node()?;
            let back: Box<[TaintEdit]> = edits.iter().flat_map(|edit| edit.undo(node)).collect();
            (!back.is_empty()).then_some(Action::Taint { edits: back })
        }
        Action::Activate if node()?.availability == Availability::Paused => Some(Action::Pause),
        _ => None,
    }
}

/// The definition as it is before a new one is written. Not by its image: the row has that without its digest, and the same
/// name may stand for another image by then.
fn back_to(platform: ClusterKind, service: &Service, bound: &Bound) -> Option<Action> {
    let number = || service.revision.as_deref().map(str::parse).and_then(Result::ok);
    match (platform, service.kind) {
        (ClusterKind::Swarm, ServiceKind::Replicated | ServiceKind::Global) => Some(Action::RollBack { to: Some(bound.spec_rev) }),
        // until its controller has seen it, the number may be that of the definition before the present one
        (ClusterKind::Kubernetes, _) if service.observed_rev != service.spec_rev => None,
        (ClusterKind::Kubernetes, ServiceKind::Deployment | ServiceKind::StatefulSet | ServiceKind::DaemonSet) => {
            Some(Action::RollBack { to: Some(number()?) })
        }
        _ => None,
    }
}

/// What an operation that the platform has taken is taken back by, as far as its answer tells. It may fail yet: an image
/// that does not start is what is most wanted back.
pub fn taken(expect: &Expect, undo: &mut Undo) {
    undo.bound = match expect {
        Expect::Imaged { service, spec_rev, .. }
        | Expect::Scaled { service, spec_rev, .. }
        | Expect::Converged { service, spec_rev } => Some(Bound { uid: service.clone(), spec_rev: *spec_rev }),
        _ => None,
    };
    if let (Expect::Imaged { before, .. }, Action::SetImage { image, .. }) = (expect, &mut undo.action) {
        image.clone_from(before);
    }
}

/// The same of one that is done. Of a node no answer tells how it was left: that is seen.
pub fn complete(state: &ClusterState, expect: &Expect, undo: &mut Undo) {
    taken(expect, undo);
    if let Expect::NodeIs { node, .. } | Expect::NodeLabels { node, .. } | Expect::NodeTaints { node, .. } = expect
        && let Some(node) = state.nodes.get(node)
    {
        undo.bound = Some(Bound { uid: node.uid.clone(), spec_rev: node.spec_rev });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::analysis::fixture::{self, Fixture};
    use crate::model::{Effect, Key, Kind, Node, ObjectRef, Service, Taint, Text};
    use std::sync::Arc;

    #[test]
    fn another_image_is_taken_back_by_the_definition_before_it() {
        let row = |kind: ServiceKind| Service { kind, spec_rev: 7, revision: Some("4".into()), ..fixture::service("web", 3) };
        let undo = |mut fleet: Fixture, row: Service, action: Action| {
            fleet.service(row);
            let state = fleet.state();
            let object = ObjectRef { cluster: state.cluster.id.clone(), kind: Kind::Service, key: "web".into() };
            let intent = Intent { object, name: Text::default(), action, bound: Bound { uid: "web".into(), spec_rev: 7 } };
            super::action(&World { clusters: vec![state], ..World::default() }, &intent)
        };
        let (kubernetes, swarm) = (Fixture::kubernetes, || Fixture::of(ClusterKind::Swarm));
        let set = |row: &Service, image: &str| Action::SetImage { container: row.container.clone(), image: image.into() };
        for kind in [ServiceKind::Deployment, ServiceKind::StatefulSet, ServiceKind::DaemonSet] {
            let to = Some(Action::RollBack { to: Some(4) });
            assert_eq!(undo(kubernetes(), row(kind), set(&row(kind), "web:9")), to, "{kind:?}");
            assert_eq!(undo(kubernetes(), row(kind), Action::RollBack { to: Some(2) }), to, "{kind:?}");
            assert_eq!(undo(kubernetes(), row(kind), Action::Redeploy { pull: false }), None, "the same definition again");
        }
        let unnumbered = Service { revision: None, ..row(ServiceKind::Deployment) };
        assert_eq!(undo(kubernetes(), unnumbered.clone(), set(&unnumbered, "web:9")), None);
        // the number is still that of the definition before the present one
        let unseen = Service { observed_rev: 6, ..row(ServiceKind::Deployment) };
        assert_eq!(undo(kubernetes(), unseen.clone(), set(&unseen, "web:9")), None, "its controller has not seen it yet");
        assert_eq!(undo(kubernetes(), row(ServiceKind::Job), set(&unnumbered, "web:9")), None, "it keeps none");
        let cron = row(ServiceKind::CronJob);
        let before = set(&cron, &cron.image);
        assert_eq!(undo(kubernetes(), cron.clone(), set(&cron, "web:9")), Some(before.clone()));
        // its row has no digest, the server had one
        let mut fleet = kubernetes();
        fleet.service(cron.clone());
        let expect = Expect::Imaged { service: "web".into(), spec_rev: 8, before: "web:1@sha256:ab".into() };
        let mut held = Undo { action: before, bound: None };
        complete(&fleet.state(), &expect, &mut held);
        assert_eq!(held.action, set(&cron, "web:1@sha256:ab"));
        assert_eq!(held.bound, Some(Bound { uid: "web".into(), spec_rev: 8 }));
        let same = row(ServiceKind::Deployment);
        assert_eq!(undo(kubernetes(), same.clone(), set(&same, &same.image)), None, "nothing changes");
        for action in [set(&same, "web:9"), Action::Redeploy { pull: false }, Action::RollBack { to: None }] {
            let to = Some(Action::RollBack { to: Some(7) });
            assert_eq!(undo(swarm(), row(ServiceKind::Replicated), action.clone()), to, "as it was seen: {action:?}");
            assert_eq!(undo(swarm(), row(ServiceKind::SwarmJob), action), None);
        }
        assert_eq!(undo(swarm(), row(ServiceKind::SwarmJob), Action::Scale { to: 5 }), None, "it would run once more");
        assert_eq!(undo(swarm(), row(ServiceKind::Replicated), Action::Scale { to: 5 }), Some(Action::Scale { to: 3 }));
    }

    #[test]
    fn what_was_before_is_what_takes_it_back() {
        let mut fleet = Fixture::kubernetes();
        fleet.service(Service { spec_rev: 7, ..fixture::service("web", 3) });
        fleet.service(Service { desired: None, spec_rev: 7, ..fixture::service("job", 1) });
        for (key, availability) in [("n1", Availability::Active), ("n2", Availability::Paused), ("n3", Availability::Drained)] {
            fleet.node(Node { availability, spec_rev: 7, ..fixture::node(key, "a") });
        }
        let state = fleet.state();
        let (world, id) = (World { clusters: vec![Arc::clone(&state)], ..World::default() }, state.cluster.id.clone());
        let undo = |kind: Kind, key: &str, action: Action, spec_rev: u64| {
            let key = Key::from(key);
            let uid = state.nodes.get(&key).map_or(key.clone(), |node| node.uid.clone());
            let object = ObjectRef { cluster: id.clone(), kind, key };
            let intent = Intent { object, name: Text::default(), action, bound: Bound { uid, spec_rev } };
            super::action(&world, &intent)
        };
        let scale = |to| Action::Scale { to };
        for (kind, key, action, rev, want) in [
            (Kind::Service, "web", scale(5), 7, Some(scale(3))),
            (Kind::Service, "web", scale(3), 7, None),
            (Kind::Service, "web", scale(5), 6, None),
            (Kind::Service, "job", scale(5), 7, None),
            (Kind::Service, "web", Action::Redeploy { pull: false }, 7, None),
            (Kind::Node, "n1", Action::Pause, 7, Some(Action::Activate)),
            (Kind::Node, "n2", Action::Pause, 7, None),
            (Kind::Node, "n2", Action::Activate, 7, Some(Action::Pause)),
            (Kind::Node, "n3", Action::Activate, 7, None),
            (Kind::Node, "n1", Action::Pause, 6, None),
            (Kind::Node, "n1", Action::Evacuate, 7, None),
        ] {
            assert_eq!(undo(kind, key, action.clone(), rev), want, "{key} {action:?} {rev}");
        }
    }

    #[test]
    fn labels_and_taints_come_back_as_they_were() {
        use crate::analysis::edits::{labels, taints};
        let taint = |value: &str, effect| Taint { key: "d".into(), value: value.into(), effect };
        let node = Node {
            labels: Box::new([("old".into(), "x".into()), ("zone".into(), "a".into())]),
            taints: Box::new([taint("1", Effect::NoSchedule), taint("2", Effect::NoExecute)]),
            ..fixture::node("n1", "a")
        };
        let mut fleet = Fixture::kubernetes();
        let bound = Bound { uid: node.uid.clone(), spec_rev: node.spec_rev };
        fleet.node(node);
        let state = fleet.state();
        let object = ObjectRef { cluster: state.cluster.id.clone(), kind: Kind::Node, key: Key::from("n1") };
        let world = World { clusters: vec![state], ..World::default() };
        let undo = |action| {
            let intent = Intent { object: object.clone(), name: Text::default(), action, bound: bound.clone() };
            super::action(&world, &intent)
        };
        let label = |line: &str| Action::Label { edits: labels(line, true).unwrap() };
        let taint = |line: &str| Action::Taint { edits: taints(line).unwrap() };
        assert_eq!(undo(label("zone=b old- new=1 gone-")), Some(label("zone=a old=x new-")));
        assert_eq!(undo(label("zone=a gone-")), None);
        assert_eq!(undo(taint("d-")), Some(taint("d=1:NoSchedule d=2:NoExecute")));
        assert_eq!(undo(taint("d=9:NoSchedule e:NoExecute f-")), Some(taint("d=1:NoSchedule e:NoExecute-")));
        assert_eq!(undo(taint("d=1:NoSchedule d:PreferNoSchedule-")), None);
    }
}
