//! Tokens of an OpenID Connect provider, for a user whose kubeconfig has the auth-provider `oidc` (Kubernetes docs,
//! "Authenticating": OpenID Connect Tokens): the id token it holds and, once that is about to end, another one from the
//! provider in exchange for the refresh token (OpenID Connect Core 1.0, section 12).
//!
//! What a provider gave is kept as long as the program runs, for all contexts of the user. The kubeconfig is not written:
//! where a refresh token serves once only, kubectl has to log in again.

use super::client::client;
use super::credentials::{Credentials, basic};
use super::failure::{Failure, Sort};
use super::http::Api;
use super::plugin::{KEPT, Unanswered};
use super::proxy::{self, Proxies};
use super::source::certificates;
use crate::backend::address::without_credentials;
use crate::backend::secret;
use crate::util::secrets::without_secrets;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use form_urlencoded::{Serializer, byte_serialize};
use futures::future::BoxFuture;
use http::Uri;
use kube::Config;
use serde::Deserialize;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Longest wait for an answer of the provider.
const ANSWER: Duration = Duration::from_secs(5);

/// Who gives the tokens, and what it wants to see.
#[derive(Clone)]
pub(super) struct Provider {
    issuer: String,
    client: String,
    /// Empty for a client that has none.
    secret: String,
    /// Whom to believe that it is the provider; those the system believes where there is nothing.
    authority: Option<Vec<Vec<u8>>>,
    proxies: Proxies,
    held: Arc<Mutex<Held>>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// The tokens of one user.
struct Held {
    /// Of the kubeconfig, or the last one the provider gave.
    id: Option<String>,
    /// The same.
    refresh: Option<String>,
    /// What the provider was last asked, and what came of it: it is not asked again so soon.
    last: Option<(Instant, Result<String, Unanswered>)>,
}

/// Issuer, client, and the tokens of the kubeconfig, which are others after a login.
type User = [String; 4];

/// The tokens of all users.
static HELD: LazyLock<parking_lot::Mutex<HashMap<User, Arc<Mutex<Held>>>>> = LazyLock::new(Default::default);

/// As much of the provider's description of itself (OpenID Connect Discovery 1.0, section 3).
#[derive(Deserialize)]
struct Described {
    token_endpoint: String,
}

/// What comes for a refresh token.
#[derive(Deserialize)]
struct Given {
    id_token: Option<String>,
    refresh_token: Option<String>,
}

/// Why there was no token (RFC 6749, section 5.2).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    error: String,
    error_description: String,
}

/// As much of what an id token says.
#[derive(Deserialize)]
struct Claims {
    exp: f64,
}

impl Provider {
    /// From the `config` of an auth-provider.
    pub fn of(config: &HashMap<String, String>, proxies: &Proxies) -> Result<Self, String> {
        let given = |key: &str| config.get(key).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let needed = |key: &str| given(key).ok_or_else(|| format!("the auth-provider oidc has no {key}"));
        // what is below it is found without its last slash (OpenID Connect Discovery 1.0, section 4)
        let (issuer, client) = (needed("idp-issuer-url")?.trim_end_matches('/').to_owned(), needed("client-id")?);
        let (id, refresh) = (given("id-token"), given("refresh-token"));
        if id.is_none() && refresh.is_none() {
            return Err("the auth-provider oidc has neither an id-token nor a refresh-token: log in first".to_owned());
        }
        let odd = |why: String| format!("the authority of the provider {issuer} cannot be read: {why}");
        let pem = match (given("idp-certificate-authority-data"), given("idp-certificate-authority")) {
            (Some(data), _) => Some(STANDARD.decode(data).map_err(|err| odd(err.to_string()))?),
            (None, Some(file)) => Some(std::fs::read(&file).map_err(|err| odd(format!("{file}: {err}")))?),
            (None, None) => None,
        };
        let authority = pem.map(|pem| certificates(&pem).map_err(odd)).transpose()?;
        let key = [issuer.clone(), client.clone(), id.clone().unwrap_or_default(), refresh.clone().unwrap_or_default()];
        let held = Arc::clone(HELD.lock().entry(key).or_insert_with(|| Arc::new(Mutex::new(Held { id, refresh, last: None }))));
        Ok(Self { issuer, client, secret: given("client-secret").unwrap_or_default(), authority, proxies: proxies.clone(), held })
    }

    /// The id token at hand, if there is one.
    pub async fn held(&self) -> Option<String> {
        self.held.lock().await.id.clone()
    }

    /// Another id token, or the one that somebody else was given just now.
    pub fn another(&self) -> BoxFuture<'_, Result<String, Unanswered>> {
        let asked = self.clone().asked();
        // a task of its own: it goes on when those who wait for it have to give up, as what it was given for a refresh token
        // that serves once must not be lost
        Box::pin(async {
            let ended = tokio::spawn(asked).await;
            ended.unwrap_or_else(|err| Err(Unanswered::NotYet(format!("the provider of id tokens could not be asked: {err}"))))
        })
    }

    async fn asked(self) -> Result<String, Unanswered> {
        // one at a time: a refresh token may serve once only
        let mut held = self.held.lock().await;
        if let Some((at, outcome)) = &held.last
            && at.elapsed() < KEPT
        {
            return outcome.clone();
        }
        let outcome = match &held.refresh {
            Some(refresh) => self.exchange(refresh).await,
            None => Err(Unanswered::Failed(format!(
                "the id token of {} is over or refused, and there is no refresh-token: log in again",
                without_credentials(&self.issuer)
            ))),
        };
        let outcome = outcome.map(|(id, refresh)| {
            held.id = Some(id.clone());
            held.refresh = refresh.or(held.refresh.take());
            id
        });
        held.last = Some((Instant::now(), outcome.clone()));
        outcome
    }

    /// An id token for a refresh token, and another refresh token if that one is used up.
    async fn exchange(&self, refresh: &str) -> Result<(String, Option<String>), Unanswered> {
        let described: Described = self
            .api(&self.issuer, Credentials::default())?
            .get_within("/.well-known/openid-configuration", ANSWER)
            .await
            .map_err(|failure| self.unanswered(failure))?;
        let endpoint: Uri = described.token_endpoint.parse().map_err(|_| self.failed("its token endpoint is no address"))?;
        let path = endpoint.path_and_query().map_or("/", |path| path.as_str());
        let server = described.token_endpoint.strip_suffix(path).unwrap_or(&described.token_endpoint);
        // both are in use (RFC 6749, section 2.3.1), and a provider may refuse what stands in both places
        let ways: &[bool] = if self.secret.is_empty() { &[false] } else { &[true, false] };
        let mut why = String::new();
        for in_header in ways {
            let (form, who) = self.request(refresh, *in_header)?;
            let sent = self.api(server, who)?.post_form(path, form, ANSWER).await;
            let (status, body) = sent.map_err(|failure| self.unanswered(failure))?;
            if status.is_success() {
                // what it answered is never quoted: it may be half a token
                let given: Given = serde_json::from_slice(&body).map_err(|_| self.failed("its answer is no token response"))?;
                let id = given.id_token.ok_or_else(|| self.failed("it gave no id token: is the scope openid asked for?"))?;
                return Ok((id, given.refresh_token));
            }
            if let 429 | 500.. = status.as_u16() {
                return Err(self.unanswered(Failure::refused(status.as_u16(), &body)));
            }
            let Refused { error, error_description } = serde_json::from_slice(&body).unwrap_or_default();
            why = match (error.as_str(), error_description.as_str()) {
                ("", _) => format!("HTTP status {status}"),
                (error, "") => error.to_owned(),
                (error, words) => format!("{error}: {words}"),
            };
        }
        let why = without_secrets(&secret::without(&why, [refresh, &self.secret].into_iter()));
        let why: String = why.chars().filter(|c| !c.is_control()).take(300).collect();
        Err(self.failed(&format!("it refuses the refresh token: {why}: log in again")))
    }

    /// The form of an exchange, and who we say we are beside it.
    fn request(&self, refresh: &str, in_header: bool) -> Result<(String, Credentials), Unanswered> {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", refresh);
        if in_header {
            let escaped = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            let header = basic(&escaped(&self.client), &escaped(&self.secret)).ok_or_else(|| self.failed("no header holds it"))?;
            return Ok((form.finish(), Credentials::fixed(header)));
        }
        form.append_pair("client_id", &self.client);
        if !self.secret.is_empty() {
            form.append_pair("client_secret", &self.secret);
        }
        Ok((form.finish(), Credentials::default()))
    }

    fn api(&self, server: &str, who: Credentials) -> Result<Api, Unanswered> {
        let address: Uri = server.parse().map_err(|_| self.failed("it has no address"))?;
        let proxy = self.proxies.of(&address).map(proxy::parse).transpose().map_err(Unanswered::Failed)?;
        let mut config = Config::new(address);
        (config.root_cert, config.proxy_url) = (self.authority.clone(), proxy);
        let client = client(config).map_err(|why| self.failed(&why))?;
        Ok(Api::new(client, Arc::new(who), server))
    }

    fn unanswered(&self, failure: Failure) -> Unanswered {
        match failure.sort {
            Sort::Link | Sort::Status(429 | 500..) => Unanswered::NotYet(format!("{}: {}", self.title(), failure.message)),
            _ => self.failed(&failure.message),
        }
    }

    fn failed(&self, why: &str) -> Unanswered {
        Unanswered::Failed(format!("{}: {why}", self.title()))
    }

    fn title(&self) -> String {
        format!("no id token from {}", without_credentials(&self.issuer))
    }
}

/// When an id token ends; nothing if it does not say so itself (RFC 7519, section 4.1.4).
pub(super) fn ends(id: &str) -> Option<jiff::Timestamp> {
    let claims = URL_SAFE_NO_PAD.decode(id.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let Claims { exp } = serde_json::from_slice(&claims).ok()?;
    jiff::Timestamp::from_second(exp as i64).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_id_token_says_when_it_ends_and_one_that_does_not_is_no_mistake() {
        let id = |claims: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        let end = |seconds| Some(jiff::Timestamp::from_second(seconds).unwrap());
        assert_eq!(ends(&id(r#"{"exp":1700000000}"#)), end(1_700_000_000));
        assert_eq!(ends(&id(r#"{"exp":1.7e9,"sub":"me"}"#)), end(1_700_000_000));
        for opaque in ["", "opaque", "a.b.c", &id("{}"), &id(r#"{"exp":"soon"}"#), &id(r#"{"exp":1e300}"#)] {
            assert_eq!(ends(opaque), None, "{opaque}");
        }
    }

    #[test]
    fn what_is_missing_in_the_kubeconfig_is_said() {
        let said = |pairs: &[(&str, &str)]| {
            let config = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            Provider::of(&config, &Proxies::default()).map(|_| ()).unwrap_err()
        };
        assert_eq!(said(&[]), "the auth-provider oidc has no idp-issuer-url");
        let (issuer, client) = (("idp-issuer-url", "https://idp"), ("client-id", "k"));
        assert!(said(&[issuer, client]).ends_with("neither an id-token nor a refresh-token: log in first"));
        let unread = said(&[issuer, client, ("id-token", "t"), ("idp-certificate-authority", "/nowhere")]);
        assert!(unread.starts_with("the authority of the provider https://idp cannot be read: /nowhere: "), "{unread}");
    }
}
