//! Many writers of one Deployment at once.

use super::{api, kubectl};
use crate::backend::kubernetes::actions;
use crate::backend::kubernetes::http::Write;
use crate::backend::kubernetes::index::{Place, Shared};
use crate::backend::{BackendError, ProgressSink};
use crate::model::{Action, Bound, ClusterId, Intent, Key, Kind, ObjectRef, ServiceKind};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::time::Instant;

/// Writers, half of them ours, and the updates they try together.
const WRITERS: u32 = 8;
const UPDATES: u32 = 2_000;
const NAME: &str = "storm";
const PATH: &str = "/apis/apps/v1/namespaces/default/deployments/storm";

/// Deletes the Deployment at the end.
struct Made;

impl Drop for Made {
    fn drop(&mut self) {
        kubectl(&["delete", "deployment", NAME, "-n", "default", "--ignore-not-found", "--wait=false"]);
    }
}

#[tokio::test]
#[ignore = "needs a real API server in KUBECONFIG and KUBECTL"]
async fn of_conflicting_updates_of_a_real_deployment_none_is_lost_and_none_overwritten() {
    kubectl(&["create", "deployment", NAME, "-n", "default", "--image=storm:1", "--replicas=0"]);
    let _made = Made;
    let api = api().await;
    let made: Value = api.get(PATH).await.unwrap();
    let key = Key::new(made["metadata"]["uid"].as_str().unwrap());
    let index = Shared::default();
    let place = Place { namespace: "default".into(), name: NAME.into() };
    index.lock().services.insert(key.clone(), (ServiceKind::Deployment, place));
    let left = Arc::new(AtomicU32::new(UPDATES));
    let began = Instant::now();
    let mut writers = Vec::new();
    for n in 0..WRITERS {
        let (api, index, key, left) = (api.clone(), Arc::clone(&index), key.clone(), Arc::clone(&left));
        writers.push(tokio::spawn(async move {
            let (mut taken, mut refused) = (0u64, 0);
            while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                let seen: Value = api.get(PATH).await.unwrap();
                if n % 2 == 0 {
                    let to = u32::try_from(seen["spec"]["replicas"].as_u64().unwrap()).unwrap() + 1;
                    let intent = Intent {
                        object: ObjectRef { cluster: ClusterId::new("real"), kind: Kind::Service, key: key.clone() },
                        name: NAME.into(),
                        action: Action::Scale { to },
                        bound: Bound { uid: key.clone(), spec_rev: seen["metadata"]["generation"].as_u64().unwrap() },
                    };
                    match actions::execute(&api, &index, &intent, &ProgressSink::new().0).await {
                        Ok(_) => taken += 1,
                        // what was seen holds no more
                        Err(BackendError::Changed(_)) => refused += 1,
                        Err(error) => panic!("{error}"),
                    }
                } else {
                    // the specification too, so that it is in the way of the others
                    let mut body = json!({ "metadata": { "resourceVersion": seen["metadata"]["resourceVersion"] } });
                    body["spec"]["template"]["metadata"]["annotations"][format!("writer-{n}")] = json!((taken + 1).to_string());
                    match api.write::<Value>(Write::MergePatch, PATH, &body).await {
                        Ok(_) => taken += 1,
                        Err(failure) if failure.status() == Some(409) => refused += 1,
                        Err(failure) => panic!("{}", failure.message),
                    }
                }
            }
            (taken, refused)
        }));
    }
    let mut all: Vec<(u64, u32)> = Vec::new();
    for writer in writers {
        all.push(writer.await.unwrap());
    }
    println!("{UPDATES} updates in {:?}; taken and refused by writer: {all:?}", began.elapsed());
    let now: Value = api.get(PATH).await.unwrap();
    let scaled: u64 = all.iter().step_by(2).map(|(taken, _)| taken).sum();
    assert_eq!(now["spec"]["replicas"], json!(scaled), "each scaling that was taken is there, and no other");
    for (n, (taken, _)) in all.iter().enumerate().skip(1).step_by(2) {
        let held = &now["spec"]["template"]["metadata"]["annotations"][format!("writer-{n}")];
        assert_eq!(*held, json!(taken.to_string()), "what writer {n} wrote last is there");
    }
    assert!(scaled > 0 && all.iter().any(|(_, refused)| *refused > 0), "they were in each other's way");
}
