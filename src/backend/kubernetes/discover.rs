//! Which clusters there are: contexts of kubeconfig files, or the cluster this process runs in. No network traffic.

use super::connect::Context;
use crate::backend::{BackendError, Connector};
use crate::model::ClusterId;
use futures::FutureExt;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

/// What of the environment decides where to look.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `KUBECONFIG`: a list of files.
    pub kubeconfig: Option<std::ffi::OsString>,
    /// Home directory.
    pub home: Option<PathBuf>,
    /// `KUBERNETES_SERVICE_HOST`: set in every container that Kubernetes runs.
    pub service_host: Option<String>,
}

/// What was found.
#[derive(Default)]
pub struct Discovered {
    /// Clusters, in the order of the files.
    pub connectors: Vec<Arc<dyn Connector>>,
    /// Files that could not be read, a sentence each.
    pub notices: Vec<String>,
    /// The context that kubectl would use, if the files say so.
    pub current: Option<String>,
}

/// Finds clusters where kubectl would look: the files of `KUBECONFIG`, else `~/.kube/config`, else the service account of
/// the pod this process runs in.
pub fn discover(env: &Environment) -> Discovered {
    let files = files(env);
    let found = discover_files(&files);
    if found.connectors.is_empty() && found.notices.is_empty() && env.service_host.is_some() {
        let server = format!("https://{}", env.service_host.as_deref().unwrap_or_default());
        let context = Context { id: ClusterId::from("in-cluster"), server, source: Source::ServiceAccount };
        return Discovered { connectors: vec![Arc::new(context)], ..Discovered::default() };
    }
    found
}

/// All contexts of these files, merged as kubectl merges them: of two entries with one name the first wins. A file that is
/// missing is skipped, one that is broken becomes a notice, a broken context becomes a cluster that says why.
pub fn discover_files(files: &[PathBuf]) -> Discovered {
    let (merged, notices) = read(files);
    let files: Arc<[PathBuf]> = Arc::from(files);
    let mut seen = HashSet::new();
    let mut connectors: Vec<Arc<dyn Connector>> = Vec::new();
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
        connectors.push(Arc::new(Context { id: ClusterId::new(&named.name), server, source }));
    }
    Discovered { connectors, notices, current: merged.current_context }
}

/// Where a context's configuration is; read again for each attempt to connect.
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
    ServiceAccount,
}

impl Source {
    /// Reads the configuration. Blocks on files.
    pub fn load(&self) -> Result<Config, BackendError> {
        match self {
            Self::ServiceAccount => Config::incluster_env()
                .map_err(|err| BackendError::Unreachable(format!("the service account of this pod cannot be used: {err}"))),
            Self::Files { files, context } => {
                let broken = |why: String| BackendError::Unreachable(format!("context {context} cannot be used: {why}"));
                let (merged, notices) = read(files);
                if !merged.contexts.iter().any(|c| c.name == *context) {
                    let why = notices.first().cloned().unwrap_or_else(|| "it is no longer in the kubeconfig".to_owned());
                    return Err(broken(why));
                }
                if let Some(why) = missing(&merged, context) {
                    return Err(broken(why));
                }
                let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
                // async in name only: it reads files
                let config = Config::from_custom_kubeconfig(merged, &options).now_or_never();
                config.ok_or_else(|| broken("it could not be read at once".to_owned()))?.map_err(|err| broken(why(&err)))
            }
        }
    }
}

/// What a context names and is not there. The kube crate takes a user that does not exist for nobody, and does not say
/// which file it could not read.
fn missing(merged: &Kubeconfig, context: &str) -> Option<String> {
    let context = merged.contexts.iter().find(|c| c.name == context)?.context.as_ref()?;
    if !merged.clusters.iter().any(|c| c.name == context.cluster) {
        return Some(format!("it is of cluster `{}`, which the kubeconfig does not have", context.cluster));
    }
    let name = context.user.as_deref().filter(|name| !name.is_empty())?;
    let Some(user) = merged.auth_infos.iter().find(|u| u.name == name) else {
        return Some(format!("it is for user `{name}`, which the kubeconfig does not have"));
    };
    let user = user.auth_info.as_ref()?;
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

fn files(env: &Environment) -> Vec<PathBuf> {
    let listed = env.kubeconfig.as_deref().unwrap_or(OsStr::new(""));
    let listed: Vec<PathBuf> = std::env::split_paths(listed).filter(|path| !path.as_os_str().is_empty()).collect();
    if listed.is_empty() { env.home.iter().map(|home| home.join(".kube/config")).collect() } else { listed }
}

fn read(files: &[PathBuf]) -> (Kubeconfig, Vec<String>) {
    let mut merged = Kubeconfig::default();
    let mut notices = Vec::new();
    for file in files {
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

/// The first line of an error's words, and of what caused it where that says more.
fn why(err: &dyn std::error::Error) -> String {
    let text = err.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

/// An address as it may be shown: without user and password.
fn without_credentials(server: &str) -> String {
    match server.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?.1))) {
        Some((scheme, rest)) => format!("{scheme}://{rest}"),
        None => server.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(found: &Discovered) -> Vec<(String, String)> {
        found.connectors.iter().map(|c| c.cluster()).map(|c| (c.id.to_string(), c.endpoint.to_string())).collect()
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
            service_host: Some("10.0.0.1".into()),
            ..Environment::default()
        };
        let found = discover(&env);
        let want = [("prod", "https://one:6443"), ("lost", ""), ("stage", "https://two:6443 (certificate not checked)")];
        assert_eq!(names(&found), want.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert_eq!(found.notices.len(), 1);
        assert!(found.notices[0].contains("broken cannot be read"), "{:?}", found.notices);
        let lost = Source::Files { files: Arc::from([one]), context: "lost".into() }.load().unwrap_err();
        assert!(lost.to_string().contains("context lost cannot be used"), "{lost}");
    }

    #[test]
    fn without_any_file_the_service_account_is_used_if_there_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let mut env = Environment { home: Some(dir.path().into()), ..Environment::default() };
        assert!(names(&discover(&env)).is_empty());
        env.service_host = Some("10.0.0.1".into());
        assert_eq!(names(&discover(&env)), [("in-cluster".to_owned(), "https://10.0.0.1".to_owned())]);
    }
}
