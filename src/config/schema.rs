//! What the configuration file may say. Unknown keys are errors: a misspelt `protected` must not go unnoticed.

use super::paths::resolve;
use super::{Paths, Problem};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// The configuration, checked. [`Config::default`] is what holds without a file; `assets/config.example.toml` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Theme by name: a file in the themes folder, else a built-in.
    pub theme: String,
    /// Keymap by name: a file in the keymaps folder, else a built-in.
    pub keymap: String,
    /// Draw with ASCII only, also where the locale can do more.
    pub ascii: bool,
    /// Show times in UTC.
    pub utc: bool,
    /// Send no action to any cluster.
    pub read_only: bool,
    /// Most objects that one action may be for.
    pub max_bulk: u32,
    /// How much is logged.
    pub log_level: LogLevel,
    /// Whether contexts of kubeconfig files (and the cluster around us) become clusters.
    pub discover_kubernetes: bool,
    /// Whether docker contexts, `DOCKER_HOST` and the local socket become clusters.
    pub discover_docker: bool,
    /// Clusters named here, and settings for discovered ones of the same name.
    pub clusters: BTreeMap<String, ClusterConfig>,
}

/// A `[clusters.NAME]` table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterConfig {
    /// How to reach it; none if the table only has settings for a discovered cluster.
    pub endpoint: Option<Endpoint>,
    /// Every action's danger is one step higher.
    pub protected: bool,
    /// No action is sent.
    pub read_only: bool,
    /// Not shown and not connected to, though discovered.
    pub hide: bool,
    /// Kubernetes: namespaces to read where all may not be read; the context's own if none is named.
    pub namespaces: Vec<String>,
}

/// How to reach a configured cluster.
#[derive(Clone, Debug, PartialEq)]
pub enum Endpoint {
    /// A context of a kubeconfig.
    Kubernetes {
        /// The file; the usual ones if none is named.
        kubeconfig: Option<PathBuf>,
        /// The context; the file's current one if none is named.
        context: Option<String>,
    },
    /// A Docker engine or Swarm manager.
    Docker {
        /// `unix://`, `tcp://` or `ssh://` address.
        host: String,
        /// For `tcp://`: the folder with `ca.pem`, `cert.pem` and `key.pem`, as `DOCKER_CERT_PATH` has it.
        tls: Option<PathBuf>,
    },
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the levels of tracing")]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    /// The words of the file and the command line.
    pub const WORDS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

    /// The level of this word.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Off, Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace].into_iter().find(|level| level.word() == word)
    }

    /// The word of this level.
    pub fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            theme: "default".into(),
            keymap: "default".into(),
            ascii: false,
            utc: false,
            read_only: false,
            max_bulk: 20,
            log_level: LogLevel::default(),
            discover_kubernetes: true,
            discover_docker: true,
            clusters: BTreeMap::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    theme: Option<String>,
    keymap: Option<String>,
    ascii: Option<bool>,
    utc: Option<bool>,
    read_only: Option<bool>,
    max_bulk: Option<Spanned<u32>>,
    log_level: Option<LogLevel>,
    discover: Option<Discover>,
    #[serde(default)]
    clusters: BTreeMap<String, Spanned<Table>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table: [discover]")]
struct Discover {
    kubernetes: Option<bool>,
    docker: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table: [clusters.NAME]")]
struct Table {
    kubeconfig: Option<Spanned<PathBuf>>,
    context: Option<Spanned<String>>,
    docker: Option<Spanned<String>>,
    tls: Option<Spanned<PathBuf>>,
    #[serde(default)]
    protected: bool,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    hide: bool,
    #[serde(default)]
    namespaces: Vec<Spanned<String>>,
}

impl Config {
    /// Reads the configuration file. A file that nobody named and that does not exist is the default configuration.
    pub fn load(paths: &Paths) -> Result<Self, Problem> {
        match std::fs::read_to_string(&paths.config) {
            Ok(text) => Self::parse(&text, Some(&paths.config)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !paths.named => Ok(Self::default()),
            Err(error) => Err(Problem {
                file: Some(paths.config.clone()),
                place: None,
                message: format!("cannot read the configuration: {error}"),
                help: None,
            }),
        }
    }

    /// `problem`, with its place if it is with this value of a key at the top of the configuration file. Names of themes and
    /// keymaps are looked up long after the file was read.
    #[must_use]
    pub fn placed(problem: Problem, paths: &Paths, key: &str, value: &str) -> Problem {
        let text = std::fs::read_to_string(&paths.config).unwrap_or_default();
        let table = toml::de::DeTable::parse(&text).ok();
        let mut values = table.iter().flat_map(|table| table.get_ref().iter());
        let stands = values.find(|(k, v)| k.get_ref() == key && v.get_ref().as_str() == Some(value)).map(|(_, v)| v.span());
        match stands {
            Some(span) if problem.file.is_none() => {
                let Problem { message, help, .. } = problem;
                Problem { help, ..Problem::at(Some(paths.config.clone()), &text, span.start, message) }
            }
            _ => problem,
        }
    }

    /// The settings of a discovered cluster of this name. A table with an endpoint is a cluster of its own.
    pub fn settings(&self, name: &str) -> ClusterConfig {
        self.clusters.get(name).filter(|table| table.endpoint.is_none()).cloned().unwrap_or_default()
    }

    /// Parses and checks `text`, which is the content of `file`; paths in it begin at the file's folder.
    pub fn parse(text: &str, file: Option<&Path>) -> Result<Self, Problem> {
        let source = Source { text, file };
        let raw: File = toml::from_str(text).map_err(|error| source.syntax(&error))?;
        let base = Self::default();
        if let Some(none) = raw.max_bulk.as_ref().filter(|most| *most.get_ref() == 0) {
            let message = "`max_bulk` must be at least 1";
            return Err(source.at(none.span().start, message).with_help("`read_only = true` forbids all actions"));
        }
        let mut clusters = BTreeMap::new();
        for (name, table) in raw.clusters {
            clusters.insert(name.clone(), source.cluster(&name, table)?);
        }
        Ok(Self {
            theme: raw.theme.unwrap_or(base.theme),
            keymap: raw.keymap.unwrap_or(base.keymap),
            ascii: raw.ascii.unwrap_or(base.ascii),
            utc: raw.utc.unwrap_or(base.utc),
            read_only: raw.read_only.unwrap_or(base.read_only),
            max_bulk: raw.max_bulk.map_or(base.max_bulk, Spanned::into_inner),
            log_level: raw.log_level.unwrap_or(base.log_level),
            discover_kubernetes: raw.discover.as_ref().and_then(|d| d.kubernetes).unwrap_or(base.discover_kubernetes),
            discover_docker: raw.discover.as_ref().and_then(|d| d.docker).unwrap_or(base.discover_docker),
            clusters,
        })
    }
}

struct Source<'a> {
    text: &'a str,
    file: Option<&'a Path>,
}

impl Source<'_> {
    fn at(&self, offset: usize, message: impl Into<String>) -> Problem {
        Problem::at(self.file.map(Path::to_path_buf), self.text, offset, message)
    }

    fn path(&self, path: &Path) -> PathBuf {
        resolve(path, self.file.and_then(Path::parent).unwrap_or(Path::new("")))
    }

    /// What serde says, in our words: it names an unknown word and then lists all known ones, each in backquotes.
    fn syntax(&self, error: &toml::de::Error) -> Problem {
        let mut problem = Problem::toml(self.file.map(Path::to_path_buf), self.text, error);
        let said = problem.message.clone();
        let mut quoted = said.split('`').skip(1).step_by(2);
        let what = if said.starts_with("unknown field") {
            "key"
        } else if said.starts_with("unknown variant") {
            "value"
        } else {
            if said == "wanted string or table" {
                // serde's words for an enum
                problem.message = "expected a word in quotes".to_owned();
            }
            return problem;
        };
        let (word, known) = (quoted.next().unwrap_or_default(), quoted.collect::<Vec<_>>());
        problem.message = format!("unknown {what} `{word}`");
        let all = format!("known: {}", known.join(", "));
        let problem = problem.suggest(word, known.iter().copied());
        if problem.help.is_none() { problem.with_help(all) } else { problem }
    }

    fn cluster(&self, name: &str, spanned: Spanned<Table>) -> Result<ClusterConfig, Problem> {
        let start = spanned.span().start;
        let table = spanned.into_inner();
        if name.trim().is_empty() {
            return Err(self.at(start, "a cluster needs a name: [clusters.NAME]"));
        }
        for namespace in &table.namespaces {
            if !is_label(namespace.get_ref()) {
                let message = format!("`{}` is not a name of a namespace", namespace.get_ref());
                return Err(self.at(namespace.span().start, message).with_help("small letters, digits and dashes"));
            }
        }
        if let (Some(_), Some(first)) = (&table.docker, table.namespaces.first()) {
            let message = format!("cluster `{name}` has `docker` and also `namespaces`");
            return Err(self.at(first.span().start, message).with_help("only Kubernetes has namespaces"));
        }
        let kubernetes = table.kubeconfig.as_ref().map(Spanned::span).or(table.context.as_ref().map(Spanned::span));
        let endpoint = match (table.docker, kubernetes) {
            (Some(docker), Some(_)) => {
                let message = format!("cluster `{name}` has `docker` and also `kubeconfig` or `context`");
                return Err(self.at(docker.span().start, message).with_help("a cluster is one or the other"));
            }
            (Some(docker), None) => {
                let at = docker.span().start;
                let host = docker.into_inner();
                let rest = ["unix://", "tcp://", "ssh://"].iter().find_map(|scheme| host.strip_prefix(scheme));
                if rest.is_none_or(|rest| rest.trim().is_empty()) {
                    let message = format!("`{host}` is not a docker address");
                    let help = "unix:///run/docker.sock, tcp://HOST:2376 or ssh://USER@HOST";
                    return Err(self.at(at, message).with_help(help));
                }
                let tls = match table.tls {
                    Some(tls) if !host.starts_with("tcp://") => {
                        return Err(self.at(tls.span().start, format!("`tls` is for tcp:// addresses, and this one is {host}")));
                    }
                    tls => tls.map(|folder| self.path(&folder.into_inner())),
                };
                Some(Endpoint::Docker { host, tls })
            }
            (None, kubernetes) => {
                if let Some(tls) = table.tls {
                    let message = format!("cluster `{name}` has `tls` without `docker`");
                    return Err(self.at(tls.span().start, message).with_help("a kubeconfig names its own certificates"));
                }
                kubernetes.map(|_| Endpoint::Kubernetes {
                    kubeconfig: table.kubeconfig.map(|path| self.path(&path.into_inner())),
                    context: table.context.map(Spanned::into_inner),
                })
            }
        };
        let namespaces = table.namespaces.into_iter().map(Spanned::into_inner).collect();
        let (protected, read_only, hide) = (table.protected, table.read_only, table.hide);
        Ok(ClusterConfig { endpoint, protected, read_only, hide, namespaces })
    }
}

/// Whether this can be the name of a namespace (a DNS label).
fn is_label(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 63 && name.chars().all(|c| plain(c) || c == '-') && name.starts_with(plain) && name.ends_with(plain)
}
