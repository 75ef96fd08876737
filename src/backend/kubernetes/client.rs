//! Connections to an API server, or to whoever gives tokens for one.

use super::credentials::basic;
use super::proxy::{self, ProxyFailed};
use super::quiet::Quiet;
use crate::backend::address::without_credentials;
use crate::backend::keepalive;
use crate::backend::tls::{self, Identity};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use hyper::rt::{Read, Write};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt};
use kube::config::AuthInfo;
use kube::{Client, Config};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret;
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
pub(super) fn client(config: Config) -> Result<Client, String> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.set_keepalive(Some(keepalive::IDLE));
    tcp.set_keepalive_interval(Some(keepalive::PROBE));
    tcp.set_keepalive_retries(Some(keepalive::PROBES));
    #[cfg(target_os = "linux")]
    tcp.set_tcp_user_timeout(Some(keepalive::DEAD));
    let tcp = tcp.map_response(Quiet::new);
    let tls = tls_config(&config)?;
    let Some(proxy) = config.proxy_url.clone() else { return stack(&config, &tls, tcp) };
    let name = shown(&proxy);
    let failed = move |cause: tower::BoxError| ProxyFailed { proxy: name.clone(), cause };
    let login = proxy::login(&proxy);
    if proxy.scheme_str().is_some_and(|scheme| scheme.starts_with("socks5")) {
        let mut socks = SocksV5::new(proxy, tcp);
        if let Some((user, password)) = login {
            socks = socks.with_auth(user, password);
        }
        return stack(&config, &tls, socks.map_err(move |err| failed(err.into())));
    }
    // to a proxy of https:// our connection is encrypted as well, and trusted by the same authorities
    let mut tunnel = Tunnel::new(proxy, secured(&config, &tls, tcp)?);
    if let Some((user, password)) = login
        && let Some(basic) = basic(&user, &password)
    {
        tunnel = tunnel.with_auth(basic);
    }
    stack(&config, &tls, tunnel.map_err(move |err| failed(err.into())))
}

/// The client over connections that `connector` makes.
fn stack<C>(config: &Config, tls: &ClientConfig, connector: C) -> Result<Client, String>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<tower::BoxError>,
{
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
    let http = http.build::<_, Body>(secured(config, tls, connector)?);
    let stack = ClientBuilder::new(http, config.default_namespace.clone())
        .with_layer(&config.base_uri_layer())
        .with_layer(&DecompressionLayer::new().gzip(!config.disable_compression))
        .with_layer(&config.extra_headers_layer().map_err(|err| err.to_string())?);
    Ok(stack.build())
}

/// What `connector` makes, in TLS where the address asks for it.
fn secured<C>(config: &Config, tls: &ClientConfig, connector: C) -> Result<HttpsConnector<C>, String> {
    let mut builder = HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
    if let Some(name) = &config.tls_server_name {
        let name = ServerName::try_from(name.clone()).map_err(|err| format!("tls-server-name `{name}` is no name: {err}"))?;
        builder = builder.with_server_name_resolver(FixedServerNameResolver::new(name));
    }
    Ok(builder.enable_http1().wrap_connector(connector))
}

/// Whom to believe, and who we are. The kube crate can do this too, but with all its ways to log in behind it.
fn tls_config(config: &Config) -> Result<ClientConfig, String> {
    let roots = match &config.root_cert {
        _ if config.accept_invalid_certs => None,
        Some(authorities) => {
            let mut roots = RootCertStore::empty();
            for der in authorities {
                let added = roots.add(CertificateDer::from(der.clone()));
                added.map_err(|err| format!("its certificate authority cannot be used: {err}"))?;
            }
            Some(roots)
        }
        None => Some(tls::system_roots()),
    };
    tls::client(roots, identity(&config.auth_info)?).map_err(|err| format!("the client certificate and its key do not fit: {err}"))
}

/// What a user shows who we are with in TLS.
fn identity(user: &AuthInfo) -> Result<Option<Identity>, String> {
    let pem = |what: &str, data: Option<&str>, file: Option<&String>| match (data, file) {
        (Some(data), _) => STANDARD.decode(data).map(Some).map_err(|err| format!("the {what} is no base64: {err}")),
        (None, Some(file)) => std::fs::read(file).map(Some).map_err(|err| format!("the {what} cannot be read: {file}: {err}")),
        (None, None) => Ok(None),
    };
    let certificate = pem("client certificate", user.client_certificate_data.as_deref(), user.client_certificate.as_ref())?;
    let key = user.client_key_data.as_ref().map(|key| key.expose_secret());
    let (certificate, key) = match (certificate, pem("client key", key, user.client_key.as_ref())?) {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) => return Ok(None),
        (Some(_), None) => return Err("there is a client certificate without its key".to_owned()),
        (None, Some(_)) => return Err("there is a client key without its certificate".to_owned()),
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&certificate).collect();
    let chain = chain.map_err(|err| format!("the client certificate cannot be read: {err}"))?;
    if chain.is_empty() {
        return Err("the client certificate is none".to_owned());
    }
    // why it cannot be read would quote it
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|_| "the client key cannot be read (it must be PKCS #8, PKCS #1 or SEC 1, and not encrypted)".to_owned())?;
    Ok(Some((chain, key)))
}
