//! From a context of a kubeconfig to a connected client.

use super::Kubernetes;
use super::credentials::Credentials;
use super::failure::{Failure, link_words};
use super::http::Api;
use super::plugin::Unanswered;
use super::proxy::{self, Proxies, ProxyFailed};
use super::source::Source;
use crate::backend::address::without_credentials;
use crate::backend::capabilities::capabilities;
use crate::backend::{Backend, BackendError, Connector, keepalive, tls};
use crate::model::{Cluster, ClusterId, ClusterKind, Link, Text};
use futures::future::BoxFuture;
use http::{HeaderValue, Uri};
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt};
use kube::config::AuthInfo;
use kube::{Client, Config};
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tower::{Service, ServiceExt};
use tower_http::decompression::DecompressionLayer;

/// Longest wait for the first answer; within what the caller allows for all of it, so that our words are heard.
const ANSWER: Duration = Duration::from_secs(8);
/// Longest a TCP connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
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
            let (api, version) = connect(config).await?;
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

async fn connect(mut config: Config) -> Result<(Api, Text), BackendError> {
    let server = without_credentials(&config.cluster_url.to_string());
    let mut server = server.trim_end_matches('/').to_owned();
    let doing = format!("connect to {server}");
    if let Some(proxy) = &config.proxy_url {
        server.push_str(&format!(" (through the proxy {})", shown(proxy)));
    }
    let credentials = match config.auth_info.exec.take() {
        Some(plugin) => {
            let (credentials, pair) = Credentials::from_plugin(plugin).await.map_err(|none| match none {
                Unanswered::Failed(why) => BackendError::Unauthorised(why),
                Unanswered::NotYet(why) => BackendError::Unreachable(why),
            })?;
            if let Some((certificate, key)) = pair {
                config.auth_info.client_certificate = None;
                config.auth_info.client_key = None;
                // the field holds base64 of PEM in files, and PEM as it is when it comes from a plugin
                config.auth_info.client_certificate_data = Some(base64(certificate.as_bytes()));
                config.auth_info.client_key_data = Some(base64(key.as_bytes()).into());
            }
            credentials
        }
        None => match token_file(&mut config.auth_info) {
            Some(file) => Credentials::from_file(file),
            None => Credentials::default(),
        },
    };
    config.connect_timeout = Some(CONNECT);
    // a default of the kube crate: 15 silent retries of every verb, writes included
    config.default_retry = false;
    let client = client(config).map_err(|err| refused_config(&doing, &err))?;
    let api = Api::new(client, Arc::new(credentials), &server);
    let version = match api.get_within::<Version>("/version", ANSWER).await {
        Ok(version) => Text::from(version.git_version),
        // it knows us and does not tell its version: alive
        Err(failure) if failure.status() == Some(403) => Text::new("unknown version"),
        Err(failure) => return Err(connect_error(failure, &doing)),
    };
    Ok((api, version))
}

/// Takes out the file that the token is in, if nothing else says who we are: the kube crate reads it too, but takes a line's
/// end for a part of the token, and does not look again when the token is refused.
fn token_file(user: &mut AuthInfo) -> Option<PathBuf> {
    let other = user.token.is_some() || user.auth_provider.is_some() || (user.username.is_some() && user.password.is_some());
    user.token_file.take().filter(|_| !other).map(PathBuf::from)
}

fn connect_error(failure: Failure, doing: &str) -> BackendError {
    match failure.status() {
        // the sentence of a link failure names the server already
        None if failure.message.contains(tls::CLIENT) => BackendError::Unauthorised(failure.message),
        None if failure.sort == super::failure::Sort::Link => BackendError::Unreachable(failure.message),
        _ => failure.about(doing),
    }
}

fn refused_config(doing: &str, err: &kube::Error) -> BackendError {
    match err {
        kube::Error::Auth(_) => BackendError::Unauthorised(format!("cannot {doing}: {err}")),
        _ => BackendError::Unreachable(format!("cannot {doing}: {}", link_words("its configuration", err))),
    }
}

/// The address of a proxy as it may be shown.
fn shown(proxy: &Uri) -> String {
    without_credentials(proxy.to_string().trim_end_matches('/'))
}

/// A client with deadlines for connecting, probes of silent connections, compressed answers, and no hidden retries.
/// Credential plugins must have been taken out of `config` before.
pub(super) fn client(config: Config) -> Result<Client, kube::Error> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.set_keepalive(Some(keepalive::IDLE));
    tcp.set_keepalive_interval(Some(keepalive::PROBE));
    tcp.set_keepalive_retries(Some(keepalive::PROBES));
    #[cfg(target_os = "linux")]
    tcp.set_tcp_user_timeout(Some(keepalive::DEAD));
    let Some(proxy) = config.proxy_url.clone() else { return stack(&config, tcp) };
    let name = shown(&proxy);
    let failed = move |cause: tower::BoxError| ProxyFailed { proxy: name.clone(), cause };
    let login = proxy::login(&proxy);
    if proxy.scheme_str().is_some_and(|scheme| scheme.starts_with("socks5")) {
        let mut socks = SocksV5::new(proxy, tcp);
        if let Some((user, password)) = login {
            socks = socks.with_auth(user, password);
        }
        return stack(&config, socks.map_err(move |err| failed(err.into())));
    }
    // to a proxy of https:// our connection is encrypted as well, and trusted by the same authorities
    let mut tunnel = Tunnel::new(proxy, config.rustls_https_connector_with_connector(tcp)?);
    if let Some((user, password)) = login
        && let Ok(basic) = HeaderValue::try_from(format!("Basic {}", base64(format!("{user}:{password}").as_bytes())))
    {
        tunnel = tunnel.with_auth(basic);
    }
    stack(&config, tunnel.map_err(move |err| failed(err.into())))
}

/// The client over connections that `connector` makes.
fn stack<C>(config: &Config, connector: C) -> Result<Client, kube::Error>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<tower::BoxError>,
{
    let tls = config.rustls_https_connector_with_connector(connector)?;
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build::<_, Body>(tls);
    // the layer that renews tokens passes boxed errors only
    let http = http.map_err(tower::BoxError::from);
    let stack = ClientBuilder::new(http, config.default_namespace.clone())
        .with_layer(&config.base_uri_layer())
        .with_layer(&DecompressionLayer::new().gzip(!config.disable_compression))
        .with_layer(&config.extra_headers_layer()?);
    Ok(match config.auth_layer()? {
        Some(auth) => stack.with_layer(&auth).build(),
        None => stack.build(),
    })
}

/// RFC 4648, for the one place where a PEM from a plugin has to go into a kubeconfig field.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let six = (n >> (18 - 6 * i)) as usize & 63;
            out.push(if i <= chunk.len() { char::from(ALPHABET[six]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads_as_the_rfc_says() {
        for (plain, want) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), want);
        }
    }
}
