//! Which clusters there are. Reads files, makes no connection.

use crate::backend::{Backend, BackendError, Connector, docker, kubernetes, sim};
use crate::config::{ClusterConfig, Config, Endpoint, closest};
use crate::model::{Capabilities, Cluster, ClusterId, ClusterKind, Link, Text};
use futures::future::BoxFuture;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Where a local engine listens unless something else is said.
const SOCKET: &str = "/var/run/docker.sock";

/// What the command line asks for.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// A simulated fleet instead of real clusters.
    pub demo: Option<Demo>,
    /// Only these kubeconfig contexts; all if empty.
    pub contexts: Vec<String>,
    /// Only these clusters, by the name they have on screen; all if empty.
    pub clusters: Vec<String>,
}

/// Which simulated fleet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demo {
    /// What happens in it: the same number, the same happenings.
    pub seed: u64,
    /// Nodes, services and tasks; none for the fleet with a story.
    pub size: Option<(u32, u32, u32)>,
}

impl Demo {
    /// What it is made of.
    pub fn scenario(self) -> Result<sim::Scenario, String> {
        let scenario = match self.size {
            Some((nodes, services, tasks)) => sim::Scenario::sized(nodes, services, tasks),
            None => sim::demo_scenario(),
        };
        scenario.map_err(|problem| problem.to_string())
    }
}

/// The clusters to connect to.
#[derive(Default)]
pub struct Fleet {
    /// How to reach each, in the order they are shown.
    pub connectors: Vec<Arc<dyn Connector>>,
    /// What went wrong on the way, a sentence each.
    pub warnings: Vec<String>,
}

/// Finds the clusters. An error is a choice that nothing answers to.
pub fn discover(config: &Config, choice: &Choice, demo: sim::Options) -> Result<Fleet, String> {
    let mut fleet = match choice.demo {
        Some(which) => {
            let connectors = sim::fleet(&which.scenario()?, sim::Options { seed: which.seed, ..demo });
            Fleet { connectors, warnings: Vec::new() }
        }
        None => real(config, &choice.contexts)?,
    };
    if !choice.clusters.is_empty() {
        let known: Vec<String> = fleet.connectors.iter().map(|c| c.cluster().id.to_string()).collect();
        for name in &choice.clusters {
            named("cluster", name, &known)?;
        }
        fleet.connectors.retain(|connector| choice.clusters.iter().any(|name| *name == *connector.cluster().id));
    }
    Ok(fleet)
}

/// An error unless `name` is among `known`.
pub fn named(what: &str, name: &str, known: &[String]) -> Result<(), String> {
    if known.iter().any(|k| k == name) {
        return Ok(());
    }
    let help = match closest(name, known.iter().map(String::as_str)) {
        Some(best) => format!("did you mean `{best}`?"),
        None if known.is_empty() => "none was found".to_owned(),
        None => format!("there are {}", known.join(", ")),
    };
    Err(format!("there is no {what} `{name}` ({help})"))
}

fn real(config: &Config, contexts: &[String]) -> Result<Fleet, String> {
    found_in(config, contexts, &|name| std::env::var_os(name), etcetera::home_dir().ok())
}

/// The same in the environment that `var` reads.
fn found_in(
    config: &Config,
    contexts: &[String],
    var: &dyn Fn(&str) -> Option<OsString>,
    home: Option<PathBuf>,
) -> Result<Fleet, String> {
    let mut fleet = Fleet::default();
    let mut found: Vec<Arc<dyn Connector>> = Vec::new();
    if config.discover_kubernetes || !contexts.is_empty() {
        let environment = kubernetes::Environment::new(var, home.clone());
        let discovered = kubernetes::discover(&environment);
        fleet.warnings.extend(discovered.notices);
        let known: Vec<String> = discovered.contexts.iter().map(|c| c.cluster().id.to_string()).collect();
        for name in contexts {
            named("context", name, &known)?;
        }
        for context in discovered.contexts {
            let name = context.cluster().id.to_string();
            if contexts.is_empty() || contexts.contains(&name) {
                found.push(Arc::new(context.reading(&config.settings(&name).namespaces)));
            }
        }
    }
    if config.discover_docker && contexts.is_empty() {
        let var = |name: &str| var(name)?.into_string().ok();
        let env = docker::Env { var: &var, home, socket: PathBuf::from(SOCKET) };
        found.extend(docker::discover(&env).into_iter().map(|engine| -> Arc<dyn Connector> { Arc::new(engine) }));
    }
    let mut used = BTreeSet::new();
    let own = own(config);
    // the configuration's own clusters keep their names, whatever is discovered
    for (inner, name, settings) in own.iter().filter(|(.., settings)| !settings.hide && contexts.is_empty()) {
        fleet.add(Arc::clone(inner), name, (*settings).clone(), &mut used);
    }
    let mut unmet: BTreeSet<&String> = config.clusters.iter().filter(|(_, c)| c.endpoint.is_none()).map(|(name, _)| name).collect();
    for inner in found {
        let name = inner.cluster().id.to_string();
        unmet.remove(&name);
        let mut settings = config.settings(&name);
        let mut same = own.iter().filter(|(own, ..)| lead_to_one(&**own, &*inner)).peekable();
        // it is there under the name that the configuration gave it, or hidden
        if contexts.is_empty() && same.peek().is_some() {
            continue;
        }
        for (.., own) in same {
            settings.protected |= own.protected;
            settings.read_only |= own.read_only;
        }
        if !settings.hide {
            fleet.add(inner, &name, settings, &mut used);
        }
    }
    if contexts.is_empty() {
        fleet.warnings.extend(
            unmet
                .into_iter()
                .map(|name| format!("the configuration has settings for cluster {name}, but no cluster of that name was found")),
        );
    }
    Ok(fleet)
}

/// The clusters that the configuration says how to reach, by name, with their settings.
fn own(config: &Config) -> Vec<(Arc<dyn Connector>, &str, &ClusterConfig)> {
    let one = |(name, settings): (&'_ String, &'_ ClusterConfig)| -> Option<Arc<dyn Connector>> {
        let endpoint = settings.endpoint.as_ref()?;
        Some(configured(name, endpoint, &settings.namespaces).unwrap_or_else(|_| {
            let (id, namespaces) = (ClusterId::new(name), settings.namespaces.clone());
            Arc::new(Unusable { id, endpoint: endpoint.clone(), namespaces })
        }))
    };
    config.clusters.iter().filter_map(|(name, settings)| Some((one((name, settings))?, name.as_str(), settings))).collect()
}

fn lead_to_one(one: &dyn Connector, other: &dyn Connector) -> bool {
    let places = one.leads_to();
    other.leads_to().iter().any(|place| places.contains(place))
}

/// A cluster that the configuration says how to reach.
fn configured(name: &str, endpoint: &Endpoint, namespaces: &[String]) -> Result<Arc<dyn Connector>, String> {
    match endpoint {
        Endpoint::Docker { host, tls } => {
            // the same reading as of the environment: one address, its certificates, and nothing else around
            let folder = tls.as_deref().map(Path::to_string_lossy);
            let var = |variable: &str| match variable {
                "DOCKER_HOST" => Some(host.clone()),
                "DOCKER_CERT_PATH" => folder.as_ref().map(ToString::to_string),
                "DOCKER_TLS_VERIFY" => folder.as_ref().map(|_| "1".to_owned()),
                _ => None,
            };
            let env = docker::Env { var: &var, home: None, socket: PathBuf::new() };
            match docker::discover(&env).into_iter().next() {
                Some(engine) => Ok(Arc::new(engine)),
                None => Err(format!("cluster {name}: {host} is not a docker address")),
            }
        }
        Endpoint::Kubernetes { kubeconfig, context } => {
            if let Some(file) = kubeconfig.as_ref().filter(|file| !file.exists()) {
                return Err(format!("cluster {name}: its kubeconfig {} does not exist", file.display()));
            }
            let environment = kubernetes::Environment::new(|name| std::env::var_os(name), etcetera::home_dir().ok());
            let discovered = match kubeconfig {
                Some(file) => kubernetes::discover_files(std::slice::from_ref(file), &environment.proxies),
                None => kubernetes::discover(&kubernetes::Environment { service: None, ..environment }),
            };
            let file = kubeconfig.as_ref().map_or_else(|| "the kubeconfig".to_owned(), |file| file.display().to_string());
            let Some(wanted) = context.clone().or(discovered.current) else {
                let why = discovered.notices.first().cloned().unwrap_or_else(|| format!("{file} names no current context"));
                return Err(format!("cluster {name}: {why}; say `context = \"…\"`"));
            };
            let known: Vec<String> = discovered.contexts.iter().map(|c| c.cluster().id.to_string()).collect();
            let inner = discovered.contexts.into_iter().find(|c| *c.cluster().id == *wanted);
            inner.map(|context| -> Arc<dyn Connector> { Arc::new(context.reading(namespaces)) }).ok_or_else(|| {
                let why = discovered.notices.first().cloned();
                let why = why.or_else(|| named("context", &wanted, &known).err()).unwrap_or_default();
                format!("cluster {name}, in {file}: {why}")
            })
        }
    }
}

/// A cluster of the configuration that cannot be used as it stands. It has its row and says why, and each attempt to
/// connect reads its files anew.
struct Unusable {
    id: ClusterId,
    endpoint: Endpoint,
    namespaces: Vec<String>,
}

impl Connector for Unusable {
    fn cluster(&self) -> Cluster {
        let (kind, address) = match &self.endpoint {
            Endpoint::Docker { host, .. } => (ClusterKind::Docker, host.clone()),
            Endpoint::Kubernetes { kubeconfig, .. } => {
                (ClusterKind::Kubernetes, kubeconfig.as_ref().map(|file| file.display().to_string()).unwrap_or_default())
            }
        };
        Cluster {
            id: self.id.clone(),
            kind,
            endpoint: Text::from(address),
            version: None,
            link: Link::Connecting,
            protected: false,
            read_only: false,
            capabilities: Capabilities::default(),
            engine: None,
        }
    }

    fn connect(&self) -> BoxFuture<'_, Result<Arc<dyn Backend>, BackendError>> {
        let (name, endpoint, namespaces) = (self.id.to_string(), self.endpoint.clone(), self.namespaces.clone());
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || configured(&name, &endpoint, &namespaces)).await;
            let inner = read.map_err(|error| BackendError::Unreachable(error.to_string()))?;
            inner.map_err(BackendError::Unreachable)?.connect().await
        })
    }
}

impl Fleet {
    fn add(&mut self, inner: Arc<dyn Connector>, name: &str, settings: ClusterConfig, used: &mut BTreeSet<String>) {
        let mut names = std::iter::once(name.to_owned()).chain((2..).map(|n| format!("{name}-{n}")));
        let unique = names.find(|name| !used.contains(name)).unwrap_or_default();
        used.insert(unique.clone());
        self.connectors.push(Arc::new(Member { inner, id: ClusterId::new(&unique), settings }));
    }
}

/// A cluster by its name in the fleet and with its settings of the configuration.
struct Member {
    inner: Arc<dyn Connector>,
    id: ClusterId,
    settings: ClusterConfig,
}

impl Connector for Member {
    fn cluster(&self) -> Cluster {
        let mut cluster = self.inner.cluster();
        cluster.id = self.id.clone();
        cluster.protected |= self.settings.protected;
        cluster.read_only |= self.settings.read_only;
        cluster
    }

    fn connect(&self) -> BoxFuture<'_, Result<Arc<dyn Backend>, BackendError>> {
        self.inner.connect()
    }

    fn leads_to(&self) -> Vec<String> {
        self.inner.leads_to()
    }

    fn patience(&self) -> Duration {
        self.inner.patience()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse(&format!("[discover]\nkubernetes = false\ndocker = false\n{text}"), None).unwrap()
    }

    fn rows(fleet: &Fleet) -> Vec<(String, String, bool, bool)> {
        let row = |c: Cluster| (c.id.to_string(), c.endpoint.to_string(), c.protected, c.read_only);
        fleet.connectors.iter().map(|c| row(c.cluster())).collect()
    }

    #[tokio::test]
    async fn clusters_of_the_configuration_have_their_names_and_settings() {
        let dir = tempfile::tempdir().unwrap();
        let kube = dir.path().join("kube.yaml");
        let text = "current-context: b\nclusters: [{name: c, cluster: {server: 'https://one:6443'}}]\n\
                    contexts: [{name: a, context: {cluster: c, user: u}}, {name: b, context: {cluster: c, user: u}}]\n";
        std::fs::write(&kube, text).unwrap();
        let kube = kube.display();
        let config = config(&format!(
            "[clusters.edge]\ndocker = 'tcp://10.0.0.1:2375'\nread_only = true\n[clusters.gone]\nhide = true\ndocker = 'tcp://x:1'\n\
             [clusters.prod]\nkubeconfig = '{kube}'\nprotected = true\n[clusters.bad]\nkubeconfig = '{kube}'\ncontext = 'c'\nprotected = true\n\
             [clusters.away]\nkubeconfig = '/nowhere/kube.yaml'\n\
             [clusters.lost]\nprotected = true\n"
        ));
        let fleet = discover(&config, &Choice::default(), sim::Options::default()).unwrap();
        // a member of the fleet is asked for as its platform wants to be
        let patience = |name: &str| fleet.connectors.iter().find(|c| *c.cluster().id == *name).map(|c| c.patience().as_secs());
        assert_eq!([patience("edge"), patience("prod")], [Some(6), Some(30)]);
        let edge = ("edge".to_owned(), "tcp://10.0.0.1:2375".to_owned(), false, true);
        let prod = ("prod".to_owned(), "https://one:6443".to_owned(), true, false);
        let bad = ("bad".to_owned(), kube.to_string(), true, false);
        let away = ("away".to_owned(), "/nowhere/kube.yaml".to_owned(), false, false);
        assert_eq!(rows(&fleet), [away, bad, edge, prod.clone()]);
        assert_eq!(fleet.warnings.len(), 1, "{:?}", fleet.warnings);
        assert!(fleet.warnings[0].contains("settings for cluster lost"));
        let mut whys = Vec::new();
        for connector in &fleet.connectors[..2] {
            whys.push(connector.connect().await.err().unwrap().to_string());
        }
        assert_eq!(whys[0], "cluster away: its kubeconfig /nowhere/kube.yaml does not exist");
        assert!(
            whys[1].starts_with("cluster bad, in ") && whys[1].ends_with("there is no context `c` (did you mean `a`?)"),
            "{whys:?}"
        );

        let only = |name: &str| Choice { clusters: vec![name.to_owned()], ..Choice::default() };
        assert_eq!(rows(&discover(&config, &only("prod"), sim::Options::default()).unwrap()), [prod]);
        let error = discover(&config, &only("prd"), sim::Options::default()).err();
        assert_eq!(error.unwrap(), "there is no cluster `prd` (did you mean `prod`?)");
    }

    #[test]
    fn a_cluster_of_the_configuration_is_there_once_and_keeps_its_marks_under_its_other_name() {
        let home = tempfile::tempdir().unwrap();
        let kube = home.path().join(".kube/config");
        std::fs::create_dir_all(kube.parent().unwrap()).unwrap();
        let text = "clusters: [{name: c, cluster: {server: 'https://one:6443'}}]\n\
                    contexts: [{name: 'arn:x', context: {cluster: c, user: u}}, {name: b, context: {cluster: c, user: u}}]\n";
        std::fs::write(&kube, text).unwrap();
        // by another way to the same file
        let link = home.path().join("linked");
        std::os::unix::fs::symlink(&kube, &link).unwrap();
        let config = Config::parse(
            &format!(
                "[clusters.prod]\nkubeconfig = '{}'\ncontext = 'arn:x'\nread_only = true\n\
                 [clusters.edge]\ndocker = 'tcp://edge:2375'\nprotected = true\n",
                link.display()
            ),
            None,
        )
        .unwrap();
        let var = |name: &str| (name == "DOCKER_HOST").then(|| OsString::from("tcp://EDGE:2375"));
        let found = |contexts: &[&str]| {
            let contexts: Vec<String> = contexts.iter().map(|name| (*name).to_owned()).collect();
            let fleet = found_in(&config, &contexts, &var, Some(home.path().to_owned())).unwrap();
            let rows = rows(&fleet).into_iter().filter(|row| row.1 != format!("unix://{SOCKET}"));
            rows.map(|(name, _, protected, read_only)| (name, protected, read_only)).collect::<Vec<_>>()
        };
        let row = |name: &str, protected, read_only| (name.to_owned(), protected, read_only);
        assert_eq!(found(&[]), [row("edge", true, false), row("prod", false, true), row("b", false, false)]);
        assert_eq!(found(&["arn:x"]), [row("arn:x", false, true)]);
        assert_eq!(found(&["b"]), [row("b", false, false)]);
    }

    #[test]
    fn two_sources_of_one_name_are_told_apart() {
        let config = config("[clusters.one]\ndocker = 'tcp://a:1'\n");
        let endpoint = config.clusters["one"].endpoint.clone().unwrap();
        let mut fleet = Fleet::default();
        let mut used = BTreeSet::new();
        for _ in 0..3 {
            fleet.add(configured("one", &endpoint, &[]).unwrap(), "one", ClusterConfig::default(), &mut used);
        }
        assert_eq!(rows(&fleet).iter().map(|r| r.0.as_str()).collect::<Vec<_>>(), ["one", "one-2", "one-3"]);
    }
}
