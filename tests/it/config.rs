//! The configuration file: the example is the defaults, and every mistake gets one sentence with its place.

use quarterdeck::config::{Config, Endpoint, LogLevel, Paths};
use std::path::Path;

const EXAMPLE: &str = include_str!("../../assets/config.example.toml");

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Some(Path::new("/etc/q/config.toml"))).map_err(|problem| problem.to_string())
}

#[test]
fn the_example_says_exactly_the_defaults() {
    assert_eq!(parse(EXAMPLE).unwrap(), Config::default());
    assert_eq!(parse("").unwrap(), Config::default());
    for key in ["theme", "keymap", "ascii", "utc", "read_only", "max_bulk", "log_level", "kubernetes", "docker"] {
        assert!(EXAMPLE.lines().any(|line| line.starts_with(&format!("{key} = "))), "the example lacks {key}");
    }
}

#[test]
fn the_commented_clusters_of_the_example_are_valid() {
    let from = EXAMPLE.find("# [clusters.").unwrap();
    let text: String = EXAMPLE[from..].lines().map(|line| format!("{}\n", line.trim_start_matches('#').trim_start())).collect();
    let config = parse(&text).unwrap();
    let prod = &config.clusters["prod-eu"];
    assert!(prod.protected && !prod.hide && !prod.read_only);
    assert_eq!(prod.namespaces, ["shop", "pay"]);
    assert!(matches!(&prod.endpoint, Some(Endpoint::Kubernetes { kubeconfig: Some(_), context: Some(c) }) if c == "prod-eu"));
    let tls = Some("/etc/q/edge".into());
    assert_eq!(config.clusters["edge"].endpoint, Some(Endpoint::Docker { host: "tcp://10.0.4.7:2376".into(), tls }));
    assert!(config.clusters["edge"].read_only);
    assert!(config.clusters["old"].hide && config.clusters["old"].endpoint.is_none());
}

#[test]
fn every_key_is_taken() {
    let config = parse(
        "theme = 'mono'\nkeymap = 'k9s'\nascii = true\nutc = true\nread_only = true\nlog_level = 'debug'\n\
         [discover]\nkubernetes = false\ndocker = false\n",
    )
    .unwrap();
    let want = Config {
        theme: "mono".into(),
        keymap: "k9s".into(),
        ascii: true,
        utc: true,
        read_only: true,
        log_level: LogLevel::Debug,
        discover_kubernetes: false,
        discover_docker: false,
        ..Config::default()
    };
    assert_eq!(config, want);
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (text, want) in [
        ("kemap = 'x'", "1:1: unknown key `kemap` (did you mean `keymap`?)"),
        ("theme = 'mono'\n\n[cluster.x]\n", "3:2: unknown key `cluster` (did you mean `clusters`?)"),
        ("[clusters.prod]\nprotect = true\n", "2:1: unknown key `protect` (did you mean `protected`?)"),
        ("[discover]\nnomad = true\n", "2:1: unknown key `nomad` (known: kubernetes, docker)"),
        ("log_level = 'wran'", "1:13: unknown value `wran` (did you mean `warn`?)"),
        ("utc = 'yes'", "1:7: invalid type: string \"yes\", expected a boolean"),
        ("utc = 1", "1:7: invalid type: integer `1`, expected a boolean"),
        ("theme = true", "1:9: invalid type: boolean `true`, expected a string"),
        ("clusters = 'prod'", "1:12: invalid type: string \"prod\", expected a map"),
        ("[clusters]\nprod = 'tcp://x:2376'\n", "2:8: invalid type: string \"tcp://x:2376\", expected a table: [clusters.NAME]"),
        ("discover = true", "1:12: invalid type: boolean `true`, expected a table: [discover]"),
        ("[clusters.a]\nprotected = 'yes'\n", "2:13: invalid type: string \"yes\", expected a boolean"),
        ("[clusters.a]\ndocker = 2375\n", "2:10: invalid type: integer `2375`, expected a string"),
        ("[clusters.'']\nprotected = true\n", "1:1: a cluster needs a name: [clusters.NAME]"),
        ("[clusters.a]\nkubeconfg = 'x'\n", "2:1: unknown key `kubeconfg` (did you mean `kubeconfig`?)"),
        ("log_level = 'loud'", "1:13: unknown value `loud` (known: off, error, warn, info, debug, trace)"),
        ("log_level = 3", "1:13: expected a word in quotes"),
        ("[discover", "1:10: unclosed table, expected `]`"),
        ("theme = \"mono", "1:14: invalid basic string, expected `\"`"),
        ("[discover]\ndocker = 'no'\n", "2:10: invalid type: string \"no\", expected a boolean"),
        ("theme = mono", "1:9: string values must be quoted, expected literal string"),
        ("utc = true\nutc = false\n", "2:1: duplicate key"),
        (
            "[clusters.a]\ndocker = 'http://x:2375'\n",
            "2:10: `http://x:2375` is not a docker address (unix:///run/docker.sock, tcp://HOST:2376 or ssh://USER@HOST)",
        ),
        (
            "[clusters.a]\ndocker = 'tcp://'\n",
            "2:10: `tcp://` is not a docker address (unix:///run/docker.sock, tcp://HOST:2376 or ssh://USER@HOST)",
        ),
        (
            "[clusters.a]\ncontext = 'c'\ndocker = 'tcp://x:2375'\n",
            "3:10: cluster `a` has `docker` and also `kubeconfig` or `context` (a cluster is one or the other)",
        ),
        (
            "[clusters.a]\nnamespaces = ['shop', 'My Shop']\n",
            "2:23: `My Shop` is not a name of a namespace (small letters, digits and dashes)",
        ),
        (
            "[clusters.a]\ndocker = 'unix:///x'\nnamespaces = ['shop']\n",
            "3:15: cluster `a` has `docker` and also `namespaces` (only Kubernetes has namespaces)",
        ),
        ("max_bulk = 0\n", "1:12: `max_bulk` must be at least 1 (`read_only = true` forbids all actions)"),
        ("[clusters.a]\ntls = 'c'\n", "2:7: cluster `a` has `tls` without `docker` (a kubeconfig names its own certificates)"),
        ("[clusters.a]\ndocker = 'unix:///x'\ntls = 'c'\n", "3:7: `tls` is for tcp:// addresses, and this one is unix:///x"),
        (
            "[clusters.a]
tls = { ca = 'c' }
",
            "2:7: invalid type: map, expected path string",
        ),
    ] {
        assert_eq!(parse(text).unwrap_err(), format!("/etc/q/config.toml:{want}"), "for {text:?}");
    }
}

#[test]
fn a_missing_file_matters_only_if_it_was_named() {
    let empty = tempfile::tempdir().unwrap();
    let paths = Paths::under(empty.path(), empty.path(), None);
    assert_eq!(Config::load(&paths).unwrap(), Config::default());
    let named = empty.path().join("mine.toml");
    let problem = Config::load(&Paths::under(empty.path(), empty.path(), Some(named.clone()))).unwrap_err();
    assert_eq!(
        problem.to_string(),
        format!("{}: cannot read the configuration: No such file or directory (os error 2)", named.display())
    );
}
