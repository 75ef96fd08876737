//! Steps of several kinds, and what is told of them.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::backend::kubernetes::scripted;
use crate::model::{Fact, Interest};
use serde_json::json;
use tokio::sync::watch;

fn pod(name: &str) -> Step<RawPod> {
    let owner = json!({"kind": "ReplicaSet", "name": "web-1", "uid": "web-1", "controller": true});
    let meta = json!({"name": name, "namespace": "shop", "uid": name, "ownerReferences": [owner]});
    Step::Item(serde_json::from_value(json!({"metadata": meta})).unwrap())
}

fn told(facts: &mut mpsc::Receiver<Fact>) -> Vec<String> {
    std::iter::from_fn(|| facts.try_recv().ok())
        .filter_map(|fact| match fact {
            Fact::Cluster(_, Delta::Task(Change::Begin)) => Some("begin".to_owned()),
            Fact::Cluster(_, Delta::Task(Change::Upsert(row))) => {
                Some(format!("+{} of {}", row.key, row.service.as_ref().map_or("?", Key::as_str)))
            }
            Fact::Cluster(_, Delta::Task(Change::Remove(key))) => Some(format!("-{key}")),
            Fact::Cluster(_, Delta::Task(Change::End)) => Some("end".to_owned()),
            _ => None,
        })
        .collect()
}

/// A list of pods broke off and began again without one of them; only then is it known what they belong to.
#[tokio::test]
async fn a_pod_that_left_while_its_replicaset_was_not_known_is_not_left_behind() {
    let (api, _) = scripted::server(Vec::new()).await;
    let (sender, mut facts) = mpsc::channel(100);
    let sink = Sink::new("c".into(), sender, watch::channel(Interest::default()).1);
    let index = Shared::default();
    let mut session = Session::new(&api, &index, &sink);
    for step in [Step::Begin, pod("left"), pod("stays"), Step::Begin, pod("stays")] {
        session.pod(step).await;
    }
    let set = json!({"metadata": {"name": "web-1", "namespace": "shop", "uid": "web-1"}, "spec": {"replicas": 1}});
    for step in [Step::Begin, Step::Item(serde_json::from_value(set).unwrap()), Step::End(None)] {
        session.set(step).await;
    }
    session.pod(Step::End(None)).await;
    let told = told(&mut facts);
    assert_eq!(told[..5], ["begin", "+left of ?", "+stays of ?", "begin", "+stays of ?"]);
    assert!(told.contains(&"+stays of web-1".to_owned()), "{told:?}");
    let last = |name: &str| told.iter().rposition(|said| said[1..].split(' ').next() == Some(name)).unwrap();
    assert_eq!((told[last("left")].as_str(), told.last().unwrap().as_str()), ("-left", "end"), "{told:?}");
    assert!(!index.lock().pods.contains_key(&Key::from("left")));
}
