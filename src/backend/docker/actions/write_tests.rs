//! The update loop against an engine that answers from a script, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::write::{Target, Update, at, write};
use crate::backend::BackendError;
use crate::backend::docker::scripted;
use crate::backend::docker::transport::http::Http;
use crate::backend::docker::wire;
use crate::model::{Action, Bound, ClusterId, Intent, Key, Kind, ObjectRef};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;

/// A service kept as swarmkit keeps it: one version, one spec.
struct Engine {
    version: u64,
    spec: Value,
    /// How many updates find the version bumped just before them.
    bumps: u32,
    /// Change the spec too when bumping.
    meddles: bool,
    posts: Vec<(String, Value)>,
}

impl Engine {
    fn new(bumps: u32, meddles: bool) -> Self {
        let spec = json!({"Name": "web", "FieldOfTheFuture": {"Deep": [1, 18_446_744_073_709_551_615_u64]}, "Mode": {"Replicated": {"Replicas": 2}}});
        Self { version: 9_007_199_254_740_993, spec, bumps, meddles, posts: Vec::new() }
    }

    fn answer(&mut self, _method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let Some((_, query)) = path.split_once("/update?") else {
            return (200, json!({"ID": "s1", "Version": {"Index": self.version}, "Spec": self.spec}));
        };
        let body: Value = serde_json::from_slice(body).unwrap();
        self.posts.push((query.to_owned(), body.clone()));
        if self.bumps > 0 {
            self.bumps -= 1;
            self.version += 1;
            if self.meddles {
                self.spec["Mode"]["Replicated"]["Replicas"] = json!(9);
            }
        }
        if query != format!("version={}", self.version) {
            return (500, json!({"message": "rpc error: code = Unknown desc = update out of sequence"}));
        }
        self.version += 1;
        self.spec = body;
        (200, json!({"Warnings": null}))
    }
}

async fn serve(engine: Engine) -> (tempfile::TempDir, Arc<Mutex<Engine>>, Http) {
    let (dir, engine, endpoint) = scripted::engine(engine, Engine::answer).await;
    (dir, engine, Http::new(endpoint))
}

async fn scale(http: &Http, rev: impl Into<Option<u64>>) -> Result<u64, BackendError> {
    let object = ObjectRef { cluster: ClusterId::new("c"), kind: Kind::Service, key: Key::new("s1") };
    let rev = rev.into();
    let bound = Bound { uid: Key::new("s1"), spec_rev: rev.unwrap_or_default() };
    let intent = Intent { object, name: "web".into(), action: Action::Scale { to: 5 }, bound };
    let target = Target { table: "services", id: "s1".to_owned() };
    let update = Update { intent: &intent, target: &target, doing: "scaling", rev, query: "" };
    write(http, &update, |_, spec| {
        *at(spec, &["Mode", "Replicated", "Replicas"]) = json!(5);
        Ok(())
    })
    .await
}

fn rev(spec: &Value) -> u64 {
    wire::hash(&spec.to_string())
}

#[tokio::test]
async fn only_what_was_asked_for_changes_and_fields_nobody_knows_survive() {
    let (_dir, engine, http) = serve(Engine::new(0, false)).await;
    let mut want = engine.lock().spec.clone();
    let seen = rev(&want);
    want["Mode"]["Replicated"]["Replicas"] = json!(5);
    assert_eq!(scale(&http, seen).await, Ok(rev(&want)));
    assert_eq!(engine.lock().spec, want);
}

#[tokio::test]
async fn a_version_that_a_rollout_bumps_is_read_again_until_it_holds() {
    let (_dir, engine, http) = serve(Engine::new(3, false)).await;
    let seen = rev(&engine.lock().spec);
    scale(&http, seen).await.unwrap();
    assert_eq!(engine.lock().posts.len(), 4);
    assert_eq!(engine.lock().spec["Mode"]["Replicated"]["Replicas"], 5);
}

#[tokio::test]
async fn a_version_that_never_holds_is_given_up_and_nothing_was_done() {
    let (_dir, engine, http) = serve(Engine::new(u32::MAX, false)).await;
    let seen = rev(&engine.lock().spec);
    assert!(matches!(scale(&http, seen).await, Err(BackendError::Changed(why)) if why.contains("nothing was done")));
    assert_eq!(engine.lock().posts.len(), 5);
}

#[tokio::test]
async fn a_definition_that_someone_else_changes_meanwhile_is_left_alone() {
    let (_dir, engine, http) = serve(Engine::new(1, true)).await;
    let seen = rev(&engine.lock().spec);
    assert!(matches!(scale(&http, seen).await, Err(BackendError::Changed(_))));
    assert_eq!(engine.lock().spec["Mode"]["Replicated"]["Replicas"], 9, "theirs");
    assert_eq!(engine.lock().posts.len(), 1);
}

#[tokio::test]
async fn what_suits_any_definition_is_written_into_the_one_that_there_is_by_then() {
    let (_dir, engine, http) = serve(Engine::new(1, true)).await;
    scale(&http, None).await.unwrap();
    assert_eq!(engine.lock().posts.len(), 2);
    assert_eq!(engine.lock().spec["Mode"]["Replicated"]["Replicas"], 5);
    // one of several steps does not say that nothing was done
    let (_dir, engine, http) = serve(Engine::new(u32::MAX, true)).await;
    let why = scale(&http, None).await.unwrap_err();
    assert!(matches!(&why, BackendError::Protocol(why) if why.contains("try again") && !why.contains("nothing")), "{why:?}");
    assert_eq!(engine.lock().posts.len(), 5);
}
