//! Against a real API server: `KUBECONFIG=… KUBECTL=… cargo test --lib kubernetes::real -- --ignored --nocapture`. Ignored
//! elsewhere because they need one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod forms;
mod storm;

use super::client::client;
use super::credentials::Credentials;
use super::http::Api;
use super::{Context, Environment, Proxies, discover};
use crate::backend::{Connector, Sink};
use crate::model::{ClusterState, Interest, Kind, KindSync, Store};
use crate::util::time::Timestamp;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

fn kubectl(args: &[&str]) -> String {
    let out = Command::new(std::env::var("KUBECTL").expect("KUBECTL must be set")).args(args).output().unwrap();
    assert!(out.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

/// The server of `KUBECONFIG`, as its user.
async fn api() -> Api {
    let config = kube::Config::infer().await.unwrap();
    let url = config.cluster_url.to_string();
    let credentials = Credentials::of(&config.auth_info, &Proxies::default()).await.unwrap();
    Api::new(client(config).unwrap(), Arc::new(credentials), &url)
}

/// Connects and follows until `test` holds, for at most 20 s.
async fn follow(context: &Context, test: impl Fn(&ClusterState) -> bool) {
    let row = context.cluster();
    let id = row.id.clone();
    let backend = context.connect().await.unwrap();
    println!("{:?}", backend.about());
    let (sender, mut facts) = mpsc::channel(1_024);
    let (_interest, interested) = watch::channel(Interest { usage: true, tasks: true });
    let sink = Sink::new(id.clone(), sender, interested);
    let watcher = tokio::spawn(async move { backend.watch(&sink).await });
    let mut store = Store::new([row]);
    let end = Instant::now() + Duration::from_secs(20);
    while !test(store.world().cluster(&id).unwrap()) {
        let fact = tokio::time::timeout_at(end, facts.recv()).await;
        let fact = fact.unwrap_or_else(|_| panic!("not within 20 s; {:?}", store.world().cluster(&id).unwrap().sync));
        store.apply(fact.expect("the session is over"), Timestamp::now());
    }
    println!("{:?}", store.world().cluster(&id).unwrap().sync);
    watcher.abort();
}

/// What a pod of the service account `name` finds around it.
fn pod(folder: &Path, name: &str) -> Environment {
    let server = kubectl(&["config", "view", "--raw", "-o", "jsonpath={.clusters[0].cluster.server}"]);
    let authority = kubectl(&["get", "-n", "tenant", "configmap", "kube-root-ca.crt", "-o", "jsonpath={.data.ca\\.crt}"]);
    std::fs::write(folder.join("token"), kubectl(&["create", "token", "-n", "tenant", name])).unwrap();
    std::fs::write(folder.join("ca.crt"), authority).unwrap();
    std::fs::write(folder.join("namespace"), "tenant").unwrap();
    let (host, port) = server.strip_prefix("https://").unwrap().rsplit_once(':').unwrap();
    Environment { service: Some((host.into(), port.into())), account: folder.into(), ..Environment::default() }
}

/// Ties an account's rights to a name for the time of a test.
struct Account(&'static str);

impl Account {
    fn create(name: &'static str) -> Self {
        kubectl(&["create", "-n", "tenant", "serviceaccount", name]);
        let of = format!("--serviceaccount=tenant:{name}");
        kubectl(&["create", "-n", "tenant", "rolebinding", name, "--clusterrole=view", &of]);
        Self(name)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        kubectl(&[
            "delete",
            "-n",
            "tenant",
            "--ignore-not-found",
            &format!("serviceaccount/{}", self.0),
            &format!("rolebinding/{}", self.0),
        ]);
    }
}

#[tokio::test]
#[ignore = "needs a real API server in KUBECONFIG and KUBECTL"]
async fn the_service_account_of_a_pod_reads_its_own_namespace_live() {
    let _account = Account::create("in-cluster");
    let folder = tempfile::tempdir().unwrap();
    let found = discover(&pod(folder.path(), "in-cluster"));
    let [context] = found.contexts.as_slice() else { panic!("{:?}", found.contexts) };
    assert_eq!(&*context.cluster().id, "in-cluster");
    follow(context, |state| {
        let only = |kind| matches!(state.sync_of(kind), KindSync::Narrowed(words) if words.as_str() == "only namespace tenant");
        let refused = matches!(state.sync_of(Kind::Node), KindSync::Failed { .. });
        refused && [Kind::Service, Kind::Task, Kind::Event].into_iter().all(only)
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a real API server in KUBECONFIG and KUBECTL"]
async fn a_service_account_whose_token_is_refused_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let environment = pod(folder.path(), "default");
    std::fs::write(folder.path().join("token"), "no-such-token").unwrap();
    let found = discover(&environment);
    let err = found.contexts[0].connect().await.err().expect("it must be refused").to_string();
    assert!(err.contains("does not accept our credentials"), "{err}");
}
