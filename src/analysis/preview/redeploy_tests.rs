//! Previews of a redeploy: with which image the new tasks are made.
#![allow(clippy::unwrap_used)]

use super::tests::{fleet, seen};
use super::*;
use crate::analysis::fixture::{Fixture, service};
use crate::model::{Answer, Delta, Found, Pull, Service, ServiceKind, Survey};
use std::sync::Arc;

#[test]
fn a_redeploy_says_which_images_are_pulled_and_what_is_changed_for_that() {
    let of = |fleet: &Fixture, pull| seen(fleet, Kind::Service, "web", &Action::Redeploy { pull }).unwrap();
    let mut kubernetes = fleet(ClusterKind::Kubernetes);
    assert_eq!(of(&kubernetes, false).2[1], "asking which images are pulled");
    let held = |fleet: &Fixture| {
        let world = World { clusters: vec![fleet.state()], ..World::default() };
        let object = ObjectRef { cluster: "prod".into(), kind: Kind::Service, key: "web".into() };
        preview(&world, &object, &Action::Redeploy { pull: true }).unwrap().held.map(|why| why.to_string())
    };
    assert_eq!(
        held(&kubernetes).as_deref(),
        Some("asking which images are pulled"),
        "what is set for good is not confirmed unseen"
    );
    let one = |container: &str, image: &str, policy: &str| Pull {
        container: Text::new(container),
        image: Text::new(image),
        policy: Text::new(policy),
    };
    let all = [one("main", "web:1", "IfNotPresent"), one("proxy", "envoy", "Always"), one("side", "x:1", "Never")];
    let mut say = |answer| {
        kubernetes.delta(Delta::Survey(Survey { key: "web".into(), action: ActionKind::Redeploy, answer }));
        (of(&kubernetes, false), of(&kubernetes, true))
    };
    let (without, with) = say(Answer::Found(Found::Pulls(Arc::from(all))));
    assert_eq!(without.0, "redeploy shop/web");
    let want = [
        "main: a node that has web:1 keeps it (imagePullPolicy IfNotPresent)",
        "proxy: every node pulls envoy (imagePullPolicy Always)",
        "side: no node pulls x:1 (imagePullPolicy Never)",
    ];
    assert_eq!(without.2[1..], want);
    assert_eq!(with.0, "redeploy shop/web with its image pulled");
    let want = [
        "main: every node pulls web:1: imagePullPolicy IfNotPresent → Always, from now on",
        "proxy: every node pulls envoy (imagePullPolicy Always)",
        "side: every node pulls x:1: imagePullPolicy Never → Always, from now on",
    ];
    assert_eq!(with.2[1..], want);
    let (without, _) = say(Answer::Failed(Text::new("no answer")));
    assert_eq!(without.2[1], "! which images are pulled is not known: no answer");

    let swarm = fleet(ClusterKind::Swarm);
    assert!(!of(&swarm, false).2.iter().any(|line| line.contains("registry")));
    let asks = "the registry is asked what web:1 stands for by now, and every node pulls that";
    assert_eq!(of(&swarm, true).2[1], asks);
    let mut engine = Fixture::of(ClusterKind::Docker);
    engine.service(Service { kind: ServiceKind::Compose, ..service("web", 3) });
    assert_eq!(of(&engine, false).2, ["restarts 3 containers, one after the other; the image stays as it is"]);
    let lines = of(&engine, true).2;
    assert_eq!(lines[0], "pulls web:1, then restarts 3 containers, one after the other");
    assert!(lines[1].starts_with("! a container keeps the image it was made with"), "{lines:?}");
}
