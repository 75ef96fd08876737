//! Many writers of one service at once.

use super::*;
use crate::backend::docker::transport::{Endpoint, http::Http};
use crate::backend::docker::wire;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// Writers, half of them ours, and the updates they try together.
const WRITERS: u32 = 8;
const UPDATES: u32 = 2_000;

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    version: Value,
    spec: Box<serde_json::value::RawValue>,
}

impl Raw {
    fn spec(&self) -> Value {
        serde_json::from_str(self.spec.get()).unwrap()
    }
}

fn replicas(spec: &Value) -> u64 {
    spec["Mode"]["Replicated"]["Replicas"].as_u64().unwrap()
}

/// One more update if there is one to do.
fn next(left: &AtomicU32) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

#[tokio::test]
#[ignore = "needs a real swarm in DOCKER_HOST"]
async fn of_conflicting_updates_of_a_real_swarm_none_is_lost_and_none_overwritten() {
    // no node takes it: what counts are the writes
    let service = Service::create("dk-storm", &["--replicas", "1", "--constraint", "node.labels.none==such", "app:1"]);
    let id = service.0.clone();
    let session = Session::open().await;
    let http = Arc::new(Http::new(Endpoint::Unix(std::env::var("DOCKER_HOST").unwrap().strip_prefix("unix://").unwrap().into())));
    http.use_version("1.41");
    let left = Arc::new(AtomicU32::new(UPDATES));
    let began = Instant::now();
    let mut writers = Vec::new();
    for n in 0..WRITERS {
        let (left, http, id) = (Arc::clone(&left), Arc::clone(&http), id.clone());
        let (backend, cluster) = (Arc::clone(&session.backend), session.cluster.clone());
        writers.push(tokio::spawn(async move {
            let (mut taken, mut refused) = (0, 0);
            while next(&left) {
                let seen: Raw = http.get(&format!("/services/{id}")).await.unwrap();
                if n % 2 == 0 {
                    let to = u32::try_from(replicas(&seen.spec())).unwrap() + 1;
                    let intent = Intent {
                        object: ObjectRef { cluster: cluster.clone(), kind: Kind::Service, key: Key::new(&id) },
                        name: "dk-storm".into(),
                        action: Action::Scale { to },
                        bound: Bound { uid: Key::new(&id), spec_rev: wire::hash(seen.spec.get()) },
                    };
                    match backend.execute(&intent, &ProgressSink::new().0).await {
                        Ok(_) => taken += 1,
                        Err(BackendError::Changed(_)) => refused += 1,
                        Err(error) => panic!("{error}"),
                    }
                } else {
                    let mut spec = seen.spec();
                    spec["Labels"][format!("writer-{n}")] = json!((taken + 1).to_string());
                    match http.post(&format!("/services/{id}/update?version={}", seen.version["Index"]), spec.to_string()).await {
                        Ok(_) => taken += 1,
                        Err(error) if error.is_out_of_sequence() => refused += 1,
                        Err(error) => panic!("{error:?}"),
                    }
                    // ours reads twice before it writes, and would be too late for ever
                    tokio::time::sleep(std::time::Duration::from_millis(4)).await;
                }
            }
            (taken, refused)
        }));
    }
    let mut all = Vec::new();
    for writer in writers {
        all.push(writer.await.unwrap());
    }
    println!("{UPDATES} updates in {:?}; taken and refused by writer: {all:?}", began.elapsed());
    let spec: Value = serde_json::from_str(&service.spec()).unwrap();
    let scaled: u64 = all.iter().step_by(2).map(|(taken, _)| *taken).sum();
    assert_eq!(replicas(&spec), 1 + scaled, "each scaling that was taken is there, and no other");
    for (n, (taken, _)) in all.iter().enumerate().skip(1).step_by(2) {
        assert_eq!(spec["Labels"][format!("writer-{n}")], json!(taken.to_string()), "what writer {n} wrote last is there");
    }
    assert!(scaled > 0 && all.iter().any(|(_, refused)| *refused > 0), "they were in each other's way");
}
