//! What says who we are with each request. One that changes while we are connected (a plugin's token, a provider's, a file's)
//! is kept until it is about to end (or a file's has grown old), had anew before, and had anew when the server refuses it.
//!
//! What is promised of credentials, and the tests that hold it (`it` is the test binary of `tests/it`):
//!
//! | claim | test |
//! |---|---|
//! | a plugin has neither keyboard nor terminal, and its complaint is quoted clean | `plugin::tests::a_plugin_gets_no_keyboard…`, `e2e::kubernetes::access::a_credential_plugin_runs_once…` |
//! | a plugin runs once for all who wait, never twice at once for a user | `plugin::tests::all_who_wait_for_one_plugin…` |
//! | a plugin that is told its cluster answers for no other | `plugin::tests::what_a_plugin_is_told…` |
//! | a plugin is ended after 30 s with its children, and with us | `plugin::tests::a_plugin_that_never_ends…`, `e2e::kubernetes::access::a_credential_plugin_at_work…` |
//! | a token is used until it is about to end, and one that ends at once runs no plugin in a circle | `tests::a_token_is_reused…`, `tests::a_token_that_has_ended…` |
//! | a 401 has the plugin run once and the request sent once more | `it::credentials::tokens::a_refused_token_is_had_anew…` |
//! | a plugin that gives the same bad token again is not run in a circle | `it::credentials::tokens::a_plugin_whose_token_stays_bad…` |
//! | a token's file is read again within a minute, and at once after a 401; the line's end is no part of it | `it::credentials::tokens::a_file_s_token…`, `…the_token_of_a_pod…` |
//! | an id token is exchanged before it ends and when it is refused, each refresh token once, for all contexts of a user | `it::credentials::oidc::an_id_token…` |
//! | a provider that refuses, is away or whom we must not believe is told in a sentence, and not asked in a circle | `it::credentials::oidc::a_provider…` |
//! | a token of the kubeconfig, a name and a password | `it::credentials::tokens::what_stands_in_the_kubeconfig…` |
//! | client certificates from data, from files, from a plugin | `it::credentials::certificates::a_client_certificate…` |
//! | a server of an unknown authority, for another name, or out of date is not trusted, in a sentence | `it::credentials::certificates::a_server_that_cannot_be_trusted…` |
//! | `tls-server-name` is the name that is checked | the same |
//! | `proxy-url` of http and socks5, with a login; others are told in a sentence | `it::credentials::proxies`, `proxy::tests` |
//! | `NO_PROXY` as kubectl reads it | `proxy::tests::no_proxy_is_read…` |
//! | ways to log in that kubectl has dropped are told in a sentence | `source::tests::an_auth_provider_of_the_past…` |
//!
//! What of Docker is promised is in `docker/transport`.

use super::oidc::{self, Provider};
use super::plugin::{self, EARLY, Unanswered, title};
use super::proxy::Proxies;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use kube::config::{AuthInfo, ExecConfig};
use parking_lot::Mutex;
use secrecy::ExposeSecret;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// A token from a file is read again after this long: it changes under us, and the old one lasts a little longer.
const READ: Duration = Duration::from_secs(50);

/// What authenticates requests beyond what the client itself carries (certificates).
#[derive(Debug, Default)]
pub(super) struct Credentials {
    /// None where it is always the same.
    giver: Option<Giver>,
    token: Mutex<Option<Token>>,
    /// When a client certificate that a plugin gave ends: the connection must be made anew before.
    pub certificate_until: Option<jiff::Timestamp>,
}

/// Where tokens come from.
#[derive(Debug)]
enum Giver {
    Plugin(Box<ExecConfig>),
    Provider(Box<Provider>),
    File(PathBuf),
}

#[derive(Clone)]
struct Token {
    header: HeaderValue,
    until: Option<jiff::Timestamp>,
    had: Instant,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("until", &self.until).finish_non_exhaustive()
    }
}

impl Token {
    fn new(raw: &str, whose: &str, until: Option<jiff::Timestamp>) -> Result<Self, Unanswered> {
        let odd = || Unanswered::Failed(format!("{whose} holds characters that no header may hold"));
        let mut header = HeaderValue::try_from(format!("Bearer {}", raw.trim())).map_err(|_| odd())?;
        header.set_sensitive(true);
        Ok(Self { header, until, had: Instant::now() })
    }

    /// It lasts until `then`, as far as is known.
    fn lasts(&self, then: jiff::Timestamp) -> bool {
        self.until.is_none_or(|end| then < end)
    }
}

impl Giver {
    /// Whether a token of it may be used without asking for another.
    fn keeps(&self, token: &Token) -> bool {
        match self {
            Self::Plugin(_) | Self::Provider(_) => token.lasts(jiff::Timestamp::now() + EARLY),
            Self::File(_) => token.had.elapsed() < READ,
        }
    }

    async fn token(&self) -> Result<Token, Unanswered> {
        match self {
            Self::Plugin(plugin) => {
                let given = plugin::ask(plugin).await?;
                let raw = given.token.as_deref();
                let raw = raw.ok_or_else(|| Unanswered::Failed(format!("{}: it gave no token", title(plugin))))?;
                Token::new(raw, PLUGIN_S, given.expiration_timestamp)
            }
            Self::Provider(provider) => of_provider(&provider.another().await?),
            Self::File(path) => read(path).await,
        }
    }
}

fn of_provider(id: &str) -> Result<Token, Unanswered> {
    Token::new(id, "the id token", oidc::ends(id))
}

/// How words on a plugin's token begin.
const PLUGIN_S: &str = "the credential plugin's token";

async fn read(path: &Path) -> Result<Token, Unanswered> {
    let broken = |why: String| Unanswered::Failed(format!("the token file {} {why}", path.display()));
    let raw = tokio::fs::read_to_string(path).await.map_err(|err| broken(format!("cannot be read: {err}")))?;
    if raw.trim().is_empty() {
        return Err(broken("is empty".to_owned()));
    }
    Token::new(&raw, &format!("the token file {}", path.display()), None)
}

impl Credentials {
    /// Asks `plugin` for the first time. Returns the certificate and key it gave beside the credentials, for the client.
    pub async fn from_plugin(plugin: ExecConfig) -> Result<(Self, Option<(String, String)>), Unanswered> {
        let given = plugin::ask(&plugin).await?;
        let pair = given.client_certificate_data.clone().zip(given.client_key_data.clone());
        let certificate_until = pair.as_ref().and(given.expiration_timestamp);
        let token = given.token.as_deref().map(|raw| Token::new(raw, PLUGIN_S, given.expiration_timestamp)).transpose()?;
        if token.is_none() && pair.is_none() {
            return Err(Unanswered::Failed(format!("{}: it gave neither a token nor a certificate", title(&plugin))));
        }
        let giver = token.is_some().then_some(Giver::Plugin(Box::new(plugin)));
        Ok((Self { giver, token: Mutex::new(token), certificate_until }, pair))
    }

    /// What a kubeconfig says of a user who has no plugin. Of several the first counts, in this order: kubectl prefers a
    /// token to its file as well, and refuses a name with a password beside a token.
    pub async fn of(user: &AuthInfo, proxies: &Proxies) -> Result<Self, Unanswered> {
        if let Some(provider) = &user.auth_provider {
            return Self::from_provider(Provider::of(&provider.config, proxies).map_err(Unanswered::Failed)?).await;
        }
        if let (Some(name), Some(password)) = (&user.username, &user.password) {
            let odd = || Unanswered::Failed("the name or password holds characters that no header may hold".to_owned());
            return Ok(Self::fixed(basic(name, password.expose_secret()).ok_or_else(odd)?));
        }
        if let Some(token) = &user.token {
            return Ok(Self::fixed(Token::new(token.expose_secret(), "the token of the kubeconfig", None)?.header));
        }
        let file = user.token_file.as_ref().map(|file| Giver::File(PathBuf::from(file)));
        Ok(Self { giver: file, ..Self::default() })
    }

    async fn from_provider(provider: Provider) -> Result<Self, Unanswered> {
        let token = provider.held().await.map(|id| of_provider(&id)).transpose()?;
        Ok(Self { giver: Some(Giver::Provider(Box::new(provider))), token: Mutex::new(token), ..Self::default() })
    }

    /// Always this header.
    pub fn fixed(header: HeaderValue) -> Self {
        let token = Token { header, until: None, had: Instant::now() };
        Self { token: Mutex::new(Some(token)), ..Self::default() }
    }

    /// The `Authorization` header for a request sent now. Asks for another token when the one at hand is about to end.
    pub async fn header(&self) -> Result<Option<HeaderValue>, Unanswered> {
        let held = self.token.lock().clone();
        let Some(giver) = &self.giver else { return Ok(held.map(|token| token.header)) };
        if let Some(token) = held.as_ref().filter(|token| giver.keeps(token)) {
            return Ok(Some(token.header.clone()));
        }
        match self.renew(giver).await {
            Ok(header) => Ok(Some(header)),
            // the old one serves for as long as it lasts
            Err(none) => held.filter(|token| token.lasts(jiff::Timestamp::now())).map(|token| Some(token.header)).ok_or(none),
        }
    }

    /// What to send instead of a header that the server has just refused; nothing where there is nothing else. A plugin that
    /// ran just now is not run again: what it would say is known.
    pub async fn instead_of(&self, refused: &HeaderValue) -> Result<Option<HeaderValue>, Unanswered> {
        let Some(giver) = &self.giver else { return Ok(None) };
        // somebody else may have been refused before us, and have asked
        let held = self.token.lock().as_ref().map(|token| token.header.clone()).filter(|held| held != refused);
        let other = match held {
            Some(held) => held,
            None => self.renew(giver).await?,
        };
        Ok(Some(other).filter(|other| other != refused))
    }

    async fn renew(&self, giver: &Giver) -> Result<HeaderValue, Unanswered> {
        let token = giver.token().await?;
        let header = token.header.clone();
        *self.token.lock() = Some(token);
        Ok(header)
    }
}

/// The header of a name and a password (RFC 7617); none if they hold what no header may hold.
pub(super) fn basic(name: &str, password: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn plugin(script: &str) -> ExecConfig {
        ExecConfig { command: Some("sh".into()), args: Some(vec!["-c".into(), script.into()]), ..ExecConfig::default() }
    }

    /// A plugin that gives `t1`, `t2` and so on, which end then.
    fn counting(count: &Path, until: &str) -> ExecConfig {
        plugin(&format!(
            r#"echo run >> {0}; echo '{{"status":{{"token":"t'$(wc -l < {0})'","expirationTimestamp":"{until}"}}}}'"#,
            count.display()
        ))
    }

    #[tokio::test]
    async fn a_token_is_reused_until_it_is_about_to_end_and_then_the_plugin_runs_again() {
        let dir = tempfile::tempdir().unwrap();
        let count = dir.path().join("runs");
        let (held, _) = Credentials::from_plugin(counting(&count, "2999-01-01T00:00:00Z")).await.unwrap();
        held.header().await.unwrap();
        assert_eq!(held.header().await.unwrap().unwrap(), "Bearer t1");
        held.token.lock().as_mut().unwrap().until = Some(jiff::Timestamp::now());
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(11)).await;
        tokio::time::resume();
        assert_eq!(held.header().await.unwrap().unwrap(), "Bearer t2");
    }

    #[tokio::test]
    async fn a_token_that_has_ended_when_it_is_given_has_no_plugin_run_for_each_request() {
        let dir = tempfile::tempdir().unwrap();
        let count = dir.path().join("runs");
        let (held, _) = Credentials::from_plugin(counting(&count, "2001-01-01T00:00:00Z")).await.unwrap();
        for _ in 0..5 {
            assert_eq!(held.header().await.unwrap().unwrap(), "Bearer t1");
        }
        assert_eq!(std::fs::read_to_string(&count).unwrap().lines().count(), 1);
    }
}
