//! Tokens that change while we are connected: of plugins, of files, of pods.

use super::authority::{Authority, Gate};
use super::server::Server;
use super::{connect, context, later, refusal};
use quarterdeck::backend::kubernetes::{Environment, discover};
use quarterdeck::backend::{BackendError, Connector};
use quarterdeck::engine::{Engine, Options};
use quarterdeck::model::Link;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// After this nothing that a plugin said is taken for an answer without asking again.
const FORGOTTEN: Duration = Duration::from_secs(11);

/// The fields of a user whose plugin, a line of shell with its folder in `$D`, writes down each of its runs.
fn plugin(folder: &Path, line: &str) -> String {
    let script = folder.join("plugin");
    std::fs::write(&script, format!("D={}\necho run >> $D/runs\n{line}\n", folder.display())).unwrap();
    format!("exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, args: ['{}']}}", script.display())
}

fn runs(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("runs")).unwrap_or_default().lines().count()
}

const COUNTS: &str = r#"echo '{"status":{"token":"t'$(wc -l < $D/runs | tr -d ' ')'"}}'"#;
const SAME: &str = r#"echo '{"status":{"token":"same"}}'"#;

#[tokio::test]
async fn a_refused_token_is_had_anew_once_and_what_was_asked_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["t1"]).await;
    let context = context(folder.path(), &format!("server: 'http://127.0.0.1:{}'", server.port), &plugin(folder.path(), COUNTS));
    let backend = connect(&context).await.unwrap();
    backend.ping().await.unwrap();
    assert_eq!(server.asked(), ["/version t1", "/livez t1"]);
    server.know(&["t2"]);
    later(FORGOTTEN).await;
    backend.ping().await.unwrap();
    assert_eq!(server.asked(), ["/livez t1", "/livez t2"]);
    server.know(&["t3"]);
    later(FORGOTTEN).await;
    let all = futures::future::join_all((0..5).map(|_| backend.ping())).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(runs(folder.path()), 3, "all who were refused share a run");
    backend.ping().await.unwrap();
    assert_eq!(server.asked().last().unwrap(), "/livez t3");
}

#[tokio::test]
async fn a_plugin_whose_token_stays_bad_is_not_run_in_a_circle() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["same"]).await;
    let context = context(folder.path(), &format!("server: 'http://127.0.0.1:{}'", server.port), &plugin(folder.path(), SAME));
    let backend = connect(&context).await.unwrap();
    assert_eq!(server.asked(), ["/version same"]);
    server.know(&["other"]);
    later(FORGOTTEN).await;
    for _ in 0..5 {
        let refused = backend.ping().await.unwrap_err();
        assert!(
            matches!(&refused, BackendError::Unauthorised(why) if why.contains("does not accept our credentials")),
            "{refused}"
        );
    }
    assert_eq!(runs(folder.path()), 2, "once more, and it had nothing else to say");
    assert_eq!(server.asked(), ["/livez same"; 5], "what was refused is not sent twice");
    for _ in 0..5 {
        assert!(refusal(&context).await.contains("does not accept our credentials"));
    }
    assert_eq!(runs(folder.path()), 2);
    // nor does the engine, which tries for ever
    later(FORGOTTEN).await;
    let engine = Engine::start(vec![Arc::new(context) as Arc<dyn Connector>], Options::default());
    let mut world = engine.world.clone();
    let refused = world.wait_for(|world| matches!(world.clusters[0].cluster.link, Link::Unauthorised { .. }));
    tokio::time::timeout(Duration::from_secs(10), refused).await.expect("it is not said").unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(runs(folder.path()), 3);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_file_s_token_is_read_again_within_a_minute_and_at_once_when_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["one"]).await;
    let file = folder.path().join("token");
    // as `echo` writes it
    std::fs::write(&file, "one\n").unwrap();
    let context = context(folder.path(), &format!("server: 'http://127.0.0.1:{}'", server.port), "tokenFile: token");
    let backend = connect(&context).await.unwrap();
    server.know(&["one", "two"]);
    std::fs::write(&file, "two\n").unwrap();
    later(Duration::from_secs(60)).await;
    backend.ping().await.unwrap();
    assert_eq!(server.asked(), ["/version one", "/livez two"]);
    server.know(&["three"]);
    std::fs::write(&file, "three").unwrap();
    backend.ping().await.unwrap();
    assert_eq!(server.asked(), ["/livez two", "/livez three"]);
    std::fs::remove_file(&file).unwrap();
    later(Duration::from_secs(60)).await;
    backend.ping().await.unwrap();
    assert_eq!(server.asked(), ["/livez three"], "some take the file away once it was read");
    std::fs::write(&file, "\n").unwrap();
    assert!(refusal(&context).await.ends_with(&format!("the token file {} is empty", file.display())));
}

#[tokio::test]
async fn the_token_of_a_pod_is_followed_as_it_is_renewed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["one", "two"]).await;
    let authority = Authority::new("cluster");
    let gate = Gate::open(&authority.certify(&["127.0.0.1"]), None, server.port).await;
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("token", "one");
    write("ca.crt", &authority.pem);
    write("namespace", "shop");
    let service = Some(("127.0.0.1".to_owned(), gate.port.to_string()));
    let environment = Environment { service, account: folder.path().to_owned(), ..Environment::default() };
    let context = discover(&environment).contexts.remove(0);
    let backend = connect(&context).await.unwrap();
    write("token", "two");
    later(Duration::from_secs(60)).await;
    backend.ping().await.unwrap();
    assert_eq!(server.asked(), ["/version one", "/livez two"]);
}

#[tokio::test]
async fn what_stands_in_the_kubeconfig_is_sent_as_it_is_and_a_name_with_its_password_before_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&[]).await;
    let cluster = format!("server: 'http://127.0.0.1:{}'", server.port);
    for (user, sent) in [
        ("token: fixed", "/version fixed"),
        ("username: me, password: 'open: sesame'", "/version Basic bWU6b3Blbjogc2VzYW1l"),
        ("username: me, password: p, token: fixed", "/version Basic bWU6cA=="),
        ("username: me, token: fixed, tokenFile: nowhere", "/version fixed"),
        ("username: me", "/version nobody"),
    ] {
        connect(&context(folder.path(), &cluster, user)).await.unwrap();
        assert_eq!(server.asked(), [sent], "{user}");
    }
}
