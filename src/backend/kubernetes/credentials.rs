//! What says who we are with each request, where a plugin gives it: kept until it ends, and asked for anew before.

use super::plugin::{self, EARLY, Unanswered, title};
use http::HeaderValue;
use kube::config::ExecConfig;
use parking_lot::Mutex;

/// What authenticates requests beyond what the client itself carries (certificates, tokens, token files).
#[derive(Debug, Default)]
pub(super) struct Credentials {
    plugin: Option<ExecConfig>,
    token: Mutex<Option<Token>>,
    /// When a client certificate that a plugin gave ends: the connection must be made anew before.
    pub certificate_until: Option<jiff::Timestamp>,
}

#[derive(Clone)]
struct Token {
    header: HeaderValue,
    until: Option<jiff::Timestamp>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("until", &self.until).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Asks `plugin` for the first time. Returns the certificate and key it gave beside the credentials, for the client.
    pub async fn from_plugin(plugin: ExecConfig) -> Result<(Self, Option<(String, String)>), Unanswered> {
        let given = plugin::ask(&plugin).await?;
        let pair = given.client_certificate_data.clone().zip(given.client_key_data.clone());
        let certificate_until = pair.as_ref().and(given.expiration_timestamp);
        let token = given.token.as_deref().map(|raw| bearer(raw, given.expiration_timestamp)).transpose()?;
        if token.is_none() && pair.is_none() {
            return Err(Unanswered::Failed(format!("{}: it gave neither a token nor a certificate", title(&plugin))));
        }
        let plugin = token.is_some().then_some(plugin);
        Ok((Self { plugin, token: Mutex::new(token), certificate_until }, pair))
    }

    /// The `Authorization` header for a request sent now; asks the plugin again when its token is about to end.
    pub async fn header(&self) -> Result<Option<HeaderValue>, Unanswered> {
        let Some(plugin) = &self.plugin else { return Ok(None) };
        let now = jiff::Timestamp::now();
        let held = self.token.lock().clone();
        let good = |until: jiff::Timestamp| held.as_ref().filter(|t| t.until.is_none_or(|end| until < end));
        if let Some(token) = good(now + EARLY) {
            return Ok(Some(token.header.clone()));
        }
        let given = match plugin::ask(plugin).await {
            Ok(given) => given,
            // the old one serves for as long as it lasts
            Err(none) => return good(now).map(|token| Some(token.header.clone())).ok_or(none),
        };
        let raw = given.token.as_deref();
        let raw = raw.ok_or_else(|| Unanswered::Failed(format!("{}: it gave no token", title(plugin))))?;
        let token = bearer(raw, given.expiration_timestamp)?;
        let header = token.header.clone();
        *self.token.lock() = Some(token);
        Ok(Some(header))
    }
}

fn bearer(raw: &str, until: Option<jiff::Timestamp>) -> Result<Token, Unanswered> {
    let odd = || Unanswered::Failed("the credential plugin's token holds characters that no header may hold".to_owned());
    let mut header = HeaderValue::try_from(format!("Bearer {}", raw.trim())).map_err(|_| odd())?;
    header.set_sensitive(true);
    Ok(Token { header, until })
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
}
