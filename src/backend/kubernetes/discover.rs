//! Which clusters there are: contexts of kubeconfig files, or the cluster this process runs in. No network traffic.

use super::connect::Context;
use super::proxy::Proxies;
use super::source::{Source, read};
use crate::backend::address::without_credentials;
use crate::model::ClusterId;
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;

/// Where Kubernetes puts the credentials of a pod's service account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// What of the environment decides where to look.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `KUBECONFIG`: a list of files.
    pub kubeconfig: Option<OsString>,
    /// Home directory.
    pub home: Option<PathBuf>,
    /// `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`: set in every container that Kubernetes runs.
    pub service: Option<(String, String)>,
    /// The folder with the credentials of the service account.
    pub account: PathBuf,
    /// Proxies.
    pub proxies: Proxies,
}

impl Environment {
    /// What `var` knows of the environment's variables.
    pub fn new(var: impl Fn(&str) -> Option<OsString>, home: Option<PathBuf>) -> Self {
        let text = |name: &str| var(name).and_then(|value| value.into_string().ok());
        Self {
            kubeconfig: var("KUBECONFIG"),
            home,
            service: text("KUBERNETES_SERVICE_HOST").zip(text("KUBERNETES_SERVICE_PORT")),
            account: PathBuf::from(ACCOUNT),
            proxies: Proxies::new(text),
        }
    }
}

/// What was found.
#[derive(Default)]
pub struct Discovered {
    /// Clusters, in the order of the files.
    pub contexts: Vec<Context>,
    /// Files that could not be read, a sentence each.
    pub notices: Vec<String>,
    /// The context that kubectl would use, if the files say so.
    pub current: Option<String>,
}

/// Finds clusters where kubectl would look: the files of `KUBECONFIG`, else `~/.kube/config`, else the service account of
/// the pod this process runs in.
pub fn discover(env: &Environment) -> Discovered {
    let found = discover_files(&files(env), &env.proxies);
    match &env.service {
        Some((host, port)) if found.contexts.is_empty() && found.notices.is_empty() => {
            let server = address(host, port);
            let source = Source::ServiceAccount { server: server.clone(), folder: env.account.clone() };
            let context = Context::new(ClusterId::from("in-cluster"), server, source, &env.proxies);
            Discovered { contexts: vec![context], ..Discovered::default() }
        }
        _ => found,
    }
}

fn address(host: &str, port: &str) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    if port == "443" { format!("https://{host}") } else { format!("https://{host}:{port}") }
}

/// All contexts of these files, merged as kubectl merges them: of two entries with one name the first wins. A file that is
/// missing is skipped, one that is broken becomes a notice, a broken context becomes a cluster that says why.
pub fn discover_files(files: &[PathBuf], proxies: &Proxies) -> Discovered {
    let (merged, notices) = read(files);
    let files: Arc<[PathBuf]> = Arc::from(files);
    let mut seen = HashSet::new();
    let mut contexts = Vec::new();
    for named in &merged.contexts {
        if !seen.insert(named.name.as_str()) {
            continue;
        }
        let cluster = named.context.as_ref().map(|c| c.cluster.as_str());
        let cluster = merged.clusters.iter().find(|c| Some(c.name.as_str()) == cluster).and_then(|c| c.cluster.as_ref());
        let mut server = cluster.and_then(|c| c.server.as_deref()).map(without_credentials).unwrap_or_default();
        if cluster.is_some_and(|c| c.insecure_skip_tls_verify == Some(true)) {
            server.push_str(" (certificate not checked)");
        }
        let source = Source::Files { files: Arc::clone(&files), context: named.name.clone() };
        contexts.push(Context::new(ClusterId::new(&named.name), server, source, proxies));
    }
    Discovered { contexts, notices, current: merged.current_context }
}

fn files(env: &Environment) -> Vec<PathBuf> {
    let listed = env.kubeconfig.as_deref().unwrap_or(OsStr::new(""));
    let listed: Vec<PathBuf> = std::env::split_paths(listed).filter(|path| !path.as_os_str().is_empty()).collect();
    if listed.is_empty() { env.home.iter().map(|home| home.join(".kube/config")).collect() } else { listed }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::backend::Connector;

    fn names(found: &Discovered) -> Vec<(String, String)> {
        found.contexts.iter().map(|c| c.cluster()).map(|c| (c.id.to_string(), c.endpoint.to_string())).collect()
    }

    #[test]
    fn all_contexts_of_all_files_are_found_and_a_broken_one_hides_none() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            std::fs::write(dir.path().join(name), text).unwrap();
            dir.path().join(name)
        };
        let one = file(
            "one",
            "clusters: [{name: c, cluster: {server: 'https://user:pass@one:6443'}}]\ncontexts: [{name: prod, context: {cluster: c, user: u}}, {name: lost, context: {cluster: nowhere, user: u}}]\n",
        );
        let broken = file("broken", "clusters: [\n");
        let two = file(
            "two",
            "clusters: [{name: d, cluster: {server: 'https://two:6443', insecure-skip-tls-verify: true}}]\ncontexts: [{name: prod, context: {cluster: d, user: u}}, {name: stage, context: {cluster: d, user: u}}]\n",
        );
        let missing = dir.path().join("missing");
        let env = Environment {
            kubeconfig: Some(std::env::join_paths([&one, &broken, &missing, &two]).unwrap()),
            service: Some(("10.0.0.1".into(), "443".into())),
            ..Environment::default()
        };
        let found = discover(&env);
        let want = [("prod", "https://one:6443"), ("lost", ""), ("stage", "https://two:6443 (certificate not checked)")];
        assert_eq!(names(&found), want.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert_eq!(found.notices.len(), 1);
        assert!(found.notices[0].contains("broken cannot be read"), "{:?}", found.notices);
    }

    #[test]
    fn without_any_file_the_service_account_is_used_if_there_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let mut env = Environment { home: Some(dir.path().into()), ..Environment::default() };
        assert!(names(&discover(&env)).is_empty());
        for (host, port, want) in [
            ("10.0.0.1", "443", "https://10.0.0.1"),
            ("10.0.0.1", "6443", "https://10.0.0.1:6443"),
            ("fd00::1", "6443", "https://[fd00::1]:6443"),
        ] {
            env.service = Some((host.into(), port.into()));
            assert_eq!(names(&discover(&env)), [("in-cluster".to_owned(), want.to_owned())]);
        }
    }
}
