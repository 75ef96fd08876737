//! Who one is to the server, and what one may there.

use super::{ROLLOUT, SOON, Workload, config_with, open_with, point_at};
use crate::platform::{Client, quarterdeck, required};
use std::path::Path;
use std::time::{Duration, Instant};

/// Deployments in the namespace of the weak user `tenant`, deleted in the end.
struct Tenant(Client);

impl Tenant {
    fn create(deployments: &[&str]) -> Self {
        let new = Self(Client::kubectl());
        new.clear();
        for name in deployments {
            new.run(&format!("create deployment {name} --image=app:1 --replicas=2"));
        }
        new
    }

    fn run(&self, line: &str) -> String {
        self.0.run(&format!("-n tenant {line}"))
    }

    fn clear(&self) {
        self.0.attempt(&["-n", "tenant", "delete", "deployment", "--all", "--wait=true", "--timeout=60s"]);
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        self.clear();
    }
}

#[test]
fn a_user_of_one_namespace_sees_it_live_and_scales_in_it() {
    let tenant = Tenant::create(&["web"]);
    let (mut app, _home) = quarterdeck((200, 50), &[("KUBECONFIG", &format!("{}-tenant", required("KUBECONFIG")))]);
    app.send("4");
    app.wait("the service, ready, and what is seen", SOON, |screen| {
        screen.contains("tenant/web ") && screen.contains("2/2") && screen.contains("only namespace tenant")
    });
    tenant.run("create deployment later --image=app:1");
    app.wait_for("tenant/later", SOON);
    tenant.run("delete deployment later");
    app.wait("the deleted one to go", SOON, |screen| !screen.contains("tenant/later"));
    app.send("3");
    app.wait_for("cannot list nodes: forbidden: tenant may not list nodes", SOON);
    app.send("5");
    app.wait("tasks", SOON, |screen| screen.contains("tenant/web-") && screen.contains("only namespace tenant"));
    // the first measurements come with the metrics server's second look at a new pod
    app.wait("what they use", ROLLOUT, |screen| screen.lines().any(|line| line.contains("tenant/web-") && line.contains("Mi")));
    app.send("4");
    app.wait_for("tenant/web ", SOON);
    app.send("s");
    app.wait_for("2→", SOON);
    app.send("\x153\r");
    let ready = "-n tenant get deployment web -o jsonpath={.status.readyReplicas}";
    tenant.0.until("three are ready", ROLLOUT, ready, |out| out == "3");
    app.send("9");
    app.wait("done", ROLLOUT, |screen| screen.contains("done") && screen.contains("2→3"));
}

#[test]
fn namespaces_of_the_configuration_are_read_and_one_that_is_refused_is_said() {
    let _tenant = Tenant::create(&["web"]);
    let home = tempfile::tempdir().unwrap();
    let settings = home.path().join("config.toml");
    let text = std::fs::read_to_string(format!("{}-tenant", required("KUBECONFIG"))).unwrap();
    let config = home.path().join("kubeconfig");
    // one that is discovered, and one that the configuration alone knows
    let tables = "[clusters.testbed]\nnamespaces = [\"tenant\", \"kube-system\"]\n\
                  [clusters.mine]\nkubeconfig = \"other\"\nnamespaces = [\"default\"]\n";
    std::fs::write(&settings, tables).unwrap();
    for file in [&config, &home.path().join("other")] {
        std::fs::write(file, text.replace(", namespace: tenant", "")).unwrap();
    }
    let (config, settings) = (config.to_str().unwrap(), settings.to_str().unwrap());
    let (mut app, _home) = quarterdeck((200, 50), &[("KUBECONFIG", config), ("QUARTERDECK_CONFIG", settings)]);
    app.send("5");
    app.wait_for("tenant/web-", SOON);
    app.send("2");
    for (cluster, words) in
        [("testbed", "only namespace tenant; forbidden: tenant may not list pods"), ("mine", "nor in namespace default")]
    {
        app.send(&format!("/\x15{cluster}\r"));
        // wherever its details break the line
        let words: String = words.split_whitespace().collect();
        app.wait(&words, SOON, |screen| {
            let right = screen.lines().filter_map(|line| line.split('│').nth(1));
            right.flat_map(str::split_whitespace).collect::<String>().contains(&words)
        });
    }
}

#[test]
fn a_context_that_names_a_user_or_cluster_nobody_has_says_so_beside_the_others() {
    let config = config_with(|text| {
        let more = "contexts:\n- name: ghost\n  context: {cluster: testbed, user: gone}\n\
                    - name: lost\n  context: {cluster: away, user: admin}\n";
        text.replace("contexts:\n", more)
    });
    let (mut app, _home) = open_with(&config, &[]);
    app.send("2");
    app.wait("all three rows", SOON, |screen| {
        let row = |name: &str, word: &str| screen.lines().any(|line| line.contains(name) && line.contains(word));
        row("ghost", "unauthorised") && row("lost", "unreachable") && row("testbed", "live")
    });
    app.send("1");
    app.wait_for("it names user `gone`, which the kubeconfig does not have", SOON);
    app.wait_for("it names cluster `away`, which the kubeconfig does not have", SOON);
}

/// The testbed's kubeconfig with a plugin for its user, and a second context of the same user. The script finds its folder
/// in `$D`.
fn with_plugin(folder: &Path, script: &str) -> tempfile::NamedTempFile {
    use std::os::unix::fs::PermissionsExt;
    let plugin = folder.join("plugin");
    std::fs::write(&plugin, format!("#!/bin/sh\nD={}\n{script}", folder.display())).unwrap();
    std::fs::set_permissions(&plugin, std::fs::Permissions::from_mode(0o700)).unwrap();
    let exec = format!(
        "exec: {{apiVersion: client.authentication.k8s.io/v1, command: {}, interactiveMode: IfAvailable}}",
        plugin.display()
    );
    config_with(|text| {
        let second = "contexts:\n- name: second\n  context: {cluster: testbed, user: admin}\n";
        text.replace("token: admin-token", &exec).replace("contexts:\n", second)
    })
}

#[test]
fn a_credential_plugin_runs_once_for_all_and_has_neither_keyboard_nor_screen() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"echo run >> $D/runs
(echo LEAKED > /dev/tty) 2>/dev/null && echo "wrote on the terminal" >> $D/bad
(read line < /dev/tty) 2>/dev/null && echo "read from the terminal" >> $D/bad
read line && echo "read from the keyboard" >> $D/bad
echo LEAKED >&2
sleep 0.5
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"admin-token"}}'
"#;
    let config = with_plugin(folder.path(), script);
    let (mut app, _home) = open_with(&config, &[]);
    app.send("2");
    app.wait_for("2 live", SOON);
    std::thread::sleep(Duration::from_secs(2));
    assert!(!String::from_utf8_lossy(&app.bytes(0)).contains("LEAKED"), "it wrote on our screen");
    let bad = std::fs::read_to_string(folder.path().join("bad")).unwrap_or_default();
    assert!(bad.is_empty(), "{bad}");
    let runs = std::fs::read_to_string(folder.path().join("runs")).unwrap();
    assert_eq!(runs.lines().count(), 1, "two contexts of one user share a run");
}

#[test]
fn a_credential_plugin_that_fails_is_quoted_cleaned() {
    let folder = tempfile::tempdir().unwrap();
    let config =
        with_plugin(folder.path(), "printf 'first\\n\\033[31mthe session\\033[0m has expired\\007: log in anew\\n' >&2\nexit 7\n");
    let (mut app, _home) = open_with(&config, &[]);
    app.send("2");
    app.wait_for("unauthorised", SOON);
    app.send("1");
    app.wait_for("the session has expired: log", SOON);
}

/// Whether the process whose id is in this file runs. One that has ended and was not asked for yet has no command line.
fn runs(folder: &Path, name: &str) -> bool {
    let pid = std::fs::read_to_string(folder.join(name)).ok().and_then(|pid| pid.trim().parse::<u32>().ok());
    pid.is_some_and(|pid| std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty()))
}

#[test]
fn a_credential_plugin_at_work_is_ended_when_the_program_is() {
    let folder = tempfile::tempdir().unwrap();
    let config = with_plugin(folder.path(), "sleep 600 & echo $! > $D/child; echo $$ > $D/leader; wait\n");
    let (mut app, _home) = open_with(&config, &[]);
    app.wait("the plugin at work", SOON, |_| runs(folder.path(), "leader") && runs(folder.path(), "child"));
    app.send("\x03");
    app.end(Duration::from_secs(5));
    let named = ["leader", "child"].iter().all(|name| folder.path().join(name).exists());
    assert!(named && !runs(folder.path(), "leader") && !runs(folder.path(), "child"), "it outlived us");
}

#[test]
fn a_credential_plugin_that_never_ends_is_ended_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let config = with_plugin(folder.path(), "sleep 600 & echo $! > $D/child; echo $$ > $D/leader; wait\n");
    let (mut app, _home) = open_with(&config, &[]);
    app.send("1");
    app.wait_for("waits for the credential plugin", SOON);
    assert!(runs(folder.path(), "leader") && runs(folder.path(), "child"));
    let start = Instant::now();
    app.wait_for("did not end within 30 s", Duration::from_secs(45));
    println!("said {:.1} s after the first word of it", start.elapsed().as_secs_f64());
    assert!(!runs(folder.path(), "leader") && !runs(folder.path(), "child"), "the plugin or its child is still there");
}

/// What a user who may only read is told before anything is sent: the server is asked.
#[test]
fn a_user_who_may_only_read_is_told_by_the_key_and_not_by_the_failure() {
    let workload = Workload::create("qd-read", 2);
    let (mut app, home) = quarterdeck((200, 50), &[("KUBECONFIG", &format!("{}-viewer", required("KUBECONFIG")))]);
    point_at(&mut app, &workload);
    app.wait("no hint of what must fail", SOON, |screen| {
        let last = screen.trim_end().lines().last().unwrap_or_default();
        last.contains("yaml") && !last.contains("scale") && !last.contains("redeploy")
    });
    app.send("s");
    app.wait_for("may not patch deployments/scale in qd-read: asked of the cluster", SOON);
    app.send("3");
    app.wait_for("node-1", SOON);
    app.send("c");
    // asked a moment ago or only now: then the dialog says it
    app.wait_for("may not patch nodes: asked of the cluster", SOON);
    app.send("\x1b");
    // given the right meanwhile, the key works without a new start
    Client::kubectl().run("-n qd-read create rolebinding scales --clusterrole=edit --user=viewer");
    std::thread::sleep(Duration::from_secs(21));
    // still with its filter
    app.send("4");
    app.wait("the hint", SOON, |screen| screen.trim_end().lines().last().unwrap_or_default().contains("scale"));
    app.send("s");
    app.wait_for("2→", SOON);
    app.send("\x153\r");
    Client::kubectl()
        .until("three wanted", ROLLOUT, "-n qd-read get deployment -o jsonpath={.items[0].spec.replicas}", |out| out == "3");
    // and it can be taken back, but not over what someone else did
    app.send("9");
    app.wait("done", ROLLOUT, |screen| screen.contains("✔ done") && screen.contains("u undo"));
    app.send("u");
    app.wait_for("3→2", SOON);
    app.send("\r");
    workload.until("two again", "get deployment web -o jsonpath={.spec.replicas}", |out| out == "2");
    app.wait("both done", ROLLOUT, |screen| screen.matches("✔ done").count() == 2);
    workload.run("scale deployment web --replicas=4");
    workload.ready(4);
    app.send("u");
    app.wait_for("it was changed by someone since then", SOON);
    workload.until("four still", "get deployment web -o jsonpath={.spec.replicas}", |out| out == "4");
    let record = std::fs::read_to_string(home.path().join(".local/state/quarterdeck/audit/audit-000001.jsonl")).unwrap();
    assert!(
        record.lines().next().is_some_and(|line| line.contains("\"stage\":\"intent\"") && line.contains("\"to\":3")),
        "{record}"
    );
}
