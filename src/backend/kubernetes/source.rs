//! Where the configuration of a connection is, and how it is read: anew for each attempt, because a login may have written
//! new credentials since the last one.

use super::proxy::{self, Proxies};
use crate::backend::BackendError;
use kube::Config;
use kube::config::{AuthInfo, ExecAuthCluster, Kubeconfig, KubeconfigError};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A place to read from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A context of kubeconfig files.
    Files {
        /// All files, as for kubectl.
        files: Arc<[PathBuf]>,
        /// Name of the context.
        context: String,
    },
    /// The service account of the pod this process runs in.
    ServiceAccount {
        /// Address of the server.
        server: String,
        /// The folder with `token`, `ca.crt` and `namespace`.
        folder: PathBuf,
    },
}

impl Source {
    /// Reads the configuration. Blocks on files.
    pub fn load(&self, proxies: &Proxies) -> Result<Config, BackendError> {
        let (mut config, named) = match self {
            Self::Files { files, context } => of_context(files, context)?,
            Self::ServiceAccount { server, folder } => (of_account(server, folder)?, None),
        };
        let chosen = named.as_deref().or_else(|| proxies.of(&config.cluster_url));
        config.proxy_url = chosen.map(proxy::parse).transpose().map_err(BackendError::Unreachable)?;
        Ok(config)
    }
}

/// The configuration of a context, and the proxy that its cluster names.
fn of_context(files: &[PathBuf], context: &str) -> Result<(Config, Option<String>), BackendError> {
    let (merged, notices) = read(files);
    let also = notices.first().map(|notice| format!("; {notice}")).unwrap_or_default();
    let words = |why: String| format!("context {context} cannot be used: {why}");
    let broken = |why: String| BackendError::Unreachable(words(why));
    let Some(named) = merged.contexts.iter().find(|c| c.name == context) else {
        return Err(broken(notices.first().cloned().unwrap_or_else(|| "it is no longer in the kubeconfig".to_owned())));
    };
    let entry = named.context.clone().unwrap_or_default();
    let lacks = |what: &str, name: &str| words(format!("it names {what} `{name}`, which the kubeconfig does not have{also}"));
    if entry.cluster.is_empty() {
        return Err(broken("it names no cluster".to_owned()));
    }
    let found = merged.clusters.iter().find(|c| c.name == entry.cluster).and_then(|c| c.cluster.as_ref());
    let Some(cluster) = found else { return Err(BackendError::Unreachable(lacks("cluster", &entry.cluster))) };
    // without credentials a server may take us for anybody: a user who is missing is no user who needs none
    let user = match entry.user.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => {
            let found = merged.auth_infos.iter().find(|u| u.name == name);
            let Some(user) = found else { return Err(BackendError::Unauthorised(lacks("user", name))) };
            let user = user.auth_info.clone().unwrap_or_default();
            if let Some(why) = unreadable(name, &user).or_else(|| dropped(name, &user)) {
                return Err(BackendError::Unauthorised(words(why)));
            }
            user
        }
        None => Default::default(),
    };
    let server = cluster.server.as_deref().filter(|s| !s.is_empty());
    let server = server.ok_or_else(|| broken(format!("its cluster `{}` has no server", entry.cluster)))?;
    let url = server.parse().map_err(|err| broken(format!("its server is no address: {err}")))?;
    // what a plugin is told of the cluster is also how its authority is read from wherever it is
    let told = ExecAuthCluster::try_from(cluster).map_err(|err| broken(why(&err)))?;
    let mut config = Config::new(url);
    config.root_cert = told.certificate_authority_data.as_deref().map(certificates).transpose().map_err(broken)?;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.tls_server_name = cluster.tls_server_name.clone();
    config.auth_info = user;
    if let Some(plugin) = config.auth_info.exec.as_mut().filter(|plugin| plugin.provide_cluster_info) {
        plugin.cluster = Some(told);
    }
    if let Some(namespace) = entry.namespace.filter(|name| !name.is_empty()) {
        config.default_namespace = namespace;
    }
    Ok((config, cluster.proxy_url.clone().filter(|proxy| !proxy.is_empty())))
}

/// Which of the files that a user's credentials are in cannot be read; what reads them later does not know whose they are.
fn unreadable(name: &str, user: &AuthInfo) -> Option<String> {
    let files = [
        ("client certificate", user.client_certificate.as_ref().filter(|_| user.client_certificate_data.is_none())),
        ("client key", user.client_key.as_ref().filter(|_| user.client_key_data.is_none())),
        ("token", user.token_file.as_ref().filter(|_| user.token.is_none())),
    ];
    files.into_iter().find_map(|(what, file)| {
        let error = std::fs::File::open(file?).err()?;
        Some(format!("the {what} of user `{name}` cannot be read: {}: {error}", file?))
    })
}

/// Ways to log in that kubectl has no more (since 1.26), or never had.
fn dropped(name: &str, user: &AuthInfo) -> Option<String> {
    let provider = user.auth_provider.as_ref()?.name.as_str();
    let instead = match provider {
        "oidc" => return None,
        "gcp" => "which kubectl has dropped: use the plugin gke-gcloud-auth-plugin (`exec`)",
        "azure" => "which kubectl has dropped: use the plugin kubelogin (`exec`)",
        _ => "which kubectl does not know: use a plugin (`exec`)",
    };
    Some(format!("user `{name}` logs in with the auth-provider {provider}, {instead}"))
}

/// The configuration that every pod is given (Kubernetes docs, "Accessing the API from a Pod").
fn of_account(server: &str, folder: &Path) -> Result<Config, BackendError> {
    let broken = |why: String| BackendError::Unreachable(format!("the service account of this pod cannot be used: {why}"));
    let file = |name: &str| {
        let path = folder.join(name);
        std::fs::read(&path).map_err(|err| broken(format!("{} cannot be read: {err}", path.display())))
    };
    let mut config = Config::new(server.parse().map_err(|err| broken(format!("{server} is no address: {err}")))?);
    config.root_cert = Some(certificates(&file("ca.crt")?).map_err(broken)?);
    // the file, not what is in it now: it is renewed every hour or so
    file("token")?;
    config.auth_info.token_file = Some(folder.join("token").display().to_string());
    if let Ok(namespace) = file("namespace") {
        config.default_namespace = String::from_utf8_lossy(&namespace).trim().to_owned();
    }
    Ok(config)
}

/// The certificates of a PEM.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).map(|one| one.map(|der| der.as_ref().to_vec())).collect();
    match all {
        Ok(all) if all.is_empty() => Err("its certificate authority holds no certificate".to_owned()),
        Ok(all) => Ok(all),
        Err(err) => Err(format!("its certificate authority cannot be read: {err}")),
    }
}

/// All files merged as kubectl merges them, and a sentence for each that could not be read. Missing ones are skipped.
pub(super) fn read(files: &[PathBuf]) -> (Kubeconfig, Vec<String>) {
    let mut merged = Kubeconfig::default();
    let mut notices = Vec::new();
    for file in files {
        if torn(file) {
            notices.push(format!("{} cannot be read: it is UTF-16 and ends in the middle of a character", file.display()));
            continue;
        }
        let next = match Kubeconfig::read_from(file) {
            Ok(next) => next,
            Err(KubeconfigError::ReadConfig(err, _)) if err.kind() == std::io::ErrorKind::NotFound => continue,
            Err(err) => {
                notices.push(format!("{} cannot be read: {}", file.display(), why(&err)));
                continue;
            }
        };
        match merged.clone().merge(next) {
            Ok(both) => merged = both,
            Err(err) => notices.push(format!("{} is left out: {}", file.display(), why(&err))),
        }
    }
    (merged, notices)
}

/// Whether a file is UTF-16 (as Windows writes it) with half a character at its end: the kube crate panics at one.
fn torn(file: &Path) -> bool {
    std::fs::read(file).is_ok_and(|bytes| matches!(bytes[..], [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) && bytes.len() % 2 == 1)
}

/// The first line of an error's words.
fn why(err: &dyn std::error::Error) -> String {
    let text = err.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_that_ends_in_the_middle_of_a_character_is_told_of_and_hides_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let [torn, whole] = ["torn", "whole"].map(|name| dir.path().join(name));
        let utf16: Vec<u8> = std::iter::once(0xFEFF).chain(FILE.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        std::fs::write(&torn, &utf16[..utf16.len() - 1]).unwrap();
        std::fs::write(&whole, &utf16).unwrap();
        let (found, notices) = read(&[torn.clone(), whole]);
        let why = "cannot be read: it is UTF-16 and ends in the middle of a character";
        assert_eq!(notices, [format!("{} {why}", torn.display())]);
        assert!(found.contexts.iter().any(|context| context.name == "good"));
    }

    const FILE: &str = "
clusters:
- {name: c, cluster: {server: 'https://one:6443', proxy-url: 'http://proxy:3128'}}
- {name: d, cluster: {server: 'https://two:6443'}}
- {name: empty, cluster: {}}
users:
- {name: u, user: {token: t}}
- {name: g, user: {auth-provider: {name: gcp, config: {cmd-path: sh, cmd-args: config}}}}
contexts:
- {name: good, context: {cluster: c, user: u, namespace: shop}}
- {name: plain, context: {cluster: d, user: u}}
- {name: anybody, context: {cluster: d, user: ''}}
- {name: nobody, context: {cluster: c, user: gone}}
- {name: nowhere, context: {cluster: gone, user: u}}
- {name: bare}
- {name: no-server, context: {cluster: empty, user: u}}
- {name: google, context: {cluster: d, user: g}}
";

    fn load(context: &str) -> Result<Config, BackendError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        std::fs::write(&file, FILE).unwrap();
        let proxies = Proxies::new(|name| (name == "HTTPS_PROXY").then(|| "http://environment:1".to_owned()));
        Source::Files { files: Arc::from([file]), context: context.into() }.load(&proxies)
    }

    #[test]
    fn an_entry_that_a_context_names_and_nobody_has_is_said_and_never_taken_for_no_credentials() {
        let want = BackendError::Unauthorised(
            "context nobody cannot be used: it names user `gone`, which the kubeconfig does not have".into(),
        );
        assert_eq!(load("nobody").unwrap_err(), want);
        let want = "context nowhere cannot be used: it names cluster `gone`, which the kubeconfig does not have";
        assert_eq!(load("nowhere").unwrap_err(), BackendError::Unreachable(want.into()));
        assert_eq!(load("bare").unwrap_err().to_string(), "context bare cannot be used: it names no cluster");
        let want = "context no-server cannot be used: its cluster `empty` has no server";
        assert_eq!(load("no-server").unwrap_err(), BackendError::Unreachable(want.into()));
        assert!(load("anybody").is_ok(), "a context may name no user at all");
    }

    #[test]
    fn an_auth_provider_of_the_past_is_not_run_and_what_to_use_is_said() {
        let said = load("google").unwrap_err().to_string();
        assert!(said.contains("user `g` logs in with the auth-provider gcp, which kubectl has dropped"), "{said}");
        assert!(said.ends_with("use the plugin gke-gcloud-auth-plugin (`exec`)"), "{said}");
    }

    #[test]
    fn the_context_gives_the_namespace_and_its_cluster_the_proxy_before_the_environment() {
        let good = load("good").unwrap();
        assert_eq!((good.default_namespace.as_str(), good.proxy_url.unwrap().host()), ("shop", Some("proxy")));
        let plain = load("plain").unwrap();
        assert_eq!((plain.default_namespace.as_str(), plain.proxy_url.unwrap().host()), ("default", Some("environment")));
    }

    #[test]
    fn a_service_account_that_lacks_a_file_says_which() {
        let dir = tempfile::tempdir().unwrap();
        let source = Source::ServiceAccount { server: "https://10.0.0.1".into(), folder: dir.path().into() };
        let err = source.load(&Proxies::default()).unwrap_err().to_string();
        assert!(err.contains("service account of this pod") && err.contains("ca.crt cannot be read"), "{err}");
    }
}
