//! Credentials from plugins (`user.exec` of a kubeconfig): run without our terminal, bounded in time, once for all waiting
//! requests. Protocol: `client.authentication.k8s.io` ExecCredential, Kubernetes docs "client-go credential plugins".
//!
//! The kube crate would run plugins itself, but lets them read our keyboard and write on our screen.

use http::HeaderValue;
use kube::config::ExecConfig;
use serde::Deserialize;
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::sync::Mutex;

/// Longest a plugin may run. It may open a browser, but it cannot ask on our terminal.
const PLUGIN: Duration = Duration::from_secs(30);
/// Most a plugin may print.
const OUTPUT: u64 = 1 << 20;
/// A token is renewed this long before it ends.
const EARLY: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

/// What authenticates requests beyond what the client itself carries (certificates, tokens, token files).
#[derive(Debug, Default)]
pub(super) struct Credentials {
    plugin: Option<ExecConfig>,
    token: Mutex<Option<Token>>,
    /// When a client certificate that a plugin gave ends: the connection must be made anew before.
    pub certificate_until: Option<jiff::Timestamp>,
}

struct Token {
    header: HeaderValue,
    until: Option<jiff::Timestamp>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("until", &self.until).finish_non_exhaustive()
    }
}

/// What a plugin gave.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Given {
    /// Bearer token.
    pub token: Option<String>,
    /// PEM.
    pub client_certificate_data: Option<String>,
    /// PEM.
    pub client_key_data: Option<String>,
    /// When they end.
    pub expiration_timestamp: Option<jiff::Timestamp>,
}

#[derive(Deserialize)]
struct Answer {
    status: Option<Given>,
}

impl Credentials {
    /// Runs `plugin` for the first time. Returns the certificate and key it gave beside the credentials, for the client.
    pub async fn from_plugin(plugin: ExecConfig) -> Result<(Self, Option<(String, String)>), String> {
        let given = run(&plugin).await?;
        let pair = given.client_certificate_data.clone().zip(given.client_key_data.clone());
        let certificate_until = pair.as_ref().and(given.expiration_timestamp);
        let token = given.token.as_deref().map(|raw| bearer(raw, given.expiration_timestamp)).transpose()?;
        if token.is_none() && pair.is_none() {
            return Err(format!("{}: it gave neither a token nor a certificate", title(&plugin)));
        }
        let plugin = token.is_some().then_some(plugin);
        Ok((Self { plugin, token: Mutex::new(token), certificate_until }, pair))
    }

    /// The `Authorization` header for a request sent now; runs the plugin again when its token is about to end.
    pub async fn header(&self) -> Result<Option<HeaderValue>, String> {
        let Some(plugin) = &self.plugin else { return Ok(None) };
        // held while the plugin runs, so that it runs once and not once for each waiting request
        let mut token = self.token.lock().await;
        let ending = |t: &Token| t.until.is_some_and(|until| jiff::Timestamp::now() + EARLY >= until);
        if token.as_ref().is_none_or(ending) {
            let given = run(plugin).await?;
            let raw = given.token.ok_or_else(|| format!("{}: it gave no token", title(plugin)))?;
            *token = Some(bearer(&raw, given.expiration_timestamp)?);
        }
        Ok(token.as_ref().map(|t| t.header.clone()))
    }
}

fn bearer(raw: &str, until: Option<jiff::Timestamp>) -> Result<Token, String> {
    let mut header = HeaderValue::try_from(format!("Bearer {}", raw.trim()))
        .map_err(|_| "the credential plugin's token holds characters that no header may hold".to_owned())?;
    header.set_sensitive(true);
    Ok(Token { header, until })
}

fn title(plugin: &ExecConfig) -> String {
    format!("credential plugin `{}` failed", plugin.command.as_deref().unwrap_or("(no command)"))
}

async fn run(plugin: &ExecConfig) -> Result<Given, String> {
    let title = title(plugin);
    let name = plugin.command.as_deref().ok_or_else(|| format!("{title}: the kubeconfig names no command"))?;
    let version = plugin.api_version.as_deref().unwrap_or("client.authentication.k8s.io/v1");
    let mut spec = json!({ "interactive": false });
    if plugin.provide_cluster_info {
        spec["cluster"] = serde_json::to_value(&plugin.cluster).unwrap_or_default();
    }
    let info = json!({ "apiVersion": version, "kind": "ExecCredential", "spec": spec });
    let mut command = Command::new(name);
    command
        .args(plugin.args.iter().flatten())
        .env("KUBERNETES_EXEC_INFO", info.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // its own group: it is no foreground job of our terminal, and can be ended with all its children
        .process_group(0)
        .kill_on_drop(true);
    for pair in plugin.env.iter().flatten() {
        if let (Some(name), Some(value)) = (pair.get("name"), pair.get("value")) {
            command.env(name, value);
        }
    }
    let mut child = command.spawn().map_err(|err| match plugin.install_hint.as_deref().map(str::trim) {
        Some(hint) if err.kind() == std::io::ErrorKind::NotFound && !hint.is_empty() => format!("{title}: {err}; {hint}"),
        _ => format!("{title}: {err}"),
    })?;
    let group = child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let work = async {
        let (out, err) = tokio::join!(read(out), read(err));
        (out, err, child.wait().await)
    };
    let Ok((out, err, status)) = tokio::time::timeout(PLUGIN, work).await else {
        if let Some(group) = group {
            // it may have ended just now: nothing to do then
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        return Err(format!(
            "{title}: it did not end within {} s (it cannot ask anything here: log in with kubectl first)",
            PLUGIN.as_secs()
        ));
    };
    let status = status.map_err(|err| format!("{title}: {err}"))?;
    if !status.success() {
        let said = String::from_utf8_lossy(&err);
        let said = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").trim();
        return Err(format!("{title} ({status}): {}", said.chars().take(300).collect::<String>()));
    }
    // what it printed is never quoted: it may be half a token
    let answer: Answer = serde_json::from_slice(&out).map_err(|_| format!("{title}: it did not print an ExecCredential"))?;
    answer.status.ok_or_else(|| format!("{title}: its ExecCredential has no status"))
}

async fn read(from: Option<impl tokio::io::AsyncRead + Unpin>) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(from) = from {
        // what could be read is judged by the caller
        let _ = from.take(OUTPUT).read_to_end(&mut out).await;
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn plugin(script: &str) -> ExecConfig {
        ExecConfig { command: Some("sh".into()), args: Some(vec!["-c".into(), script.into()]), ..ExecConfig::default() }
    }

    #[tokio::test]
    async fn a_token_is_reused_until_it_is_about_to_end_and_then_the_plugin_runs_again() {
        let dir = tempfile::tempdir().unwrap();
        let count = dir.path().join("runs");
        let script = |until: &str| {
            format!(
                r#"echo run >> {0}; echo '{{"status":{{"token":"t'$(wc -l < {0})'","expirationTimestamp":"{until}"}}}}'"#,
                count.display()
            )
        };
        let (long, _) = Credentials::from_plugin(plugin(&script("2999-01-01T00:00:00Z"))).await.unwrap();
        long.header().await.unwrap();
        assert_eq!(long.header().await.unwrap().unwrap(), "Bearer t1");
        let (short, _) = Credentials::from_plugin(plugin(&script("2001-01-01T00:00:00Z"))).await.unwrap();
        assert_eq!(short.header().await.unwrap().unwrap(), "Bearer t3");
    }

    #[tokio::test]
    async fn a_plugin_gets_no_keyboard_and_its_complaint_is_passed_on() {
        let read = plugin("read line && echo got \"$line\" >&2 || echo no keyboard >&2; exit 3");
        let err = Credentials::from_plugin(read).await.unwrap_err();
        assert!(err.ends_with("no keyboard"), "{err}");
        let secret = plugin("echo secret-half-token");
        let err = Credentials::from_plugin(secret).await.unwrap_err();
        assert!(!err.contains("secret"), "{err}");
        let hint = ExecConfig {
            command: Some("no-such-plugin-here".into()),
            install_hint: Some("install it".into()),
            ..ExecConfig::default()
        };
        assert!(Credentials::from_plugin(hint).await.unwrap_err().ends_with("install it"));
    }
}
