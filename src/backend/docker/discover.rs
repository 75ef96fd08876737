//! Finds engines without any network traffic: `DOCKER_HOST`, docker contexts, the local socket.
//!
//! Formats: docker/cli `cli/context/store` (metadata below `contexts/meta/<sha256 of the name>/meta.json`, TLS files below
//! `contexts/tls/<the same>/docker/`).

use super::connector::DockerConnector;
use super::transport::{Endpoint, Tls};
use crate::model::ClusterId;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where discovery looks.
pub struct Env<'a> {
    /// Reads an environment variable.
    pub var: &'a dyn Fn(&str) -> Option<String>,
    /// The home directory.
    pub home: Option<PathBuf>,
    /// The local engine's socket, usually `/var/run/docker.sock`.
    pub socket: PathBuf,
}

/// The engines of this environment: `DOCKER_HOST` first, then contexts by name, then the local socket; each engine once.
/// What is named but cannot be read is a connector too, whose connecting fails with the reason.
pub fn discover(env: &Env) -> Vec<DockerConnector> {
    let mut found = Found::default();
    let var = |name: &str| (env.var)(name).filter(|value| !value.trim().is_empty());
    let config = var("DOCKER_CONFIG").map(PathBuf::from).or_else(|| env.home.as_ref().map(|home| home.join(".docker")));
    let contexts = config.as_deref().map(contexts).unwrap_or_default();
    if let Some(host) = var("DOCKER_HOST") {
        let dir = var("DOCKER_CERT_PATH").map(PathBuf::from).or(config);
        let tls = var("DOCKER_TLS_VERIFY").map(|_| Tls { dir, verify: true });
        let endpoint = Endpoint::parse(host.trim(), tls).map_err(|wrong| format!("DOCKER_HOST: {wrong}"));
        // a context that names the same engine lends it its name
        let twin = endpoint
            .as_ref()
            .ok()
            .and_then(|mine| contexts.iter().find(|(_, theirs)| theirs.as_ref().is_ok_and(|t| mine.same_as(t))));
        let (name, endpoint) = match (twin, &endpoint) {
            // and its TLS files, where the environment has none
            (Some((name, Ok(theirs))), Ok(Endpoint::Tcp { tls: None, .. })) => (name.clone(), Ok(theirs.clone())),
            (Some((name, _)), _) => (name.clone(), endpoint),
            (None, _) => (name_of(endpoint.as_ref().ok(), &env.socket), endpoint),
        };
        found.add(&name, host.trim(), endpoint);
    }
    for (name, endpoint) in contexts {
        let address = endpoint.as_ref().map_or_else(|_| String::new(), ToString::to_string);
        found.add(&name, &address, endpoint);
    }
    if env.socket.exists() {
        let endpoint = Endpoint::Unix(env.socket.clone());
        found.add("docker", &endpoint.to_string(), Ok(endpoint));
    }
    found.connectors
}

#[derive(Default)]
struct Found {
    connectors: Vec<DockerConnector>,
    endpoints: Vec<Endpoint>,
}

impl Found {
    fn add(&mut self, name: &str, address: &str, endpoint: Result<Endpoint, String>) {
        if let Ok(endpoint) = &endpoint {
            if self.endpoints.iter().any(|known| known.same_as(endpoint)) {
                return;
            }
            self.endpoints.push(endpoint.clone());
        }
        let taken = |name: &str| self.connectors.iter().any(|c| c.id().as_str() == name);
        let unique = std::iter::once(name.to_owned())
            .chain((2..).map(|n| format!("{name}-{n}")))
            .find(|name| !taken(name))
            .unwrap_or_default();
        self.connectors.push(DockerConnector::new(ClusterId::new(&unique), address, endpoint));
    }
}

/// A name for an engine that only an address is known of.
fn name_of(endpoint: Option<&Endpoint>, local: &Path) -> String {
    match endpoint {
        Some(Endpoint::Tcp { host, .. } | Endpoint::Ssh { host, .. }) => host.clone(),
        Some(Endpoint::Unix(path)) if path != local => {
            path.file_stem().map_or_else(|| "docker".to_owned(), |stem| stem.to_string_lossy().into_owned())
        }
        Some(Endpoint::Unix(_)) => "docker".to_owned(),
        None => "DOCKER_HOST".to_owned(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    name: String,
    #[serde(default)]
    endpoints: BTreeMap<String, MetaEndpoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetaEndpoint {
    #[serde(default)]
    host: String,
    #[serde(default, rename = "SkipTLSVerify")]
    skip_tls_verify: bool,
}

/// All contexts below a docker configuration directory, by name. Contexts without a docker endpoint (old Kubernetes ones)
/// are none of ours.
fn contexts(config: &Path) -> Vec<(String, Result<Endpoint, String>)> {
    let Ok(dirs) = std::fs::read_dir(config.join("contexts").join("meta")) else { return Vec::new() };
    let mut found: Vec<_> =
        dirs.flatten().map(|dir| dir.path()).filter(|dir| dir.is_dir()).filter_map(|dir| context(config, &dir)).collect();
    found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    found
}

fn context(config: &Path, dir: &Path) -> Option<(String, Result<Endpoint, String>)> {
    let hash = dir.file_name()?.to_string_lossy().into_owned();
    let file = dir.join("meta.json");
    let meta = std::fs::read(&file)
        .map_err(|e| e.to_string())
        .and_then(|json| serde_json::from_slice::<Meta>(&json).map_err(|e| e.to_string()));
    let meta = match meta {
        Ok(meta) => meta,
        Err(cause) => {
            let short: String = hash.chars().take(8).collect();
            return Some((
                format!("context-{short}"),
                Err(format!("the docker context {} cannot be read: {cause}", file.display())),
            ));
        }
    };
    let endpoint = meta.endpoints.get("docker").filter(|endpoint| !endpoint.host.is_empty())?;
    let tls = config.join("contexts").join("tls").join(&hash).join("docker");
    let tls = match (tls.is_dir(), endpoint.skip_tls_verify) {
        (true, skip) => Some(Tls { dir: Some(tls), verify: !skip }),
        (false, true) => Some(Tls { dir: None, verify: false }),
        (false, false) => None,
    };
    let parsed = Endpoint::parse(&endpoint.host, tls).map_err(|wrong| format!("docker context {}: {wrong}", meta.name));
    Some((meta.name, parsed))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::backend::Connector;
    use std::fs;

    fn write_context(config: &Path, hash: &str, json: &str, tls: bool) {
        let dir = config.join("contexts/meta").join(hash);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("meta.json"), json).unwrap();
        if tls {
            fs::create_dir_all(config.join("contexts/tls").join(hash).join("docker")).unwrap();
        }
    }

    fn rows(found: &[DockerConnector]) -> Vec<(String, String)> {
        found.iter().map(|c| c.cluster()).map(|c| (c.id.to_string(), c.endpoint.to_string())).collect()
    }

    #[tokio::test]
    async fn every_source_counts_each_engine_is_there_once_and_a_broken_context_hides_nothing() {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join(".docker");
        write_context(&config, "aa", r#"{"Name":"prod","Endpoints":{"docker":{"Host":"tcp://m1:2376"}}}"#, true);
        write_context(&config, "bb", r#"{"Name":"edge","Endpoints":{"docker":{"Host":"ssh://ops@edge"}}}"#, false);
        write_context(&config, "cc", r#"{"Name":"old","Endpoints":{"kubernetes":{"Host":"https://k"}}}"#, false);
        write_context(&config, "dddddddddddd", r#"{"Name":"#, false);
        let socket = home.path().join("docker.sock");
        fs::write(&socket, "").unwrap();
        let vars = |name: &str| (name == "DOCKER_HOST").then(|| "tcp://M1:2376".to_owned());
        let env = Env { var: &vars, home: Some(home.path().to_owned()), socket };
        let found = discover(&env);
        let rows = rows(&found);
        assert_eq!(rows[0], ("prod".to_owned(), "tcp://m1:2376".to_owned()));
        assert_eq!(rows[1].0, "context-dddddddd");
        assert_eq!(rows[2], ("edge".to_owned(), "ssh://ops@edge".to_owned()));
        assert_eq!(rows[3].0, "docker");
        assert_eq!(rows.len(), 4);
        let why = found[1].connect().await.err().unwrap().to_string();
        assert!(why.contains("meta.json cannot be read"), "{why}");
    }

    #[test]
    fn docker_host_with_tls_and_its_own_configuration_directory() {
        let config = tempfile::tempdir().unwrap();
        let dir = config.path().to_string_lossy().into_owned();
        let vars = |name: &str| match name {
            "DOCKER_HOST" => Some("tcp://m9".to_owned()),
            "DOCKER_TLS_VERIFY" => Some("1".to_owned()),
            "DOCKER_CONFIG" => Some(dir.clone()),
            _ => None,
        };
        let found = discover(&Env { var: &vars, home: None, socket: PathBuf::from("/nonexistent.sock") });
        assert_eq!(found[0].endpoint().unwrap().to_string(), "tcp://m9:2376");
        assert_eq!(rows(&found).len(), 1);
    }
}
