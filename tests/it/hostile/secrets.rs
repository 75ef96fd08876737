//! Secrets that the program is given or comes across appear nowhere: each is a canary, looked for in every form.

use super::platform::{Held, Platform, container};
use crate::discovery::context;
use crate::pty::Pty;
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const SECONDS: Duration = Duration::from_secs(20);

/// What must not be seen: each begins alike and says where it was.
fn canary(place: &str) -> String {
    format!("Canary/7+{place}?end")
}

const PLACES: [&str; 26] = [
    "token",
    "userinfo",
    "password",
    "keydata",
    "pluginenv",
    "pluginout",
    "plugintoken",
    "filetoken",
    "secretdata",
    "refused",
    "env",
    "url",
    "arg",
    "badpod",
    "page",
    "dockerenv",
    "worker",
    "manager",
    "idtoken",
    "refreshtoken",
    "clientsecret",
    "provider",
    "proxy",
    "dockerkey",
    "ssh",
    "panic",
];

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = bytes.chunks(3).flat_map(|three| {
        let bits = three.iter().fold(0_u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        (0..4).map(move |n| if n <= three.len() { char::from(DIGITS[(bits >> (18 - 6 * n) & 63) as usize]) } else { '=' })
    });
    digits.collect()
}

/// The forms it could have: as it is, base64 at each of three beginnings (without the digits that its neighbours share), hex,
/// escaped for an address.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    for before in 0..3 {
        let whole = base64(&[vec![0; before], secret.as_bytes().to_vec()].concat());
        forms.push(whole.trim_end_matches('=')[4 * before.min(1)..whole.trim_end_matches('=').len() - 2].to_owned());
    }
    let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
    let escaped: String =
        secret.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect();
    forms.extend([hex.to_uppercase(), hex, escaped]);
    forms
}

/// Each canary that is in there, and in which form. Text on a screen is broken into lines: blanks and borders do not count.
fn found(text: &str) -> Vec<String> {
    let dense: String = text.chars().filter(|c| !c.is_whitespace() && *c != '│').collect();
    let seen = |place: &&str| {
        let shown = forms(&canary(place)).into_iter().find(|form| text.contains(form) || dense.contains(form));
        // cut at the end of a line it is still one
        shown.or_else(|| dense.contains(&format!("Canary/7+{place}")).then(|| (*place).to_owned()))
    };
    PLACES.iter().filter_map(seen).collect()
}

fn everything_below(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.push_str(&everything_below(&path));
        } else {
            all.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        }
    }
    all
}

/// Clusters whose every secret is a canary.
struct Bait {
    api: Platform,
    /// One that is reached with tokens of a plugin and of a file.
    plain: Platform,
    refusing: Platform,
    provider: Platform,
    proxy: Platform,
    engine: Platform,
    home: TempDir,
}

fn bait() -> Bait {
    let pod = |name: &str, restarts: serde_json::Value| {
        json!({
            "metadata": {"name": name, "namespace": "shop", "uid": name, "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"nodeName": "n1", "containers": [{
                "name": "main", "image": "web:1", "args": [format!("--api-token={}", canary("arg"))],
                "env": [
                    {"name": "DB_PASSWORD", "value": canary("env")},
                    {"name": "DATABASE_URL", "value": format!("postgres://app:{}@db/shop", canary("url"))},
                    {"name": "MODE", "value": "fast-and-visible"},
                ],
            }]},
            "status": {"phase": "Running", "containerStatuses": [{
                "name": "main", "ready": true, "restartCount": restarts, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
            }]},
        })
    };
    let good = pod("web-0", json!(0));
    let list =
        json!({"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": [good, pod("odd", json!(canary("badpod")))]});
    let secret =
        json!({"metadata": {"name": "db", "namespace": "shop"}, "data": {"password": base64(canary("secretdata").as_bytes())}});
    let secrets = json!({"kind": "SecretList", "metadata": {"resourceVersion": "1"}, "items": [secret]});
    let api = Platform::start(Held {
        pages: vec![
            ("/version", 200, r#"{"gitVersion":"v1.33.1"}"#.to_owned()),
            ("/api/v1/pods", 200, list.to_string()),
            ("/api/v1/namespaces/shop/pods/web-0", 200, good.to_string()),
            ("/api/v1/secrets", 200, secrets.to_string()),
            ("/api/v1/namespaces/shop/secrets", 200, secrets.to_string()),
            ("/apis/apps/v1/deployments", 500, format!("<html>no\n<p>{}", canary("page"))),
            ("/api/v1/nodes", 200, json!({"metadata": canary("page"), "items": []}).to_string()),
            ("/api/v1/events", 403, json!({"message": "no", "details": {"x": canary("page")}}).to_string()),
        ],
        refusal: format!("Pod \"web-0\" is invalid: spec.containers[0].env[0].value: Invalid value: \"{}\"", canary("refused")),
        refused: 422,
        ..Held::default()
    });
    let plain =
        Platform::start(Held { pages: vec![("/version", 200, r#"{"gitVersion":"v1.33.1"}"#.to_owned())], ..Held::default() });
    let refusing =
        Platform::start(Held { pages: vec![("/version", 401, format!("Unauthorized\n{}", canary("token")))], ..Held::default() });
    // a provider of id tokens that repeats what it was sent, and a proxy that lets nobody through
    let described = |address: &SocketAddr| json!({"token_endpoint": format!("http://{address}/token")}).to_string();
    let provider = Platform::start_with(|address| Held {
        pages: vec![("/.well-known/openid-configuration", 200, described(address))],
        refusal: format!("no good: refresh_token={}", canary("provider")),
        refused: 400,
        ..Held::default()
    });
    let proxy = Platform::start(Held { refusal: canary("page"), refused: 407, ..Held::default() });
    let env = [format!("API_KEY={}", canary("dockerenv")), "MODE=fast-and-visible".to_owned()];
    let engine = Platform::start(Held {
        containers: vec![container(1, "x", "running")],
        detail: json!({"Config": {"Tty": false, "Env": env}, "Args": [format!("--password={}", canary("arg"))]}),
        refusal: "no".to_owned(),
        ..Held::default()
    });
    let home = tempfile::tempdir().unwrap();
    let plugin = home.path().join("plugin");
    let working = home.path().join("working-plugin");
    let given = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": canary("plugintoken")},
    });
    for (path, said) in [(&plugin, canary("pluginout")), (&working, given.to_string())] {
        std::fs::write(path, format!("#!/bin/sh\necho '{said}'\nexit 0\n")).unwrap();
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    }
    let file = home.path().join("token");
    std::fs::write(&file, canary("filetoken")).unwrap();
    let server = |platform: &Platform| format!("http://{}", platform.address);
    let config = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": [
            {"name": "api", "cluster": {"server": server(&api)}},
            {"name": "plain", "cluster": {"server": server(&plain)}},
            {"name": "refusing", "cluster": {"server": server(&refusing)}},
            {"name": "proxied", "cluster": {
                "server": "https://far.example", "proxy-url": format!("http://me:Canary%2F7%2Bproxy%3Fend@{}", proxy.address),
            }},
            {"name": "userinfo", "cluster": {"server": "https://me:Canary%2F7%2Buserinfo%3Fend@127.0.0.1:1"}},
        ],
        "users": [
            {"name": "token", "user": {"token": canary("token")}},
            {"name": "basic", "user": {"username": "me", "password": canary("password")}},
            {"name": "key", "user": {"client-certificate-data": base64(b"no"), "client-key-data": base64(canary("keydata").as_bytes())}},
            {"name": "plugin", "user": {"exec": {
                "apiVersion": "client.authentication.k8s.io/v1", "command": plugin, "interactiveMode": "Never",
                "env": [{"name": "X", "value": canary("pluginenv")}],
            }}},
            {"name": "working", "user": {"exec": {
                "apiVersion": "client.authentication.k8s.io/v1", "command": working, "interactiveMode": "Never",
            }}},
            {"name": "filed", "user": {"tokenFile": file}},
            {"name": "oidc", "user": {"auth-provider": {"name": "oidc", "config": {
                "idp-issuer-url": server(&provider), "client-id": "me", "client-secret": canary("clientsecret"),
                "id-token": canary("idtoken"), "refresh-token": canary("refreshtoken"),
            }}}},
        ],
        "contexts": [
            {"name": "good", "context": {"cluster": "api", "user": "token"}},
            {"name": "refused", "context": {"cluster": "refusing", "user": "token"}},
            {"name": "basic", "context": {"cluster": "refusing", "user": "basic"}},
            {"name": "userinfo", "context": {"cluster": "userinfo", "user": "basic"}},
            {"name": "key", "context": {"cluster": "api", "user": "key"}},
            {"name": "working", "context": {"cluster": "plain", "user": "working"}},
            {"name": "filed", "context": {"cluster": "plain", "user": "filed"}},
            {"name": "plugin", "context": {"cluster": "api", "user": "plugin"}},
            {"name": "oidc", "context": {"cluster": "refusing", "user": "oidc"}},
            {"name": "proxied", "context": {"cluster": "proxied", "user": "token"}},
        ],
    });
    let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", base64(canary("dockerkey").as_bytes()));
    context(home.path(), "dockerkey", 1, true, &[("cert.pem", "garbage"), ("key.pem", &key)]);
    // an ssh that repeats what it, or what it starts to reach the host, logs in with
    let said = format!("login with Authorization: Bearer {} password={} failed", canary("ssh"), canary("ssh"));
    let (ssh, far) = (home.path().join("ssh"), home.path().join(".docker/contexts/meta/far"));
    std::fs::write(&ssh, format!("#!/bin/sh\necho '{said}' >&2\nexit 255\n")).unwrap();
    std::fs::set_permissions(&ssh, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    std::fs::create_dir(&far).unwrap();
    std::fs::write(far.join("meta.json"), r#"{"Name":"far","Endpoints":{"docker":{"Host":"ssh://ops@box"}}}"#).unwrap();
    std::fs::create_dir(home.path().join(".kube")).unwrap();
    std::fs::write(home.path().join(".kube/config"), config.to_string()).unwrap();
    Bait { api, plain, refusing, provider, proxy, engine, home }
}

#[test]
fn canaries_are_found_in_every_form() {
    for place in PLACES {
        for form in forms(&canary(place)) {
            assert_eq!(found(&format!("x{form}y")), [form.as_str()], "{place}");
        }
        for before in 0..3 {
            let text = base64(format!("{}{}more", "x".repeat(before), canary(place)).as_bytes());
            assert_eq!(found(&text).len(), 1, "{place} {before}: {text}");
        }
    }
}

#[test]
fn secrets_are_nowhere_on_screen_in_logs_reports_or_pictures() {
    let bait = bait();
    let host = bait.engine.host();
    let home = bait.home.path().to_str().unwrap();
    let env = [("HOME", home), ("DOCKER_HOST", host.as_str()), ("RUST_BACKTRACE", "full"), ("PATH", home)];
    let mut pty = Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), (160, 100), &["--log-level", "trace"], &env);
    pty.wait("four clusters", SECONDS, |screen| screen.contains("4 live"));
    std::thread::sleep(Duration::from_secs(2));
    let (mut screens, mut last, mut visible) = (String::new(), String::new(), 0);
    for keys in [
        "2", "d", "j", "j", "j", "j", "j", "j", "j", "j", "j", "j", "1", "3", "4", "8", "N", "\x1b", "5", "y", "\x1b", "5", "j",
        "y", "\x1b", "5", "j", "y", "\x1b", "?",
    ] {
        pty.send(keys);
        std::thread::sleep(Duration::from_millis(120));
        pty.wait_quiet(Duration::from_millis(100), Duration::from_secs(1));
        pty.wait("the object", SECONDS, |screen| !screen.contains("fetching"));
        let screen = pty.screen();
        visible += usize::from(screen.contains("fast-and-visible"));
        last = if keys == "y" { screen.clone() } else { last };
        screens.push_str(&screen);
    }
    // an action that is refused with the value that is wrong
    // apart from the next key, with which it would be another
    pty.send("\x1b");
    pty.wait_quiet(Duration::from_millis(200), Duration::from_secs(2));
    pty.send("5");
    pty.wait("its tasks", SECONDS, |screen| screen.contains("tasks ·") && screen.contains("shop/odd"));
    pty.send("/web-0\r");
    pty.wait("the pod alone", SECONDS, |screen| screen.contains("shop/web-0") && !screen.contains("shop/odd"));
    pty.send(":task.delete\r");
    pty.wait_for("to go on", SECONDS);
    pty.wait_quiet(Duration::from_millis(100), Duration::from_secs(1));
    screens.push_str(&pty.screen());
    pty.send("web-0\r");
    pty.wait("it to be asked for", SECONDS, |screen| !screen.contains("to go on"));
    pty.send("9");
    pty.wait_for("refused it (422)", SECONDS);
    for keys in ["d", "N", "\x1b"] {
        pty.send(keys);
        pty.wait_quiet(Duration::from_millis(100), Duration::from_secs(1));
        screens.push_str(&pty.screen());
    }
    pty.send("\x03");
    if pty.state() != 'Z' {
        pty.send("\x1b\x03");
    }
    pty.end(SECONDS);
    assert!(visible >= 2, "the objects were not shown whole:\n{last}");
    screens.push_str(&String::from_utf8_lossy(&pty.bytes(0)));
    println!("{} bytes of screens", screens.len());
    assert!(bait.api.sent().contains(&canary("token")), "the token was not used");
    for place in ["plugintoken", "filetoken"] {
        assert!(bait.plain.sent().contains(&canary(place)), "the {place} was not used");
    }
    for place in ["refreshtoken", "clientsecret"] {
        assert!(forms(&canary(place)).iter().any(|form| bait.provider.sent().contains(form)), "the {place} was not used");
    }
    assert!(bait.proxy.sent().contains(&base64(format!("me:{}", canary("proxy")).as_bytes())), "the proxy was not used");
    assert!(screens.contains("login with Authorization: "), "what ssh said was not shown");
    assert!(bait.api.changes().iter().any(|asked| asked.starts_with("DELETE ")), "{:?}", bait.api.changes());
    assert!(!bait.api.asked().iter().any(|asked| asked.contains("secrets")), "Secrets are nothing that is read");
    assert!(bait.refusing.asked().iter().any(|asked| asked.contains("/version")), "{:?}", bait.refusing.asked());
    assert_eq!(found(&screens), [""; 0], "on screen");

    let said = format!("with password={}", canary("panic"));
    let env = [env[0], env[1], env[2], env[3], ("QUARTERDECK_BROKEN", said.as_str())];
    let mut broken = Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), (160, 40), &["--log-level", "trace", "--break-off"], &env);
    assert_eq!(broken.end(SECONDS), 101);
    assert_eq!(found(&String::from_utf8_lossy(&broken.bytes(0))), [""; 0], "in what was said of a panic");

    let state = everything_below(&bait.home.path().join(".local"));
    assert!(state.contains("asked for by --break-off with password="), "{state}");
    assert!(state.contains("delete task web-0") || state.contains("delete web-0"), "the refused action is not on record");
    assert!(screens.contains("cannot read its"), "the odd object was not shown");
    println!("{} bytes of logs and reports", state.len());
    assert_eq!(found(&state), [""; 0], "in logs or reports");

    for args in [&["--pane", "clusters"][..], &["--pane", "tasks", "--keys", "y"], &["--pane", "clusters", "--format", "svg"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quarterdeck"));
        command.args(["snapshot", "--wait", "4s"]).args(args).env_clear().envs(env).stdin(Stdio::null());
        let out = command.output().unwrap();
        let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
        assert!(out.status.success() && said.contains("good"), "{said}");
        assert_eq!(found(&said), [""; 0], "{args:?}");
    }
}

#[test]
fn the_token_of_a_swarm_is_nowhere_but_on_the_screen_of_who_asked_for_it() {
    let swarm = Platform::start(Held {
        swarm: true,
        tokens: [canary("worker"), canary("manager")],
        refusal: "not now".to_owned(),
        ..Held::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let (host, home) = (swarm.host(), folder.path().to_str().unwrap());
    let env = [("HOME", home), ("DOCKER_HOST", host.as_str()), ("RUST_BACKTRACE", "full")];
    let mut pty = Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), (120, 40), &["--log-level", "trace"], &env);
    pty.wait("the swarm", SECONDS, |screen| screen.contains("1 live"));
    pty.send("3");
    pty.wait("its nodes", SECONDS, |screen| screen.contains("leader"));
    pty.send("J");
    pty.wait("how to join", SECONDS, |screen| screen.contains("docker swarm join --token •••"));
    assert_eq!(found(&String::from_utf8_lossy(&pty.bytes(0))), [""; 0], "before it was asked for");
    for (key, place) in [("r", "worker"), ("\t", ""), ("r", "manager")] {
        pty.send(key);
        let shown = |screen: &str| if place.is_empty() { found(screen).is_empty() } else { found(screen) == [canary(place)] };
        pty.wait("what was asked for", SECONDS, shown);
    }
    pty.send("\x1b");
    pty.wait("closed", SECONDS, |screen| !screen.contains("docker swarm join"));
    let closed = pty.bytes(0).len();
    pty.send(":node.rotate-token\r");
    pty.wait("the dialog", SECONDS, |screen| screen.contains("y to go on"));
    pty.send("y9");
    pty.wait("the refusal", SECONDS, |screen| screen.contains("rotate join token of workers") && screen.contains("not now"));
    for keys in ["3", "y", "\x1b", "1", "2", "d", "8", "N"] {
        pty.send(keys);
        pty.wait_quiet(Duration::from_millis(100), Duration::from_secs(1));
    }
    pty.send("\x1b\x03");
    pty.end(SECONDS);
    assert!(swarm.changes().iter().any(|asked| asked.contains("rotateWorkerToken=true")), "{:?}", swarm.changes());
    assert_eq!(found(&String::from_utf8_lossy(&pty.bytes(closed))), [""; 0], "after it was closed");
    let state = everything_below(&folder.path().join(".local"));
    assert!(state.contains("rotate join token of workers"), "nothing was put on record");
    println!("{} bytes of logs and records", state.len());
    assert_eq!(found(&state), [""; 0], "in logs or records");

    let mut command = Command::new(env!("CARGO_BIN_EXE_quarterdeck"));
    command.args(["snapshot", "--wait", "4s", "--pane", "nodes", "--keys", "J r"]).env_clear().envs(env).stdin(Stdio::null());
    let out = command.output().unwrap();
    let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
    assert!(said.contains("a token is shown on a terminal only"), "{said}");
    assert_eq!(found(&said), [""; 0], "in a picture");
}
