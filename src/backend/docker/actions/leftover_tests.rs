//! Pruning an engine, and the tokens of a swarm, against an engine that answers from a script, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{execute, join, prune};
use crate::backend::docker::client::Docker;
use crate::backend::docker::scripted;
use crate::backend::docker::wire;
use crate::backend::{BackendError, ProgressSink};
use crate::model::{Action, Bound, ClusterId, Expect, Found, Intent, Key, Kind, Leftover, ObjectRef, Volumes};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;

/// What the engine has, and what it was asked to change.
#[derive(Default)]
struct Engine {
    id: &'static str,
    containers: Vec<Value>,
    images: Vec<Value>,
    volumes: Vec<Value>,
    /// With the record that each was made of.
    caches: Vec<(&'static str, Option<&'static str>)>,
    /// Images that have a name by the time one asks.
    named: Vec<&'static str>,
    /// What it does not remove.
    keeps: Vec<&'static str>,
    /// A swarm's version, and how often each token was made anew.
    swarm: Option<(u64, [u32; 2])>,
    /// The swarm takes what it is asked and does nothing.
    lazy: bool,
    changes: Vec<String>,
    bodies: Vec<String>,
}

fn tokens(times: [u32; 2]) -> Value {
    json!({ "Worker": format!("SWMTKN-1-w-{}", times[0]), "Manager": format!("SWMTKN-1-m-{}", times[1]) })
}

impl Engine {
    fn answer(&mut self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let path = path.strip_prefix("/v1.43").unwrap_or(path);
        if method != "GET" {
            self.changes.push(format!("{method} {path}"));
            self.bodies.push(String::from_utf8_lossy(body).into_owned());
        }
        let parts: Vec<&str> = path.split('?').next().unwrap().trim_start_matches('/').split('/').collect();
        let drop_of = |all: &mut Vec<Value>, id: &str, field: &str| {
            let before = all.len();
            all.retain(|one| one[field] != id);
            if all.len() < before { (204, Value::Null) } else { (404, json!({ "message": "no such thing" })) }
        };
        match (method, parts.as_slice()) {
            ("GET", ["version"]) => (200, json!({ "ApiVersion": "1.43", "MinAPIVersion": "1.12" })),
            ("GET", ["info"]) => {
                let swarm = json!({ "NodeID": "n1", "ControlAvailable": self.swarm.is_some() });
                (200, json!({ "ID": self.id, "Name": "box", "Swarm": swarm }))
            }
            ("GET", ["system", "df"]) => {
                let caches = self.caches.iter();
                let caches: Vec<Value> = caches.map(|(id, _)| json!({ "ID": id, "Type": "regular", "Size": 50 })).collect();
                let layers = 1_000 * self.images.len();
                let all = json!({ "LayersSize": layers, "Containers": self.containers, "Images": self.images,
                                  "Volumes": self.volumes, "BuildCache": caches });
                (200, all)
            }
            ("GET", ["networks"]) => (200, json!([])),
            ("GET", ["images", id, "json"]) => {
                (200, json!({ "RepoTags": if self.named.contains(id) { json!(["web:9"]) } else { json!([]) } }))
            }
            ("DELETE", [_, id]) if self.keeps.contains(id) => (409, json!({ "message": "it is being used" })),
            ("DELETE", ["containers", id]) => drop_of(&mut self.containers, id, "Id"),
            ("DELETE", ["images", id]) => drop_of(&mut self.images, id, "Id"),
            ("DELETE", ["volumes", id]) => drop_of(&mut self.volumes, id, "Name"),
            ("POST", ["build", "prune"]) => {
                let at = self.caches.iter().position(|(id, _)| path.contains(&format!("%22{id}%22"))).unwrap();
                let id = self.caches[at].0;
                if self.caches.iter().any(|(_, parent)| *parent == Some(id)) {
                    return (200, json!({ "CachesDeleted": null, "SpaceReclaimed": 0 }));
                }
                self.caches.remove(at);
                (200, json!({ "CachesDeleted": [id], "SpaceReclaimed": 50 }))
            }
            ("GET", ["swarm"]) => {
                let (version, times) = self.swarm.unwrap();
                let spec = json!({ "Name": "default", "FieldOfTheFuture": 1 });
                (200, json!({ "ID": "c1", "Version": { "Index": version }, "Spec": spec, "JoinTokens": tokens(times) }))
            }
            ("GET", ["nodes", "n1"]) => {
                let manager = json!({ "Leader": true, "Addr": "10.0.0.1:2377" });
                (200, json!({ "ID": "n1", "Version": { "Index": 9 }, "Spec": { "Role": "manager" }, "ManagerStatus": manager }))
            }
            ("POST", ["swarm", "update"]) => {
                let (version, times) = self.swarm.as_mut().unwrap();
                if !path.contains(&format!("version={version}&")) {
                    return (500, json!({ "message": "rpc error: code = Unknown desc = update out of sequence" }));
                }
                *version += 3;
                if !self.lazy {
                    times[usize::from(path.contains("rotateManagerToken=true"))] += 1;
                }
                (200, Value::Null)
            }
            _ => (404, json!({ "message": format!("no {method} {path}") })),
        }
    }
}

async fn serve(engine: Engine) -> (tempfile::TempDir, Arc<Mutex<Engine>>, Docker) {
    let (dir, engine, endpoint) = scripted::engine(engine, Engine::answer).await;
    let docker = Docker::connect(endpoint).await.unwrap();
    (dir, engine, docker)
}

fn container(id: &str, state: &str) -> Value {
    json!({ "Id": id, "Names": [format!("/{id}")], "ImageID": "sha256:used", "State": state, "SizeRw": 10 })
}

fn image(id: &str) -> Value {
    json!({ "Id": id, "RepoTags": [], "Size": 100, "SharedSize": 0 })
}

fn volume(name: &str, day: u32) -> Value {
    json!({ "Name": name, "CreatedAt": format!("2026-01-0{day}T00:00:00Z"), "UsageData": { "Size": 7 } })
}

fn box_with_leftovers() -> Engine {
    Engine {
        id: "e",
        containers: vec![container("runs", "running"), container("old", "exited"), container("starts", "exited")],
        images: vec![image("sha256:used"), image("sha256:a"), image("sha256:b")],
        volumes: vec![volume("data", 1), volume("more", 1)],
        caches: vec![("parent", None), ("child", Some("parent"))],
        ..Engine::default()
    }
}

fn intent(uid: &str, spec_rev: u64, action: Action) -> Intent {
    let object = ObjectRef { cluster: ClusterId::new("c"), kind: Kind::Node, key: Key::new(uid) };
    Intent { object, name: "box".into(), action, bound: Bound { uid: Key::new(uid), spec_rev } }
}

async fn seen(docker: &Docker) -> Arc<[Leftover]> {
    let Found::Leftovers(seen) = prune::survey(docker).await.unwrap() else { panic!("another answer") };
    seen
}

async fn act(docker: &Docker, intent: &Intent) -> Result<Expect, BackendError> {
    execute(docker, intent, &ProgressSink::new().0).await
}

#[tokio::test]
async fn exactly_what_was_seen_goes_and_what_does_not_is_said() {
    let (_dir, engine, docker) = serve(box_with_leftovers()).await;
    let shown = seen(&docker).await;
    assert_eq!(shown.len(), 8);
    {
        let mut engine = engine.lock();
        engine.containers[2]["State"] = json!("running");
        engine.containers.push(container("late", "exited"));
        engine.images.push(image("sha256:late"));
        engine.named.push("sha256:b");
        // of the same name, and another one
        engine.volumes[1] = volume("more", 2);
    }
    let action = Action::Prune { volumes: Volumes::All, seen: shown };
    let done = act(&docker, &intent("e", 0, action)).await.unwrap();
    let note = "5 of 8 removed, the engine holds 1.1 KiB less; still there: image without a name sha256:b (it has got a name); \
                gone or used by then: stopped container starts, named volume more";
    assert_eq!(done, Expect::Seen { gone: Box::new(["old".into()]), whole: false, note: note.into() });
    let engine = engine.lock();
    let prune = |id: &str| format!("POST /build/prune?filters=%7B%22id%22%3A%5B%22{id}%22%5D%7D");
    let want = [
        "DELETE /containers/old".to_owned(),
        "DELETE /images/sha256:a".to_owned(),
        prune("parent"),
        prune("child"),
        "DELETE /volumes/data".to_owned(),
        prune("parent"),
    ];
    assert_eq!(engine.changes, want);
    assert_eq!((engine.containers.len(), engine.images.len(), engine.volumes.len()), (3, 3, 1));
}

#[tokio::test]
async fn volumes_stay_unless_asked_for_and_what_the_engine_keeps_fails() {
    let (_dir, engine, docker) = serve(Engine { keeps: vec!["old"], ..box_with_leftovers() }).await;
    let shown = seen(&docker).await;
    let action = Action::Prune { volumes: Volumes::Kept, seen: shown };
    let done = act(&docker, &intent("e", 0, action.clone())).await.unwrap();
    let Expect::Seen { gone, whole: false, note } = done else { panic!("{done:?}") };
    assert_eq!(gone, Box::from([Key::new("starts")]));
    assert!(note.contains("still there: stopped container old (it is being used)"), "{note}");
    assert_eq!(engine.lock().volumes.len(), 2);
    // another engine at the same address
    let asked = engine.lock().changes.len();
    engine.lock().id = "another";
    assert!(matches!(act(&docker, &intent("e", 0, action)).await, Err(BackendError::Changed(_))));
    assert_eq!(engine.lock().changes.len(), asked, "it was asked nothing");
}

/// The number of the node's spec, as the engine of these tests gives it.
fn rev() -> u64 {
    wire::hash(r#"{"Role":"manager"}"#)
}

fn swarm(lazy: bool) -> Engine {
    Engine { id: "e", swarm: Some((12, [0, 0])), lazy, ..Engine::default() }
}

#[tokio::test]
async fn a_token_is_made_anew_in_the_version_of_the_swarm_that_was_seen_and_read_again() {
    let (_dir, engine, docker) = serve(swarm(false)).await;
    let Found::Swarm(version) = join::survey(&docker).await.unwrap() else { panic!("another answer") };
    let rotate = |managers, version| intent("n1", rev(), Action::RotateToken { managers, version: Some(version) });
    let done = act(&docker, &rotate(true, version)).await;
    let note = "managers join with another token now; that of workers is as it was";
    assert_eq!(done, Ok(Expect::Seen { gone: Box::default(), whole: true, note: note.into() }));
    assert_eq!(engine.lock().changes, ["POST /swarm/update?version=12&rotateManagerToken=true"]);
    assert_eq!(engine.lock().bodies, [r#"{"FieldOfTheFuture":1,"Name":"default"}"#], "its spec as it was");
    let (token, address) = join::join(&docker, true).await.unwrap();
    assert_eq!((token.reveal(), address.as_str()), ("SWMTKN-1-m-1", "10.0.0.1:2377"));
    // the version of before, the node of before, and none at all
    let unseen = intent("n1", rev(), Action::RotateToken { managers: true, version: None });
    let other = Intent { bound: Bound { uid: "n1".into(), spec_rev: 1 }, ..rotate(true, 15) };
    for stale in [rotate(false, version), other, unseen] {
        assert!(matches!(act(&docker, &stale).await, Err(BackendError::Changed(_))), "{stale:?}");
    }
    assert_eq!(engine.lock().changes.len(), 1);
}

#[tokio::test]
async fn a_token_that_stays_the_same_was_not_made_anew() {
    let (_dir, _engine, docker) = serve(swarm(true)).await;
    let rotate = intent("n1", rev(), Action::RotateToken { managers: false, version: Some(12) });
    let Err(BackendError::Protocol(why)) = act(&docker, &rotate).await else { panic!("it was believed") };
    assert!(why.contains("still the one from before") && !why.contains("SWMTKN"), "{why}");
}
