//! Restarts of containers and changes of managers, against an engine that answers from a script, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::execute;
use crate::backend::docker::client::Docker;
use crate::backend::docker::{scripted, wire};
use crate::backend::{BackendError, ProgressSink};
use crate::model::{Action, Bound, ClusterId, Expect, Intent, Key, Kind, ObjectRef};
use crate::util::time::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;

/// A container: its ID, how often it was started, and whether it ends as soon as it is started anew.
struct Container(&'static str, u32, bool);

#[derive(Default)]
struct Engine {
    containers: Vec<Container>,
    /// The image of the swarm's service.
    image: &'static str,
    /// The registry knows it, by this path.
    known: &'static str,
    /// Managers, and whether they answer.
    managers: Vec<(&'static str, bool)>,
    changes: Vec<String>,
}

fn started(times: u32) -> String {
    format!("2026-01-01T00:00:{times:02}Z")
}

impl Engine {
    fn answer(&mut self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let path = path.strip_prefix("/v1.43").unwrap_or(path);
        if method != "GET" {
            self.changes.push(format!("{method} {}", path.split('?').next().unwrap()));
        }
        let parts: Vec<&str> = path.split('?').next().unwrap().trim_start_matches('/').split('/').collect();
        let node = |(id, up): &(&str, bool)| {
            let reachability = if *up { "reachable" } else { "unreachable" };
            json!({ "ID": id, "Version": { "Index": 9 }, "Spec": { "Role": "manager" }, "Status": { "State": "ready" },
                    "ManagerStatus": { "Reachability": reachability, "Addr": "10.0.0.1:2377" } })
        };
        match (method, parts.as_slice()) {
            ("GET", ["version"]) => (200, json!({ "ApiVersion": "1.43", "MinAPIVersion": "1.12" })),
            ("GET", ["info"]) => {
                (200, json!({ "ID": "e", "Swarm": { "NodeID": "n1", "ControlAvailable": !self.managers.is_empty() } }))
            }
            ("GET", ["containers", "json"]) => {
                let labels = json!({ "com.docker.compose.project": "shop", "com.docker.compose.service": "web" });
                let row = |one: &Container| json!({ "Id": one.0, "Names": [format!("/{}", one.0)], "Labels": labels });
                (200, self.containers.iter().map(row).collect())
            }
            ("GET", ["containers", id, "json"]) => {
                let Container(_, times, ends) = self.containers.iter().find(|one| one.0 == *id).unwrap();
                let status = if *ends && *times > 0 { "exited" } else { "running" };
                let state = json!({ "Status": status, "ExitCode": 3, "StartedAt": started(*times) });
                (200, json!({ "Id": id, "State": state, "Config": { "StopTimeout": 120 } }))
            }
            ("POST", ["containers", id, "restart"]) => {
                self.containers.iter_mut().find(|one| one.0 == *id).unwrap().1 += 1;
                (204, Value::Null)
            }
            ("POST", ["containers", _, "stop"]) => (204, Value::Null),
            // made with `--rm`: gone with its end, or just about to be
            ("DELETE", ["containers", "gone"]) => (404, json!({ "message": "No such container: gone" })),
            ("DELETE", ["containers", "going"]) => (409, json!({ "message": "removal of container going is already in progress" })),
            ("DELETE", ["containers", _]) => (409, json!({ "message": "driver failed to remove root filesystem" })),
            ("GET", ["services", "web"]) => {
                let spec = json!({ "Name": "web", "TaskTemplate": { "ContainerSpec": { "Image": self.image }, "ForceUpdate": 2 } });
                (200, json!({ "ID": "web", "Version": { "Index": 9 }, "Spec": spec }))
            }
            ("POST", ["services", "web", "update"]) => {
                self.changes.push(serde_json::from_slice::<Value>(body).unwrap()["TaskTemplate"].to_string());
                (200, json!({}))
            }
            ("GET", ["distribution", ..]) if path == self.known => {
                (200, json!({ "Descriptor": { "digest": "sha256:new" }, "Platforms": [] }))
            }
            ("GET", ["distribution", ..]) => (401, json!({ "message": "unauthorized: authentication required" })),
            ("GET", ["nodes"]) => (200, self.managers.iter().map(node).collect()),
            ("GET", ["nodes", id]) => (200, node(self.managers.iter().find(|one| one.0 == *id).unwrap())),
            ("POST", ["nodes", id, "update"]) => {
                assert_eq!(serde_json::from_slice::<Value>(body).unwrap()["Role"], "worker");
                self.managers.retain(|one| one.0 != *id);
                self.managers.push(("worker", true));
                self.managers.pop();
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

async fn act(docker: &Docker, kind: Kind, key: &str, spec_rev: u64, action: Action) -> Result<Expect, BackendError> {
    let object = ObjectRef { cluster: ClusterId::new("c"), kind, key: Key::new(key) };
    let intent = Intent { object, name: key.into(), action, bound: Bound { uid: Key::new(key), spec_rev } };
    execute(docker, &intent, &ProgressSink::new().0).await
}

#[tokio::test]
async fn containers_are_restarted_in_turn_and_each_must_have_started_anew() {
    let engine = Engine { containers: vec![Container("a", 0, false), Container("b", 4, false)], ..Engine::default() };
    let (_dir, engine, docker) = serve(engine).await;
    let expect = act(&docker, Kind::Service, "shop/web", 0, Action::Redeploy { pull: false }).await.unwrap();
    assert_eq!(engine.lock().changes, ["POST /containers/a/restart", "POST /containers/b/restart"]);
    let at = |times: u32| started(times).parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let at = |times| Timestamp(at(times));
    let tasks = Box::new([("a".into(), at(1)), ("b".into(), at(5))]);
    assert_eq!(expect, Expect::Renewed { tasks, note: "".into() });
}

#[tokio::test]
async fn one_that_ends_right_after_its_restart_fails_and_the_rest_stay_as_they_are() {
    let containers = vec![Container("a", 0, false), Container("b", 0, true), Container("c", 0, false)];
    let (_dir, engine, docker) = serve(Engine { containers, ..Engine::default() }).await;
    let why = act(&docker, Kind::Service, "shop/web", 0, Action::Redeploy { pull: false }).await.unwrap_err().to_string();
    let want = "redeploying shop/web: b ended right after its restart (exit 3); 1 of 3 done, the others were left as they are";
    assert_eq!(why, want);
    assert_eq!(engine.lock().changes.len(), 2);
}

#[tokio::test]
async fn a_container_that_goes_by_itself_when_it_is_stopped_is_deleted() {
    let (_dir, _engine, docker) = serve(Engine::default()).await;
    let delete = async |key: &str, grace| act(&docker, Kind::Task, key, 0, Action::ForceDelete { grace }).await;
    for key in ["gone", "going"] {
        for grace in [None, Some(5)] {
            assert_eq!(delete(key, grace).await, Ok(Expect::Gone { kind: Kind::Task, key: Key::new(key) }), "{key} {grace:?}");
        }
    }
    assert!(matches!(delete("kept", None).await, Err(BackendError::Protocol(why)) if why.contains("root filesystem")));
    // it was gone before anything was asked of it
    assert!(matches!(delete("gone", Some(0)).await, Err(BackendError::NotFound(_))));
}

#[tokio::test]
async fn a_manager_is_not_demoted_if_those_left_could_not_act_by_then() {
    let rev = wire::hash(r#"{"Role":"manager"}"#);
    let managers = vec![("n1", true), ("n2", true), ("n3", false)];
    let (_dir, engine, docker) = serve(Engine { managers, ..Engine::default() }).await;
    let why = act(&docker, Kind::Node, "n2", rev, Action::Demote).await.unwrap_err();
    assert!(matches!(&why, BackendError::Changed(why) if why.contains("1 of 2 managers would answer, 2 must")), "{why:?}");
    assert!(engine.lock().changes.is_empty());
    engine.lock().managers[2].1 = true;
    let done = act(&docker, Kind::Node, "n2", rev, Action::Demote).await;
    assert!(!matches!(done, Err(BackendError::Changed(_))), "{done:?}");
    assert_eq!(engine.lock().changes, ["POST /nodes/n2/update"]);
}

#[tokio::test]
async fn a_swarms_service_is_redeployed_with_what_its_tag_stands_for_by_now() {
    let service = |image| Engine {
        image,
        known: if image == "nginx" { "/distribution/nginx:latest/json" } else { "/distribution/hub:5000/shop/web:1/json" },
        managers: vec![("n1", true)],
        ..Engine::default()
    };
    let rev = |image: &str| {
        wire::hash(&json!({ "Name": "web", "TaskTemplate": { "ContainerSpec": { "Image": image }, "ForceUpdate": 2 } }).to_string())
    };
    let redeploy = async |image: &'static str, pull| {
        let (_dir, engine, docker) = serve(service(image)).await;
        let done = act(&docker, Kind::Service, "web", rev(image), Action::Redeploy { pull }).await;
        let sent = engine.lock().changes.get(1).cloned();
        (done.map(drop), sent)
    };
    let (old, new) = ("hub:5000/shop/web:1@sha256:old", "hub:5000/shop/web:1@sha256:new");
    let sent = |image: &str| Some(json!({ "ContainerSpec": { "Image": image }, "ForceUpdate": 3 }).to_string());
    assert_eq!(redeploy(old, true).await, (Ok(()), sent(new)));
    assert_eq!(redeploy("hub:5000/shop/web:1", true).await, (Ok(()), sent(new)));
    assert_eq!(redeploy("nginx", true).await, (Ok(()), sent("nginx:latest@sha256:new")), "so the next one knows its tag");
    assert_eq!(redeploy(old, false).await, (Ok(()), sent(old)), "it keeps what it has where it is not to be pulled");
    // a registry that wants a login; a digest alone
    let (refused, none) = redeploy("private/web:1", true).await;
    let why = refused.unwrap_err().to_string();
    assert!(why.contains("authentication required; nothing was changed. No login is sent"), "{why}");
    assert!(why.ends_with("`docker service update --force --with-registry-auth --image private/web:1 web`"), "{why}");
    let (refused, nothing) = redeploy("hub:5000/shop/web@sha256:old", true).await;
    assert!(refused.unwrap_err().to_string().contains("has a digest and no tag"));
    assert_eq!((none, nothing), (None, None));
}
