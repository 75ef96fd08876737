//! Broken files of the operator's: each cluster says in a sentence what is wrong with its own, and the others go on.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, thread};

/// A picture of a pane, as the program prints it.
pub fn snapshot(home: &Path, pane: &str, more: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quarterdeck"));
    command.args(["snapshot", "--pane", pane, "--wait", "10s"]).args(more);
    command.env_clear().env("HOME", home).env("PATH", std::env::var("PATH").unwrap()).stdin(Stdio::null());
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// The text without blanks: a sentence is broken into lines where the screen ends.
fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

/// For each cluster, what its details must say.
pub fn assert_said(home: &Path, wanted: &[(&str, String)]) {
    thread::scope(|scope| {
        for (cluster, want) in wanted {
            scope.spawn(move || {
                let shown = snapshot(home, "clusters", &["--cluster", cluster, "--keys", "d", "--size", "130x40"]);
                assert!(dense(&shown).contains(&dense(want)), "{cluster} does not say {want:?}:\n{shown}");
            });
        }
    });
    let all = snapshot(home, "clusters", &["--size", "240x40"]);
    for (cluster, _) in wanted {
        assert!(all.lines().any(|line| line.contains(cluster)), "{cluster} has no row:\n{all}");
    }
}

/// A docker context with these TLS files; its server's port refuses connections.
pub fn context(home: &Path, name: &str, port: u16, skip_verify: bool, files: &[(&str, &str)]) {
    let config = home.join(".docker/contexts");
    let meta = config.join("meta").join(name);
    fs::create_dir_all(&meta).unwrap();
    let endpoint = format!(r#"{{"Host":"tcp://127.0.0.1:{port}","SkipTLSVerify":{skip_verify}}}"#);
    fs::write(meta.join("meta.json"), format!(r#"{{"Name":"{name}","Endpoints":{{"docker":{endpoint}}}}}"#)).unwrap();
    let tls = config.join("tls").join(name).join("docker");
    for (file, text) in files {
        fs::create_dir_all(&tls).unwrap();
        fs::write(tls.join(file), text).unwrap();
    }
}

#[test]
fn docker_contexts_with_broken_files_say_which() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    context(home, "bad-ca", 1, false, &[("ca.pem", "garbage")]);
    context(home, "bad-key", 2, true, &[("cert.pem", "garbage"), ("key.pem", "garbage")]);
    context(home, "no-key", 3, true, &[("cert.pem", "garbage")]);
    context(home, "sound", 4, true, &[]);
    let broken = home.join(".docker/contexts/meta/0123456789");
    fs::create_dir_all(&broken).unwrap();
    fs::write(broken.join("meta.json"), r#"{"Name":"#).unwrap();
    let tls = |name: &str, file: &str| home.join(".docker/contexts/tls").join(name).join("docker").join(file).display().to_string();
    assert_said(
        home,
        &[
            ("bad-ca", format!("{} holds no certificate", tls("bad-ca", "ca.pem"))),
            ("bad-key", format!("the private key {} cannot be read", tls("bad-key", "key.pem"))),
            ("no-key", format!("{} has no key.pem beside it", tls("no-key", "cert.pem"))),
            ("context-01234567", format!("the docker context {} cannot be read", broken.join("meta.json").display())),
            ("sound", "nothing listens there; is the engine running? (tcp://127.0.0.1:4)".to_owned()),
        ],
    );
}

#[test]
fn contexts_of_a_kubeconfig_that_name_what_is_not_there_say_so() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    fs::create_dir_all(home.join(".kube")).unwrap();
    let text = "apiVersion: v1\nkind: Config\nclusters:\n\
        - {name: here, cluster: {server: 'https://127.0.0.1:1'}}\n\
        - {name: no-ca, cluster: {server: 'https://127.0.0.1:1', certificate-authority: gone/ca.crt}}\n\
        users:\n- {name: me, user: {token: t}}\n- {name: lost, user: {client-certificate: gone/me.crt, client-key: gone/me.key}}\n\
        contexts:\n- {name: fine, context: {cluster: here, user: me}}\n- {name: of-nothing, context: {cluster: nosuch, user: me}}\n\
        - {name: for-nobody, context: {cluster: here, user: nosuch}}\n- {name: no-authority, context: {cluster: no-ca, user: me}}\n\
        - {name: no-certificate, context: {cluster: here, user: lost}}\n";
    fs::write(home.join(".kube/config"), text).unwrap();
    let gone = |file: &str| home.join(".kube/gone").join(file).display().to_string();
    assert_said(
        home,
        &[
            ("fine", "https://127.0.0.1:1 refused the connection".to_owned()),
            ("of-nothing", "it names cluster `nosuch`, which the kubeconfig does not have".to_owned()),
            ("for-nobody", "it names user `nosuch`, which the kubeconfig does not have".to_owned()),
            ("no-authority", gone("ca.crt")),
            ("no-certificate", format!("the client certificate of user `lost` cannot be read: {}", gone("me.crt"))),
        ],
    );
}
