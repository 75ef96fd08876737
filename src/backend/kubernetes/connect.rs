//! From a context of a kubeconfig to a connected client.

use super::Kubernetes;
use super::client::{CONNECT, client, shown};
use super::credentials::Credentials;
use super::failure::Failure;
use super::http::Api;
use super::plugin::Unanswered;
use super::proxy::Proxies;
use super::source::Source;
use crate::backend::address::without_credentials;
use crate::backend::capabilities::capabilities;
use crate::backend::{Backend, BackendError, Connector, tls};
use crate::model::{Cluster, ClusterId, ClusterKind, Link, Text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use kube::Config;
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for the first answer; within what the caller allows for all of it, so that our words are heard.
const ANSWER: Duration = Duration::from_secs(8);
/// How often each kind is held against a list of the server: seldom, for it costs the server a list, though few bytes.
const AUDIT: Duration = Duration::from_secs(600);
/// One context, or the cluster this process runs in.
#[derive(Clone, Debug)]
pub struct Context {
    /// Its name in the fleet.
    id: ClusterId,
    /// Server address as configured; empty when it could not be read.
    server: String,
    source: Source,
    proxies: Proxies,
    namespaces: Vec<String>,
    audit: Duration,
}

impl Context {
    pub(super) fn new(id: ClusterId, server: String, source: Source, proxies: &Proxies) -> Self {
        Self { id, server, source, proxies: proxies.clone(), namespaces: Vec::new(), audit: AUDIT }
    }

    /// The same, reading these namespaces where all may not be read. With none it is the context's own.
    #[must_use]
    pub fn reading(self, namespaces: &[String]) -> Self {
        Self { namespaces: namespaces.to_vec(), ..self }
    }

    /// The same, holding each kind against a list of the server about this often.
    #[must_use]
    pub fn audited_every(self, audit: Duration) -> Self {
        Self { audit, ..self }
    }
}

impl Connector for Context {
    fn cluster(&self) -> Cluster {
        Cluster {
            id: self.id.clone(),
            kind: ClusterKind::Kubernetes,
            endpoint: Text::new(&self.server),
            version: None,
            link: Link::Connecting,
            protected: false,
            read_only: false,
            capabilities: capabilities(ClusterKind::Kubernetes),
            engine: None,
        }
    }

    fn connect(&self) -> BoxFuture<'_, Result<Arc<dyn Backend>, BackendError>> {
        Box::pin(async move {
            // read anew for each attempt: a login may have written new credentials since the last one
            let (source, proxies) = (self.source.clone(), self.proxies.clone());
            let config = tokio::task::spawn_blocking(move || source.load(&proxies))
                .await
                .map_err(|err| BackendError::Protocol(format!("cannot read the configuration of {}: {err}", self.id)))??;
            let own = std::slice::from_ref(&config.default_namespace);
            let namespaces = Arc::from(if self.namespaces.is_empty() { own } else { self.namespaces.as_slice() });
            let (api, version) = connect(config, &self.proxies).await?;
            Ok(Arc::new(Kubernetes::new(api, version, namespaces, self.audit)) as Arc<dyn Backend>)
        })
    }

    /// The context in each of the files it may stand in: where they are many, the server tells which one it is.
    fn leads_to(&self) -> Vec<String> {
        let Source::Files { files, context } = &self.source else { return Vec::new() };
        let real = |file: &PathBuf| std::fs::canonicalize(file).unwrap_or_else(|_| file.clone());
        files.iter().map(|file| format!("{} of {context} in {}", self.server, real(file).display())).collect()
    }
}

/// The server's own version.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

async fn connect(mut config: Config, proxies: &Proxies) -> Result<(Api, Text), BackendError> {
    let server = without_credentials(&config.cluster_url.to_string());
    let mut server = server.trim_end_matches('/').to_owned();
    let doing = format!("connect to {server}");
    if let Some(proxy) = &config.proxy_url {
        server.push_str(&format!(" (through the proxy {})", shown(proxy)));
    }
    let none = |none| match none {
        Unanswered::Failed(why) => BackendError::Unauthorised(why),
        Unanswered::NotYet(why) => BackendError::Unreachable(why),
    };
    let credentials = match config.auth_info.exec.take() {
        Some(plugin) => {
            let (credentials, pair) = Credentials::from_plugin(plugin).await.map_err(none)?;
            if let Some((certificate, key)) = pair {
                config.auth_info.client_certificate = None;
                config.auth_info.client_key = None;
                // the field holds base64 of PEM in files, and PEM as it is when it comes from a plugin
                config.auth_info.client_certificate_data = Some(STANDARD.encode(certificate));
                config.auth_info.client_key_data = Some(STANDARD.encode(key).into());
            }
            credentials
        }
        None => Credentials::of(&config.auth_info, proxies).await.map_err(none)?,
    };
    config.connect_timeout = Some(CONNECT);
    // a default of the kube crate: 15 silent retries of every verb, writes included
    config.default_retry = false;
    let client = client(config).map_err(|why| BackendError::Unreachable(format!("cannot {doing}: {why}")))?;
    let api = Api::new(client, Arc::new(credentials), &server);
    let version = match api.get_within::<Version>("/version", ANSWER).await {
        Ok(version) => Text::from(version.git_version),
        // it knows us and does not tell its version: alive
        Err(failure) if failure.status() == Some(403) => Text::new("unknown version"),
        Err(failure) => return Err(connect_error(failure, &doing)),
    };
    Ok((api, version))
}

fn connect_error(failure: Failure, doing: &str) -> BackendError {
    match failure.status() {
        // the sentence of a link failure names the server already
        None if failure.message.contains(tls::CLIENT) => BackendError::Unauthorised(failure.message),
        None if failure.sort == super::failure::Sort::Link => BackendError::Unreachable(failure.message),
        _ => failure.about(doing),
    }
}
