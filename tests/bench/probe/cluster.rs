//! The cluster under test, reached directly: how many pods it has, what its lists cost to transfer, and somebody who
//! changes pods all the time.

use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::runtime::Runtime;
use tokio::time::{MissedTickBehavior, interval};

/// All that Quarterdeck lists.
const LISTS: [&str; 12] = [
    "/api/v1/nodes",
    "/api/v1/pods",
    "/api/v1/events",
    "/apis/apps/v1/replicasets",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/statefulsets",
    "/apis/apps/v1/daemonsets",
    "/apis/apps/v1/controllerrevisions",
    "/apis/batch/v1/jobs",
    "/apis/batch/v1/cronjobs",
    "/apis/policy/v1/poddisruptionbudgets",
    "/apis/autoscaling/v2/horizontalpodautoscalers",
];

/// The API server of a kubeconfig.
pub struct Cluster {
    runtime: Runtime,
    client: Client,
    /// Its address.
    pub url: http::Uri,
}

impl Cluster {
    /// The cluster of the kubeconfig file `path`: of its current context, or of the one named.
    pub fn open(path: &str, context: Option<&str>) -> Self {
        let options = kube::config::KubeConfigOptions { context: context.map(str::to_owned), ..Default::default() };
        let runtime = Runtime::new().unwrap();
        let config = runtime.block_on(async {
            let file = kube::config::Kubeconfig::read_from(path).unwrap();
            kube::Config::from_custom_kubeconfig(file, &options).await.unwrap()
        });
        let url = config.cluster_url.clone();
        let client = runtime.block_on(async { Client::try_from(config).unwrap() });
        Self { runtime, client, url }
    }

    /// Reads all lists one after the other and throws them away: the time, and the bytes.
    pub fn transfer(&self) -> (Duration, u64) {
        self.runtime.block_on(async {
            let (begun, mut bytes) = (Instant::now(), 0);
            for path in LISTS {
                let request = http::Request::get(path).body(Body::empty()).unwrap();
                let mut body = self.client.send(request).await.unwrap().into_body();
                while let Some(frame) = body.frame().await {
                    bytes += frame.unwrap().data_ref().map_or(0, |data| data.len() as u64);
                }
            }
            (begun.elapsed(), bytes)
        })
    }

    /// Namespaces and names of all pods.
    pub fn pods(&self) -> Vec<(String, String)> {
        let list: Value = self.runtime.block_on(async {
            let request = http::Request::get("/api/v1/pods").body(Vec::new()).unwrap();
            self.client.request(request).await.unwrap()
        });
        let name = |pod: &Value, field: &str| pod["metadata"][field].as_str().unwrap().to_owned();
        list["items"].as_array().unwrap().iter().map(|pod| (name(pod, "namespace"), name(pod, "name"))).collect()
    }

    /// Changes the restart count of one pod after the other, `rate` a second, until it is `over`; how many were written. Each
    /// write changes something, also on a cluster that was churned before.
    pub fn churn(&self, pods: &[(String, String)], rate: u32, over: &AtomicBool) -> u64 {
        self.runtime.block_on(async {
            let mut tick = interval(Duration::from_secs(1) / rate);
            tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut writes = tokio::task::JoinSet::new();
            let first = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() % 9_000;
            let mut n = 0;
            while !over.load(Ordering::Relaxed) {
                tick.tick().await;
                // the server decides how fast it goes
                while writes.len() >= 16 {
                    writes.join_next().await;
                }
                let (namespace, name) = &pods[n as usize % pods.len()];
                let body =
                    json!({"status": {"containerStatuses": [{"name": "main", "restartCount": first + n / pods.len() as u64}]}});
                let request = http::Request::patch(format!("/api/v1/namespaces/{namespace}/pods/{name}/status"))
                    .header("content-type", "application/strategic-merge-patch+json")
                    .body(body.to_string().into_bytes())
                    .unwrap();
                let client = self.client.clone();
                writes.spawn(async move { client.request::<Value>(request).await.map(drop) });
                n += 1;
            }
            while writes.join_next().await.is_some() {}
            n
        })
    }
}
