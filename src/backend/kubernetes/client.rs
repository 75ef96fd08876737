//! Connections to an API server, or to whoever gives tokens for one.

use super::credentials::basic;
use super::proxy::{self, ProxyFailed};
use crate::backend::address::without_credentials;
use crate::backend::keepalive;
use http::Uri;
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt};
use kube::{Client, Config};
use std::time::Duration;
use tower::{Service, ServiceExt};
use tower_http::decompression::DecompressionLayer;

/// Longest a TCP connection may take to be made.
pub(super) const CONNECT: Duration = Duration::from_secs(5);

/// The address of a proxy as it may be shown.
pub(super) fn shown(proxy: &Uri) -> String {
    without_credentials(proxy.to_string().trim_end_matches('/'))
}

/// A client with deadlines for connecting, probes of silent connections, compressed answers, and no hidden retries.
/// Who we are is no part of it but for client certificates: see [`super::credentials`].
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
        && let Some(basic) = basic(&user, &password)
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
    let stack = ClientBuilder::new(http, config.default_namespace.clone())
        .with_layer(&config.base_uri_layer())
        .with_layer(&DecompressionLayer::new().gzip(!config.disable_compression))
        .with_layer(&config.extra_headers_layer()?);
    Ok(stack.build())
}
