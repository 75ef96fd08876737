//! Moving tasks about in a swarm that is kept as swarmkit keeps it, as far as that matters here, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::task::goes_on;
use super::{execute, take_back};
use crate::backend::docker::client::Docker;
use crate::backend::docker::{scripted, wire};
use crate::backend::{BackendError, ProgressSink};
use crate::model::{Action, Bound, ClusterId, Expect, Intent, Key, Kind, ObjectRef};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// A node or a service.
#[derive(Clone, Default)]
struct Object {
    spec: Value,
    previous: Option<Value>,
    /// Where its rollout stands.
    status: Option<&'static str>,
}

struct Task {
    id: String,
    service: String,
    slot: u64,
    /// Empty while it has none.
    node: String,
    runs: bool,
}

/// What somebody else does just before a spec with this in it is written.
type Meddle = (&'static str, fn(&mut Swarm));

/// What is written is carried out at once.
#[derive(Default)]
struct Swarm {
    version: u64,
    nodes: BTreeMap<String, Object>,
    services: BTreeMap<String, Object>,
    tasks: Vec<Task>,
    made: usize,
    /// Nodes on which nothing comes to run.
    broken: Vec<&'static str>,
    meddles: Vec<Meddle>,
    /// The service whose updates fail.
    fails: Option<&'static str>,
    writes: Vec<String>,
    /// The fewest running tasks of each service.
    least: BTreeMap<String, usize>,
}

impl Swarm {
    /// With these nodes, which are active.
    fn of(nodes: &[&str]) -> Self {
        let node = |id: &&str| {
            let spec = json!({ "Role": "worker", "Availability": "active" });
            ((*id).to_owned(), Object { spec, ..Object::default() })
        };
        Self { nodes: nodes.iter().map(node).collect(), ..Self::default() }
    }

    /// With a service, and on which nodes its tasks run.
    fn with(mut self, id: &str, on: &[&str]) -> Self {
        let mode = json!({ "Replicated": { "Replicas": on.len() } });
        let spec = json!({ "Name": id, "Labels": {}, "TaskTemplate": { "ForceUpdate": 0, "Placement": {} }, "Mode": mode });
        self.services.insert(id.to_owned(), Object { spec, ..Object::default() });
        for (slot, node) in (1..).zip(on) {
            self.made += 1;
            let (node, runs) = ((*node).to_owned(), true);
            self.tasks.push(Task { id: format!("t{}", self.made), service: id.to_owned(), slot, node, runs });
        }
        self.least.insert(id.to_owned(), on.len());
        self
    }

    fn availability(&self, node: &str) -> &str {
        self.nodes[node].spec["Availability"].as_str().unwrap()
    }

    /// On which nodes the tasks of a service run, and how many do not.
    fn runs(&self, id: &str) -> (Vec<&str>, usize) {
        let of: Vec<&Task> = self.tasks.iter().filter(|task| task.service == id).collect();
        let mut on: Vec<&str> = of.iter().filter(|task| task.runs).map(|task| task.node.as_str()).collect();
        on.sort_unstable();
        let idle = of.len() - on.len();
        (on, idle)
    }

    /// What the swarm makes of how it is: see swarmkit `orchestrator/replicated` and `scheduler`.
    fn settle(&mut self) {
        for (id, service) in self.services.clone() {
            let Some(replicas) = service.spec.pointer("/Mode/Replicated/Replicas").and_then(Value::as_u64) else { continue };
            let rules = service.spec.pointer("/TaskTemplate/Placement/Constraints").and_then(Value::as_array).cloned();
            let rules = rules.unwrap_or_default();
            let fits = |node: &str| !rules.contains(&json!(format!("node.id!={node}")));
            let (mut mine, others): (Vec<Task>, Vec<Task>) =
                std::mem::take(&mut self.tasks).into_iter().partition(|task| task.service == id);
            self.tasks = others;
            for task in &mut mine {
                if !task.node.is_empty() && (!fits(&task.node) || self.availability(&task.node) == "drain") {
                    self.made += 1;
                    *task = Task { id: format!("t{}", self.made), ..task_of(&id, task.slot) };
                }
            }
            // those that run first, then by how many are on the same node before them
            mine.sort_by_key(|task| !task.runs);
            let mut on: BTreeMap<String, usize> = BTreeMap::new();
            let mut nth = |task: &Task| match task.node.as_str() {
                "" => usize::MAX,
                node => *on.entry(node.to_owned()).and_modify(|n| *n += 1).or_insert(1),
            };
            let mut counted: Vec<(usize, Task)> = mine.into_iter().map(|task| (nth(&task), task)).collect();
            counted.sort_by_key(|(nth, _)| *nth);
            counted.truncate(replicas as usize);
            let mut mine: Vec<Task> = counted.into_iter().map(|(_, task)| task).collect();
            while (mine.len() as u64) < replicas {
                let slot = (1..).find(|slot| mine.iter().all(|task| task.slot != *slot)).unwrap();
                self.made += 1;
                mine.push(Task { id: format!("t{}", self.made), ..task_of(&id, slot) });
            }
            for at in 0..mine.len() {
                if !mine[at].node.is_empty() {
                    continue;
                }
                let open = self.nodes.keys().filter(|node| fits(node) && self.availability(node) == "active");
                let fewest = open.min_by_key(|node| mine.iter().filter(|task| task.node == **node).count());
                if let Some(node) = fewest {
                    mine[at].node.clone_from(node);
                    mine[at].runs = !self.broken.contains(&node.as_str());
                }
            }
            let running = mine.iter().filter(|task| task.runs).count();
            self.least.entry(id).and_modify(|least| *least = running.min(*least)).or_insert(running);
            self.tasks.extend(mine);
        }
    }

    fn row(&self, id: &str, object: &Object) -> Value {
        let mut row =
            json!({ "ID": id, "Version": { "Index": self.version }, "Spec": object.spec, "Status": { "State": "ready" } });
        if let Some(previous) = &object.previous {
            row["PreviousSpec"] = previous.clone();
        }
        if let Some(state) = object.status {
            row["UpdateStatus"] = json!({ "State": state, "Message": "update paused due to failure" });
        }
        row
    }

    fn answer(&mut self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let path = path.strip_prefix("/v1.43").unwrap_or(path);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (method, parts.as_slice()) {
            ("GET", ["version"]) => (200, json!({ "ApiVersion": "1.43", "MinAPIVersion": "1.12" })),
            ("GET", ["info"]) => (200, json!({ "ID": "e", "Swarm": { "NodeID": "n1", "ControlAvailable": true } })),
            ("GET", ["nodes"]) => (200, self.nodes.iter().map(|(id, node)| self.row(id, node)).collect()),
            ("GET", ["services"]) => (200, self.services.iter().map(|(id, service)| self.row(id, service)).collect()),
            ("GET", [table, id]) if matches!(*table, "nodes" | "services") => {
                let objects = if *table == "nodes" { &self.nodes } else { &self.services };
                match objects.get(*id) {
                    Some(object) => (200, self.row(id, object)),
                    None => (404, json!({ "message": format!("{id} not found") })),
                }
            }
            ("GET", ["tasks"]) => {
                let asks = |what: &str| query.contains(&format!("%22{what}%22%3A"));
                let is = |what: &str, id: &str| !asks(what) || query.contains(&format!("%22{what}%22%3A%5B%22{id}%22"));
                let asked = self.tasks.iter().filter(|task| is("service", &task.service) && is("node", &task.node));
                (200, asked.map(task_row).collect())
            }
            ("GET", ["tasks", id]) => match self.tasks.iter().find(|task| task.id == *id) {
                Some(task) => (200, task_row(task)),
                None => (404, json!({ "message": "no such task" })),
            },
            ("POST", [table, id, "update"]) => self.update(table, id, query, body),
            _ => (404, json!({ "message": format!("no {method} {path}") })),
        }
    }

    fn update(&mut self, table: &str, id: &str, query: &str, body: &[u8]) -> (u16, Value) {
        let spec: Value = serde_json::from_slice(body).unwrap();
        let text = spec.to_string();
        if let Some(at) = self.meddles.iter().position(|(when, _)| text.contains(when)) {
            self.meddles.remove(at).1(self);
            self.version += 1;
            self.settle();
        }
        if self.fails == Some(id) {
            return (500, json!({ "message": "rpc error: code = Unknown desc = raft: stopped" }));
        }
        let objects = if table == "nodes" { &mut self.nodes } else { &mut self.services };
        let Some(object) = objects.get_mut(id) else { return (404, json!({ "message": format!("{id} not found") })) };
        if !query.starts_with(&format!("version={}", self.version)) {
            return (500, json!({ "message": "rpc error: code = Unknown desc = update out of sequence" }));
        }
        self.version += 1;
        self.writes.push(format!("{table}/{id}"));
        *object = Object { previous: Some(object.spec.clone()), spec, status: None };
        self.settle();
        (200, json!({}))
    }
}

fn task_of(service: &str, slot: u64) -> Task {
    Task { id: String::new(), service: service.to_owned(), slot, node: String::new(), runs: false }
}

fn task_row(task: &Task) -> Value {
    let state = match (task.node.as_str(), task.runs) {
        ("", _) => "pending",
        (_, true) => "running",
        (_, false) => "preparing",
    };
    json!({ "ID": task.id, "ServiceID": task.service, "Slot": task.slot, "NodeID": task.node, "DesiredState": "running",
            "Status": { "State": state } })
}

async fn serve(swarm: Swarm) -> (tempfile::TempDir, Arc<Mutex<Swarm>>, Docker) {
    let (dir, swarm, endpoint) = scripted::engine(swarm, Swarm::answer).await;
    let docker = Docker::connect(endpoint).await.unwrap();
    (dir, swarm, docker)
}

/// What somebody asks for who sees it as it is now.
fn intent(swarm: &Mutex<Swarm>, kind: Kind, key: &str, action: Action) -> Intent {
    let swarm = swarm.lock();
    let object = if kind == Kind::Node { swarm.nodes.get(key) } else { swarm.services.get(key) };
    let bound = Bound { uid: Key::new(key), spec_rev: object.map_or(0, |object| wire::hash(&object.spec.to_string())) };
    let object = ObjectRef { cluster: ClusterId::new("c"), kind, key: Key::new(key) };
    Intent { object, name: key.into(), action, bound }
}

async fn act(docker: &Docker, intent: &Intent) -> Result<Expect, BackendError> {
    execute(docker, intent, &ProgressSink::new().0).await
}

/// Begins it, and is gone when it waits.
async fn begin(docker: &Docker, intent: &Intent) {
    let came = timeout(Duration::from_millis(1_500), act(docker, intent)).await;
    assert!(came.is_err(), "{came:?}");
}

#[tokio::test]
async fn what_cannot_be_taken_back_from_one_service_is_from_the_others() {
    let swarm = Swarm::of(&["n1", "n2", "n3"]).with("a", &["n1"]).with("b", &["n1"]).with("c", &["n1"]);
    let (_dir, swarm, docker) = serve(Swarm { broken: vec!["n2", "n3"], ..swarm }).await;
    let specs = || swarm.lock().services.values().map(|service| service.spec.clone()).collect::<Vec<_>>();
    let before = specs();
    let evacuate = intent(&swarm, Kind::Node, "n1", Action::Evacuate);
    begin(&docker, &evacuate).await;
    assert!(specs().iter().zip(&before).all(|(now, then)| now != then));
    // one is removed meanwhile, and another one redeployed just when it is written for the last time
    let meddles: [Meddle; 2] = [
        (r#""Labels":{},"Mode":{"Replicated":{"Replicas":1}},"Name":"a""#, |swarm| drop(swarm.services.remove("a"))),
        (r#""Labels":{},"Mode":{"Replicated":{"Replicas":1}},"Name":"b""#, |swarm| {
            swarm.services.get_mut("b").unwrap().spec["TaskTemplate"]["ForceUpdate"] = json!(1);
        }),
    ];
    swarm.lock().meddles = meddles.into();
    let words = take_back(&docker, &evacuate).await.unwrap().unwrap();
    assert!(words.contains("2 services had more for it (b, c)"), "{words}");
    let mut want = before[1..].to_vec();
    want[0]["TaskTemplate"]["ForceUpdate"] = json!(1);
    assert_eq!(specs(), want);
    assert!(swarm.lock().meddles.is_empty());
}

#[tokio::test]
async fn taking_back_ends_no_task_that_runs_for_one_that_does_not() {
    for (kind, key, action, added) in [(Kind::Node, "n1", Action::Evacuate, 2), (Kind::Service, "web", Action::Rebalance, 1)] {
        let swarm = Swarm::of(&["n1", "n2", "n3"]).with("web", &["n1", "n1", "n2", "n2"]);
        let (_dir, swarm, docker) = serve(Swarm { broken: vec!["n3"], ..swarm }).await;
        let before = swarm.lock().services["web"].spec.clone();
        let asked = intent(&swarm, kind, key, action);
        begin(&docker, &asked).await;
        assert_eq!(swarm.lock().runs("web"), (vec!["n1", "n1", "n2", "n2"], added));
        let words = take_back(&docker, &asked).await.unwrap().unwrap();
        assert!(!words.contains("may have ended"), "{words}");
        let swarm = swarm.lock();
        assert_eq!((swarm.least["web"], swarm.runs("web").1, &swarm.services["web"].spec), (4, 0, &before));
    }
}

#[tokio::test]
async fn where_a_task_that_runs_may_have_ended_that_is_said() {
    // both have one that does not run on the node where the other runs: neither can be avoided
    let swarm = Swarm::of(&["n1", "n2", "n3"]).with("web", &["n1", "n2", "n2"]);
    let (_dir, swarm, docker) = serve(Swarm { broken: vec!["n1", "n3"], ..swarm }).await;
    let evacuate = intent(&swarm, Kind::Node, "n2", Action::Evacuate);
    begin(&docker, &evacuate).await;
    swarm.lock().tasks.iter_mut().filter(|task| task.node == "n3").for_each(|task| task.node = "n1".to_owned());
    let words = take_back(&docker, &evacuate).await.unwrap().unwrap();
    assert!(words.ends_with("; of web the swarm may have ended tasks that ran, and kept some that do not run yet"), "{words}");
}

#[tokio::test]
async fn a_node_whose_labels_change_meanwhile_is_evacuated_and_one_that_is_activated_is_said_to_be() {
    let swarm = || Swarm::of(&["n1", "n2"]).with("web", &["n1", "n2"]);
    let run = async |meddle: Meddle| {
        let (_dir, swarm, docker) = serve(swarm()).await;
        swarm.lock().meddles.push(meddle);
        let done = act(&docker, &intent(&swarm, Kind::Node, "n1", Action::Evacuate)).await;
        let swarm = swarm.lock();
        assert_eq!((swarm.least["web"], swarm.runs("web").0.len()), (2, 2));
        (done.map(drop).map_err(|why| why.to_string()), swarm.nodes["n1"].spec.clone())
    };
    fn set(swarm: &mut Swarm, what: &str, to: Value) {
        swarm.nodes.get_mut("n1").unwrap().spec[what] = to;
    }
    let (done, spec) = run(("\"drain\"", |swarm| {
        set(swarm, "Labels", json!({ "zone": "a" }));
        swarm.meddles.push(("\"pause\"", |swarm| set(swarm, "Labels", json!({ "zone": "b" }))));
    }))
    .await;
    assert_eq!(done, Ok(()));
    assert_eq!(spec, json!({ "Role": "worker", "Availability": "pause", "Labels": { "zone": "b" } }));
    let (done, spec) = run(("\"drain\"", |swarm| set(swarm, "Availability", json!("active")))).await;
    let why = "evacuating n1: someone else has set it to active meanwhile; nothing was drained, and what was added goes again";
    assert_eq!((done, spec["Availability"].as_str()), (Err(why.to_owned()), Some("active")));
    let (done, _) = run(("\"drain\"", |swarm| {
        swarm.meddles.push(("\"pause\"", |swarm| set(swarm, "Availability", json!("active"))));
    }))
    .await;
    let why = "evacuating n1: someone else has set it to active meanwhile; everything has moved";
    assert_eq!(done, Err(why.to_owned()));
}

#[tokio::test]
async fn the_last_node_that_takes_tasks_is_not_evacuated() {
    let mut swarm = Swarm::of(&["n1", "n2"]).with("web", &["n1", "n2"]);
    swarm.nodes.get_mut("n2").unwrap().spec["Availability"] = json!("pause");
    let (_dir, swarm, docker) = serve(swarm).await;
    let why = act(&docker, &intent(&swarm, Kind::Node, "n1", Action::Evacuate)).await.unwrap_err();
    assert!(matches!(&why, BackendError::Unsupported(why) if why.contains("no other node takes tasks")), "{why:?}");
    assert!(swarm.lock().writes.is_empty());
}

#[tokio::test]
async fn tasks_are_moved_after_a_rollout_and_not_while_the_swarm_has_paused_one() {
    for (kind, key, action) in
        [(Kind::Node, "n1", Action::Evacuate), (Kind::Service, "web", Action::Rebalance), (Kind::Task, "t1", Action::Reschedule)]
    {
        let swarm = Swarm::of(&["n1", "n2", "n3"]).with("web", &["n1", "n1", "n2", "n2"]);
        let (_dir, swarm, docker) = serve(swarm).await;
        let asked = intent(&swarm, kind, key, action);
        let stands = |status| swarm.lock().services.get_mut("web").unwrap().status = status;
        for status in ["paused", "rollback_paused"] {
            stands(Some(status));
            let why = act(&docker, &asked).await.unwrap_err().to_string();
            let want = format!("{key}: the rollout of web is {status} (update paused due to failure), and any change of it");
            assert!(why.contains(&want), "{why}");
        }
        for status in ["updating", "rollback_started"] {
            stands(Some(status));
            begin(&docker, &asked).await;
        }
        assert!(swarm.lock().writes.is_empty(), "{key}");
        stands(Some("completed"));
        act(&docker, &asked).await.unwrap();
    }
}

#[tokio::test]
async fn a_roll_back_of_the_swarm_itself_is_no_change_by_someone_else() {
    let (_dir, swarm, docker) = serve(Swarm::of(&["n1"]).with("web", &["n1"])).await;
    let why = goes_on(&docker, "rescheduling t1", "web", "t1").await.unwrap_err();
    assert!(matches!(&why, BackendError::Changed(why) if why.contains("someone else has written its service anew")), "{why:?}");
    swarm.lock().services.get_mut("web").unwrap().status = Some("rollback_started");
    let why = goes_on(&docker, "rescheduling t1", "web", "t1").await.unwrap_err();
    let stopped = "rescheduling t1: the swarm stopped the rollout (rollback_started): update paused due to failure";
    assert_eq!(why, BackendError::Protocol(stopped.to_owned()));
}

#[tokio::test]
async fn a_rebalance_that_a_killed_program_left_is_gone_on_with_and_no_other_change_is() {
    let swarm = Swarm::of(&["n1", "n2", "n3"]).with("web", &["n1", "n1", "n1"]);
    let (_dir, swarm, docker) = serve(Swarm { broken: vec!["n3"], ..swarm }).await;
    let before = swarm.lock().services["web"].spec.clone();
    let rebalance = intent(&swarm, Kind::Service, "web", Action::Rebalance);
    begin(&docker, &rebalance).await;
    assert_ne!(swarm.lock().services["web"].spec, before);
    swarm.lock().broken.clear();
    act(&docker, &rebalance).await.unwrap();
    assert_eq!(swarm.lock().runs("web"), (vec!["n1", "n2", "n3"], 0));
    assert_eq!(swarm.lock().services["web"].spec, before);
    swarm.lock().services.get_mut("web").unwrap().spec["TaskTemplate"]["ForceUpdate"] = json!(1);
    let why = act(&docker, &rebalance).await.unwrap_err();
    assert!(matches!(&why, BackendError::Changed(why) if why.contains("nothing was done")), "{why:?}");
}

#[tokio::test]
async fn nothing_goes_back_to_a_definition_that_stood_only_while_tasks_were_moved() {
    let (_dir, swarm, docker) = serve(Swarm::of(&["n1", "n2"]).with("web", &["n1", "n2"])).await;
    act(&docker, &intent(&swarm, Kind::Node, "n1", Action::Evacuate)).await.unwrap();
    let back = intent(&swarm, Kind::Service, "web", Action::RollBack { to: None });
    let writes = swarm.lock().writes.len();
    let why = act(&docker, &back).await.unwrap_err();
    assert!(matches!(&why, BackendError::Unsupported(why) if why.contains("stood only while its tasks were moved")), "{why:?}");
    assert_eq!(swarm.lock().writes.len(), writes);
    swarm.lock().services.get_mut("web").unwrap().previous = Some(json!({ "Labels": { "team": "shop" } }));
    act(&docker, &back).await.unwrap();
}

#[tokio::test]
async fn what_could_not_be_taken_back_from_all_services_is_gone_on_with() {
    let swarm = Swarm::of(&["n1", "n2"]).with("a", &["n1"]).with("b", &["n1"]);
    let (_dir, swarm, docker) = serve(swarm).await;
    let before = swarm.lock().services["a"].spec.clone();
    swarm.lock().meddles.push(("\"drain\"", |swarm| swarm.fails = Some("a")));
    let why = act(&docker, &intent(&swarm, Kind::Node, "n1", Action::Evacuate)).await.unwrap_err();
    let words = "could not all be taken back (a: evacuating n1";
    // which is kept, and offered again
    assert!(matches!(&why, BackendError::Unreachable(why) if why.contains(words) && why.contains("raft: stopped")), "{why:?}");
    let number = |swarm: &Mutex<Swarm>, id: &str| swarm.lock().services[id].spec["Mode"]["Replicated"]["Replicas"].clone();
    assert_eq!((number(&swarm, "a"), number(&swarm, "b")), (json!(2), json!(1)));
    swarm.lock().fails = None;
    act(&docker, &intent(&swarm, Kind::Node, "n1", Action::Evacuate)).await.unwrap();
    let swarm = swarm.lock();
    assert_eq!((&swarm.services["a"].spec, swarm.availability("n1"), swarm.least["a"]), (&before, "pause", 1));
}

#[tokio::test]
async fn a_rebalance_that_someone_breaks_off_in_its_second_round_says_what_was_won() {
    let (_dir, swarm, docker) = serve(Swarm::of(&["n1", "n2", "n3"]).with("web", &["n1", "n1", "n1"])).await;
    let meddles: [Meddle; 2] = [
        // the swarm does not end those that it should
        (r#""Labels":{}"#, |swarm| swarm.tasks.iter_mut().filter(|t| t.node == "n3").for_each(|t| t.node = "n1".to_owned())),
        (r#".of.web":"1""#, |swarm| swarm.services.get_mut("web").unwrap().spec["TaskTemplate"]["ForceUpdate"] = json!(1)),
    ];
    swarm.lock().meddles = meddles.into();
    let why = act(&docker, &intent(&swarm, Kind::Service, "web", Action::Rebalance)).await.unwrap_err();
    let want = "rebalancing web: someone else has changed its definition meanwhile, 1 of 2 tasks won by then; look again";
    assert_eq!(why, BackendError::Protocol(want.to_owned()));
}
