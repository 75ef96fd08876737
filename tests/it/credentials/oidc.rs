//! Id tokens of an OpenID Connect provider.

use super::authority::{Authority, Gate};
use super::server::Server;
use super::{base64, connect, context, later, refusal};
use base64::Engine as _;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use quarterdeck::backend::BackendError;
use quarterdeck::backend::kubernetes::Context;
use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// After this a provider is asked again.
const FORGOTTEN: Duration = Duration::from_secs(11);

/// An id token that ends in or ended before this many seconds; the `n`th of its name.
fn id(name: &str, n: usize, seconds: i64) -> String {
    // the same for all that a test makes
    let end = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() / 1_000 * 1_000 + seconds).unwrap().as_second();
    let claims = format!(r#"{{"exp":{end},"sub":"{name}","n":{n}}}"#);
    format!("e30.{}.c2ln", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims))
}

const LONG: i64 = 100_000;

/// How a provider is minded.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    /// It takes each refresh token, `NAME0` first, once.
    Kind,
    /// The same, if the client's secret stands in the form.
    Form,
    /// It takes them, and its time.
    Slow,
    /// It knows none of them.
    Strict,
    /// It is being restarted.
    Away,
}

struct State {
    name: &'static str,
    mood: Mood,
    given: usize,
    asked: Vec<String>,
    /// Where it says that it is.
    address: String,
}

/// A provider on the loopback; it ends when it is dropped.
struct Provider {
    port: u16,
    state: Arc<Mutex<State>>,
    _task: AbortOnDropHandle<()>,
}

impl Provider {
    async fn start(name: &'static str, mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let address = format!("http://127.0.0.1:{port}");
        let state = Arc::new(Mutex::new(State { name, mood, given: 0, asked: Vec::new(), address }));
        let held = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let held = Arc::clone(&held);
                tokio::spawn(async move {
                    let answer = service_fn(|request| answer(request, &held));
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        });
        Self { port, state, _task: AbortOnDropHandle::new(task) }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    fn turn(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    /// The fields of a user of it, with these besides.
    fn user(&self, more: &str) -> String {
        let State { address, name, .. } = &*self.state.lock().unwrap();
        format!("auth-provider: {{name: oidc, config: {{idp-issuer-url: '{address}/realm/', client-id: '{name}'{more}}}}}")
    }
}

async fn answer(request: Request<Incoming>, state: &Mutex<State>) -> Result<Response<Full<Bytes>>, Infallible> {
    let who = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let path = request.uri().path().to_owned();
    let slow = state.lock().unwrap().mood == Mood::Slow;
    let form = String::from_utf8(request.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
    if slow {
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let mut state = state.lock().unwrap();
    let (code, body) = if state.mood == Mood::Away {
        (503, String::new())
    } else if path == "/realm/.well-known/openid-configuration" {
        (200, format!(r#"{{"issuer":"{0}/realm","token_endpoint":"{0}/realm/token?v=2"}}"#, state.address))
    } else {
        assert_eq!(path, "/realm/token");
        state.asked.push(format!("{} {form}", who.as_deref().unwrap_or("-")));
        let wanted = format!("grant_type=refresh_token&refresh_token={}{}", state.name, state.given);
        if state.mood == Mood::Form && who.is_some() {
            (401, r#"{"error":"invalid_client"}"#.to_owned())
        } else if state.mood != Mood::Strict && (form == wanted || form.starts_with(&format!("{wanted}&"))) {
            state.given += 1;
            let (id, n) = (id(state.name, state.given, LONG), state.given);
            (200, format!(r#"{{"access_token":"no","id_token":"{id}","refresh_token":"{}{n}"}}"#, state.name))
        } else {
            (400, format!(r#"{{"error":"invalid_grant","error_description":"{form} is \u001b[31mover"}}"#))
        }
    };
    Ok(Response::builder().status(code).body(Full::new(Bytes::from(body))).unwrap())
}

fn of(folder: &Path, server: &Server, user: &str) -> Context {
    context(folder, &format!("server: 'http://127.0.0.1:{}'", server.port), user)
}

#[tokio::test]
async fn an_id_token_is_exchanged_before_it_ends_and_when_it_is_refused_each_refresh_token_once() {
    let folder = tempfile::tempdir().unwrap();
    let (server, provider) = (Server::start(&[]).await, Provider::start("ann", Mood::Kind).await);
    let tokens = |token: &str| format!(", id-token: '{token}', refresh-token: ann0");
    // one that lasts is used as it is
    let lasting = id("other", 0, LONG);
    connect(&of(folder.path(), &server, &provider.user(&tokens(&lasting)))).await.unwrap();
    assert_eq!((server.asked(), provider.asked()), (vec![format!("/version {lasting}")], vec![]));

    let context = of(folder.path(), &server, &provider.user(&tokens(&id("ann", 0, -10))));
    let backend = connect(&context).await.unwrap();
    let first = "- grant_type=refresh_token&refresh_token=ann0&client_id=ann".to_owned();
    assert_eq!((server.asked(), provider.asked()), (vec![format!("/version {}", id("ann", 1, LONG))], vec![first]));
    connect(&context).await.unwrap();
    assert_eq!((server.asked().len(), provider.asked()), (1, vec![]), "what it gave is known to who connects again");

    server.know(&[&id("ann", 2, LONG)]);
    later(FORGOTTEN).await;
    let all = futures::future::join_all((0..5).map(|_| backend.ping())).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    let second = "- grant_type=refresh_token&refresh_token=ann1&client_id=ann";
    assert_eq!(provider.asked(), [second], "all who were refused share what it gives");
}

#[tokio::test]
async fn an_id_token_that_comes_after_those_who_waited_have_given_up_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (server, provider) = (Server::start(&[]).await, Provider::start("joe", Mood::Slow).await);
    let context = of(folder.path(), &server, &provider.user(", refresh-token: joe0"));
    assert!(tokio::time::timeout(Duration::from_millis(450), connect(&context)).await.is_err(), "it waits");
    connect(&context).await.unwrap();
    assert_eq!((server.asked(), provider.asked().len()), (vec![format!("/version {}", id("joe", 1, LONG))], 1));
}

#[tokio::test]
async fn a_provider_that_refuses_or_is_away_is_told_in_a_sentence_and_not_asked_in_a_circle() {
    let folder = tempfile::tempdir().unwrap();
    let (server, provider) = (Server::start(&[]).await, Provider::start("bob", Mood::Away).await);
    let away = of(folder.path(), &server, &provider.user(", refresh-token: bob0"));
    let said = connect(&away).await.err().unwrap();
    assert!(matches!(&said, BackendError::Unreachable(why) if why.starts_with("no id token from http://127.0.0.1:")), "{said}");
    provider.turn(Mood::Strict);
    later(FORGOTTEN).await;
    for _ in 0..3 {
        let said = connect(&away).await.err().unwrap();
        let words = "/realm: it refuses the refresh token: invalid_grant: grant_type=refresh_token&refresh_token=(masked)&";
        assert!(matches!(&said, BackendError::Unauthorised(why) if why.contains(words)), "{said}");
        assert!(said.to_string().ends_with("over: log in again") && !said.to_string().contains('\u{1b}'), "{said}");
    }
    assert_eq!(provider.asked().len(), 1);
    provider.turn(Mood::Kind);
    later(FORGOTTEN).await;
    connect(&away).await.unwrap();

    let over = of(folder.path(), &server, &provider.user(&format!(", id-token: '{}'", id("bob", 0, -10))));
    let said = refusal(&over).await;
    assert!(said.ends_with("/realm is over or refused, and there is no refresh-token: log in again"), "{said}");
}

#[tokio::test]
async fn a_provider_has_the_client_s_secret_where_it_wants_it() {
    let folder = tempfile::tempdir().unwrap();
    for (name, mood) in [("cat", Mood::Kind), ("dan", Mood::Form)] {
        let (server, provider) = (Server::start(&[]).await, Provider::start(name, mood).await);
        let user = provider.user(&format!(", client-secret: 'a/b c', refresh-token: {name}0"));
        connect(&of(folder.path(), &server, &user)).await.unwrap();
        let form = format!("grant_type=refresh_token&refresh_token={name}0");
        // RFC 6749, section 2.3.1: both are escaped before they are joined
        let header = format!("Basic {} {form}", base64(format!("{name}:a%2Fb+c").as_bytes()));
        let within = format!("- {form}&client_id={name}&client_secret=a%2Fb+c");
        let asked = if mood == Mood::Kind { vec![header] } else { vec![header, within] };
        assert_eq!(provider.asked(), asked);
    }
}

#[tokio::test]
async fn a_provider_that_shows_the_certificate_of_its_own_authority_is_believed_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (server, provider) = (Server::start(&[]).await, Provider::start("eve", Mood::Kind).await);
    let authority = Authority::new("provider");
    let gate = Gate::open(&authority.certify(&["127.0.0.1"]), None, provider.port).await;
    provider.state.lock().unwrap().address = format!("https://127.0.0.1:{}", gate.port);
    let said = refusal(&of(folder.path(), &server, &provider.user(", refresh-token: eve0"))).await;
    assert!(said.contains("/realm: ") && said.contains("certificate"), "{said}");
    later(FORGOTTEN).await;
    let file = folder.path().join("idp.crt");
    std::fs::write(&file, &authority.pem).unwrap();
    for more in [
        format!("idp-certificate-authority-data: '{}'", base64(authority.pem.as_bytes())),
        format!("idp-certificate-authority: '{}'", file.display()),
    ] {
        connect(&of(folder.path(), &server, &provider.user(&format!(", refresh-token: eve0, {more}")))).await.unwrap();
    }
    assert_eq!(provider.asked().len(), 1);
}
