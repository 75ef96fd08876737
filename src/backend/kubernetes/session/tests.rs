//! Steps of several kinds, and what is told of them.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::backend::kubernetes::scripted;
use crate::model::{Fact, Interest};
use futures::FutureExt;
use serde_json::{Value, json};
use tokio::sync::watch;

fn raw_pod(name: &str) -> Value {
    let owner = json!({"kind": "ReplicaSet", "name": "web-1", "uid": "web-1", "controller": true});
    json!({"metadata": {"name": name, "namespace": "shop", "uid": name, "ownerReferences": [owner]}})
}

fn pod(name: &str) -> Step<RawPod> {
    Step::Item(serde_json::from_value(raw_pod(name)).unwrap())
}

fn set(name: &str) -> Step<ReplicaSet> {
    let set = json!({"metadata": {"name": name, "namespace": "shop", "uid": name}, "spec": {"replicas": 1}});
    Step::Item(serde_json::from_value(set).unwrap())
}

/// Where a session tells what it finds, and what is read of that.
fn rooms() -> (Sink, Shared, mpsc::Receiver<Fact>) {
    let (sender, facts) = mpsc::channel(100);
    (Sink::new("c".into(), sender, watch::channel(Interest::default()).1), Shared::default(), facts)
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
            Fact::Cluster(_, Delta::Task(Change::Narrowed(why))) => Some(why.to_string()),
            Fact::Cluster(_, Delta::Task(Change::Failed(why))) => Some(format!("failed: {why}")),
            _ => None,
        })
        .collect()
}

/// A list of pods broke off and began again without one of them; only then is it known what they belong to.
#[tokio::test]
async fn a_pod_that_left_while_its_replicaset_was_not_known_is_not_left_behind() {
    let (api, _) = scripted::server(Vec::new()).await;
    let (sink, index, mut facts) = rooms();
    let mut session = Session::new(&api, &index, &sink);
    for step in [Step::Begin, pod("left"), pod("stays"), Step::Begin, pod("stays")] {
        session.pod(step).await;
    }
    for step in [Step::Begin, set("web-1"), Step::End(None)] {
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

#[tokio::test(start_paused = true)]
async fn what_explains_rows_is_read_once_there_are_some_or_none_can_be_had() {
    let (api, _) = scripted::server(Vec::new()).await;
    let (sink, index, _facts) = rooms();
    for last in [Step::End(None), Step::Failed("list pods: forbidden".into()), Step::Absent] {
        let mut session = Session::new(&api, &index, &sink);
        let mut rest = Box::pin(after_rows(session.rows.clone(), async {}));
        for step in [Step::Begin, pod("web")] {
            session.pod(step).await;
        }
        assert_eq!((&mut rest).now_or_never(), None);
        session.pod(last).await;
        assert_eq!(rest.now_or_never(), Some(()));
    }
    let began = tokio::time::Instant::now();
    after_rows(CancellationToken::new(), async {}).await;
    assert_eq!(began.elapsed(), ROWS_FIRST, "pods that do not come keep nothing else away");
}

/// A node was silent for so short a time that nobody wrote it into its pods.
#[tokio::test]
async fn pods_are_no_longer_lost_once_their_node_answers_though_they_did_not_change() {
    let (api, _) = scripted::server(Vec::new()).await;
    let (sink, index, mut facts) = rooms();
    let mut session = Session::new(&api, &index, &sink);
    let node = |name: &str, ready: &str| {
        let status = json!({"conditions": [{"type": "Ready", "status": ready}]});
        Step::Item(serde_json::from_value(json!({"metadata": {"name": name, "uid": name}, "status": status})).unwrap())
    };
    let on = |node: &str, name: &str| {
        let mut pod = raw_pod(name);
        pod["spec"] = json!({"nodeName": node});
        pod["status"] = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
        Step::Item(serde_json::from_value(pod).unwrap())
    };
    let mut shown = || {
        let rows = std::iter::from_fn(|| facts.try_recv().ok()).filter_map(|fact| match fact {
            Fact::Cluster(_, Delta::Task(Change::Upsert(row))) => Some(row),
            _ => None,
        });
        let words = |row: Task| {
            let service = row.service.as_ref().map_or("?", Key::as_str).to_owned();
            format!("{} of {service} {} ready={}", row.key, row.state.word(), row.ready)
        };
        let mut words: Vec<String> = rows.map(words).collect();
        words.sort();
        words
    };
    for silent in ["one", "two", "three"] {
        session.node(node(silent, "Unknown")).await;
    }
    for (node, name) in [("one", "a"), ("one", "b"), ("one", "gone"), ("two", "c"), ("three", "d")] {
        session.pod(on(node, name)).await;
    }
    let Step::Item(gone) = on("one", "gone") else { panic!() };
    session.pod(Step::Gone(gone)).await;
    let lost = |name: &str| format!("{name} of ? lost ready=false");
    assert_eq!(shown(), ["a", "b", "c", "d", "gone"].map(lost));
    session.node(node("one", "True")).await;
    assert_eq!(shown(), ["a of ? running ready=true", "b of ? running ready=true"]);
    session.node(node("one", "True")).await;
    assert_eq!(shown(), [""; 0]);
    // what they belong to becomes known: as they are by now
    session.set(set("web-1")).await;
    let running = |name: &str| format!("{name} of web-1 running ready=true");
    let lost = |name: &str| format!("{name} of web-1 lost ready=false");
    assert_eq!(shown(), [running("a"), running("b"), lost("c"), lost("d")]);
    let Step::Item(two) = node("two", "Unknown") else { panic!() };
    session.node(Step::Gone(two)).await;
    assert_eq!(shown(), [running("c")]);
    for step in [Step::Begin, Step::End(None)] {
        session.node(step).await;
    }
    assert_eq!(shown(), [running("d")], "a list without its node");
}

/// Pods are listed again sooner than ReplicaSets, and one of them is of a ReplicaSet that nobody has heard of.
#[tokio::test]
async fn pods_whose_replicasets_cannot_be_read_are_not_told_as_whole() {
    let (api, _) = scripted::server(Vec::new()).await;
    let (sink, index, mut facts) = rooms();
    let mut session = Session::new(&api, &index, &sink);
    let busy = || Text::from("list replicasets: too many requests");
    let unknown = "services of tasks are not known: list replicasets: too many requests";
    let only = || Some(Text::from("only namespace shop"));
    // before the first list of ReplicaSets nothing is said
    session.pod(Step::Begin).await;
    session.pod(Step::End(None)).await;
    assert_eq!(told(&mut facts), ["begin"]);
    session.set(Step::End(None)).await;
    assert_eq!(told(&mut facts), ["end"]);
    // they fail while pods are whole, and are there again
    session.set(Step::Failed(busy())).await;
    assert_eq!(told(&mut facts), [unknown]);
    session.set(Step::Begin).await;
    session.set(set("web-1")).await;
    assert_eq!(told(&mut facts), [""; 0], "not before the list has ended");
    session.set(Step::End(None)).await;
    assert_eq!(told(&mut facts), ["end"]);
    // both fail, and pods come back first
    session.set(Step::Failed(busy())).await;
    session.pod(Step::Failed("list pods: too many requests".into())).await;
    assert_eq!(told(&mut facts), [unknown, "failed: list pods: too many requests"]);
    session.set(Step::Failed("another reason".into())).await;
    assert_eq!(told(&mut facts), [""; 0], "that pods cannot be read stands");
    session.pod(Step::Begin).await;
    session.pod(Step::End(None)).await;
    session.pod(Step::Absent).await;
    told(&mut facts);
    session.set(Step::Failed("one more".into())).await;
    assert_eq!(told(&mut facts), [""; 0], "so does that they are not served");
    session.set(Step::Failed(busy())).await;
    session.pod(Step::Begin).await;
    assert_eq!(told(&mut facts), ["begin"]);
    // no word of their end in the midst of a list: rows that are still to come would be taken for gone
    session.set(Step::Failed(busy())).await;
    assert_eq!(told(&mut facts), [""; 0]);
    session.pod(Step::End(only())).await;
    assert_eq!(told(&mut facts), [format!("only namespace shop; {unknown}")]);
    session.set(Step::End(only())).await;
    assert_eq!(told(&mut facts), ["only namespace shop"], "said once, of both");
    session.pod(Step::Begin).await;
    session.pod(Step::End(None)).await;
    assert_eq!(told(&mut facts), ["begin", "services of tasks are not known: only namespace shop"]);
}

/// A ReplicaSet loses its Deployment while the server is too busy to say which pods those were.
#[tokio::test]
async fn pods_of_a_replicaset_that_was_handed_over_are_read_until_they_are_known() {
    let pods = json!({"items": [raw_pod("one")]}).to_string();
    let (api, asked) = scripted::server(vec![(429, "{}".to_owned()), (200, pods), (403, "{}".to_owned())]).await;
    let (sink, index, mut facts) = rooms();
    let mut session = Session::new(&api, &index, &sink);
    let of = |owner: Option<&str>| {
        let owners: Vec<_> =
            owner.iter().map(|uid| json!({"kind": "Deployment", "name": uid, "uid": uid, "controller": true})).collect();
        let meta = json!({"name": "web-1", "namespace": "shop", "uid": "web-1", "ownerReferences": owners, "labels": {"pod-template-hash": "1"}});
        Step::Item(serde_json::from_value(json!({"metadata": meta, "spec": {"replicas": 1}})).unwrap())
    };
    for step in [Step::Begin, of(Some("web")), Step::End(None)] {
        session.set(step).await;
    }
    for step in [Step::Begin, pod("one"), Step::End(None)] {
        session.pod(step).await;
    }
    assert_eq!(told(&mut facts), ["begin", "+one of web", "end"]);
    session.set(of(None)).await;
    let unknown = "services of tasks are not known: pods of a replicaset that changed its owner could not be read";
    assert_eq!(told(&mut facts), [unknown]);
    tokio::time::pause();
    session.handovers.due().await;
    tokio::time::resume();
    session.read_handed_over().await;
    assert_eq!(told(&mut facts), ["+one of web-1", "end"]);
    session.set(of(Some("web"))).await;
    assert_eq!(told(&mut facts), ["end"], "those that may not be read are not shown");
    assert!(session.handovers.due().now_or_never().is_none(), "there is nothing left to be read");
    assert_eq!(*asked.lock(), ["/api/v1/namespaces/shop/pods?labelSelector=pod-template-hash%3D1"; 3]);
}
