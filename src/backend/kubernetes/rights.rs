//! What the server would refuse, asked of it before: a `SelfSubjectAccessReview` for each thing that an action needs. A
//! review changes nothing, and its answer binds nobody: the server's 403 to the action itself is the truth.

use super::http::{Api, Write};
use super::index::{Place, PodEntry, Shared};
use super::paths;
use crate::model::{ActionKind, Kind, ObjectRef, ServiceKind, Text};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// How long a yes is believed.
const ALLOWED: Duration = Duration::from_secs(5 * 60);
/// How long a no is: whoever was just given a right tries it soon.
const DENIED: Duration = Duration::from_secs(20);
/// Answers kept at most.
const KEPT: usize = 1_000;

/// Something that one must be allowed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Need {
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    subresource: &'static str,
    /// Empty: in all, or of a kind that is in none.
    namespace: Text,
    /// Empty: of all names.
    name: Text,
}

impl Need {
    fn eviction(namespace: Text) -> Self {
        let name = Text::default();
        Self { verb: "create", group: "", resource: "pods", subresource: "eviction", namespace, name }
    }
}

/// `patch deployments/scale in shop`.
impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.subresource.is_empty() {
            write!(f, "/{}", self.subresource)?;
        }
        if !self.namespace.is_empty() {
            write!(f, " in {}", self.namespace)?;
        }
        Ok(())
    }
}

/// Answers of the server, for as long as they are believed. They end with the session, and with it the user.
#[derive(Default)]
pub(super) struct Rights(Mutex<HashMap<Need, (bool, Instant)>>);

impl Rights {
    /// Which of these actions the server would refuse; nothing if it does not say.
    pub(super) async fn denied(
        &self,
        api: &Api,
        index: &Shared,
        object: &ObjectRef,
        actions: &[ActionKind],
    ) -> Option<Vec<(ActionKind, Text)>> {
        let place = place(index, object)?;
        let mut denied = Vec::new();
        for action in actions {
            for need in self.needs(api, index, object, *action, &place).await? {
                // a right on this one name is enough, and a review without a name asks for all
                let one = Need { name: place.place.name.clone(), ..need.clone() };
                if !self.allowed(api, &need).await? && !self.allowed(api, &one).await? {
                    denied.push((*action, Text::from(format!("may not {need}: asked of the cluster"))));
                    break;
                }
            }
        }
        Some(denied)
    }

    /// What an action writes, of an evacuation also evictions: in all namespaces, or in just those that have pods which leave.
    async fn needs(
        &self,
        api: &Api,
        index: &Shared,
        object: &ObjectRef,
        action: ActionKind,
        place: &Whereabouts,
    ) -> Option<Vec<Need>> {
        let mut needs = needs(action, place);
        if matches!(action, ActionKind::Evacuate | ActionKind::Drain) {
            let evict = Need::eviction;
            if !self.allowed(api, &evict(Text::default())).await? {
                let on = |pod: &&PodEntry| pod.leaves.as_ref() == Some(&object.key);
                let of: BTreeSet<Text> = index.lock().pods.values().filter(on).map(|pod| pod.place.namespace.clone()).collect();
                needs.extend(of.into_iter().map(evict));
            }
        }
        Some(needs)
    }

    async fn allowed(&self, api: &Api, need: &Need) -> Option<bool> {
        let now = Instant::now();
        if let Some((allowed, until)) = self.0.lock().get(need)
            && now < *until
        {
            return Some(*allowed);
        }
        let mut attributes = json!({ "verb": need.verb, "resource": need.resource });
        let more =
            [("group", need.group), ("subresource", need.subresource), ("namespace", &*need.namespace), ("name", &*need.name)];
        for (key, value) in more.into_iter().filter(|(_, value)| !value.is_empty()) {
            attributes[key] = value.into();
        }
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": attributes }
        });
        let answer = api.write::<Review>(Write::Create, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &review).await;
        let allowed = answer.ok()?.status.allowed;
        let mut known = self.0.lock();
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(need.clone(), (allowed, now + if allowed { ALLOWED } else { DENIED }));
        Some(allowed)
    }
}

#[derive(Deserialize)]
struct Review {
    status: Verdict,
}

#[derive(Deserialize)]
struct Verdict {
    allowed: bool,
}

/// What an object is and where.
struct Whereabouts {
    workload: Option<ServiceKind>,
    place: Place,
}

fn place(index: &Shared, object: &ObjectRef) -> Option<Whereabouts> {
    let index = index.lock();
    match object.kind {
        Kind::Service => {
            let (kind, place) = index.services.get(&object.key)?.clone();
            Some(Whereabouts { workload: Some(kind), place })
        }
        Kind::Task => Some(Whereabouts { workload: None, place: index.pods.get(&object.key)?.place.clone() }),
        Kind::Node => {
            let place = Place { namespace: Text::default(), name: Text::new(&object.key) };
            Some(Whereabouts { workload: None, place })
        }
        Kind::Event => None,
    }
}

/// What an action writes. What it reads, rows could not be shown without.
fn needs(action: ActionKind, of: &Whereabouts) -> Vec<Need> {
    let need = |verb, group, resource, subresource| Need {
        verb,
        group,
        resource,
        subresource,
        namespace: of.place.namespace.clone(),
        name: Text::default(),
    };
    let workload = of.workload.and_then(paths::resource);
    let workload = workload.map(|(group, plural)| (group.split('/').next().unwrap_or_default(), plural));
    let patch = |subresource| workload.map(|(group, plural)| need("patch", group, plural, subresource)).into_iter().collect();
    match action {
        ActionKind::Scale => patch("scale"),
        ActionKind::Redeploy | ActionKind::RollBack | ActionKind::SetImage | ActionKind::Hold | ActionKind::Resume => patch(""),
        ActionKind::DeleteService => workload.map(|(group, plural)| need("delete", group, plural, "")).into_iter().collect(),
        ActionKind::Trigger => vec![need("create", "batch", "jobs", "")],
        ActionKind::Rebalance | ActionKind::Reschedule => vec![Need::eviction(of.place.namespace.clone())],
        ActionKind::DeleteTask => vec![need("delete", "", "pods", "")],
        ActionKind::Pause | ActionKind::Activate | ActionKind::Evacuate | ActionKind::Drain => vec![need("patch", "", "nodes", "")],
        ActionKind::Label | ActionKind::Taint => vec![need("patch", "", "nodes", "")],
        // of containers and swarms, which Kubernetes does not have
        ActionKind::Promote | ActionKind::Demote | ActionKind::RemoveNode => Vec::new(),
        ActionKind::Prune | ActionKind::RotateToken => Vec::new(),
        ActionKind::Start | ActionKind::Stop | ActionKind::Restart | ActionKind::Kill | ActionKind::ForceDelete => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::scripted;
    use super::*;
    use crate::model::{ClusterId, Key};

    fn answer(allowed: bool) -> (u16, String) {
        (201, json!({ "kind": "SelfSubjectAccessReview", "status": { "allowed": allowed } }).to_string())
    }

    fn web() -> (Shared, ObjectRef) {
        let index = Shared::default();
        let place = Place { namespace: "shop".into(), name: "web".into() };
        index.lock().services.insert(Key::from("u"), (ServiceKind::Deployment, place));
        (index, ObjectRef { cluster: ClusterId::from("c"), kind: Kind::Service, key: Key::from("u") })
    }

    #[tokio::test]
    async fn what_the_server_would_refuse_is_said_and_asked_once() {
        let (index, object) = web();
        // patching deployments is allowed, scaling them is not, nor this one
        let (api, asked) = scripted::server(vec![answer(true), answer(false), answer(false)]).await;
        let rights = Rights::default();
        let actions = [ActionKind::Redeploy, ActionKind::Scale, ActionKind::RollBack];
        let denied = rights.denied(&api, &index, &object, &actions).await.unwrap();
        assert_eq!(denied, [(ActionKind::Scale, Text::new("may not patch deployments/scale in shop: asked of the cluster"))]);
        let said = asked.lock().clone();
        assert!(said[0].starts_with("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews "), "{said:?}");
        let body = |n: usize| serde_json::from_str::<serde_json::Value>(said[n].split_once(' ').unwrap().1).unwrap();
        let attributes = |n: usize| body(n)["spec"]["resourceAttributes"].clone();
        let patch = json!({ "verb": "patch", "group": "apps", "resource": "deployments", "namespace": "shop" });
        assert_eq!(attributes(0), patch);
        let mut scale = patch.clone();
        scale["subresource"] = "scale".into();
        assert_eq!(attributes(1), scale);
        scale["name"] = "web".into();
        assert_eq!(attributes(2), scale);
        // all three are known now
        assert_eq!(rights.denied(&api, &index, &object, &actions).await.unwrap(), denied);
        assert_eq!(asked.lock().len(), 3);
    }

    #[tokio::test]
    async fn an_evacuation_needs_evictions_only_where_pods_leave() {
        let index = Shared::default();
        for (key, namespace, leaves) in [("p1", "shop", Some("n1")), ("p2", "kube-system", None), ("p3", "lab", Some("n2"))] {
            let place = Place { namespace: namespace.into(), name: key.into() };
            index.lock().pods.insert(key.into(), PodEntry { place, service: None, leaves: leaves.map(Key::from) });
        }
        let node = ObjectRef { cluster: ClusterId::from("c"), kind: Kind::Node, key: Key::from("n1") };
        let denied = async |script: Vec<bool>| {
            let (api, asked) = scripted::server(script.into_iter().map(answer).collect()).await;
            let denied = Rights::default().denied(&api, &index, &node, &[ActionKind::Evacuate]).await.unwrap();
            let words = denied.into_iter().map(|(_, why)| why.to_string()).next();
            (words, asked.lock().len())
        };
        // everywhere; then the node itself
        assert_eq!(denied(vec![true, true]).await, (None, 2));
        // not everywhere, but in the one namespace that has a pod which leaves
        assert_eq!(denied(vec![false, true, true]).await, (None, 3));
        let why = "may not create pods/eviction in shop: asked of the cluster";
        assert_eq!(denied(vec![false, true, false, false]).await, (Some(why.to_owned()), 4));
    }

    #[tokio::test]
    async fn a_right_on_one_name_is_enough_and_a_server_that_does_not_say_forbids_nothing() {
        let (index, object) = web();
        let (api, _) = scripted::server(vec![answer(false), answer(true), (403, "{}".into())]).await;
        let rights = Rights::default();
        assert_eq!(rights.denied(&api, &index, &object, &[ActionKind::Scale]).await, Some(Vec::new()));
        assert_eq!(rights.denied(&api, &index, &object, &[ActionKind::Redeploy]).await, None);
        let gone = ObjectRef { key: Key::from("gone"), ..object };
        assert_eq!(rights.denied(&api, &index, &gone, &[ActionKind::Scale]).await, None);
    }
}
