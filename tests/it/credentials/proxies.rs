//! Proxies of a kubeconfig, on the way to a server whose name only they know.

#[path = "../../e2e/kubernetes/door.rs"]
#[allow(dead_code, reason = "the other suite uses more of it")]
mod door;

use super::authority::{Authority, Gate};
use super::server::Server;
use super::{connect, context, refusal};
use door::Door;
use std::sync::atomic::Ordering;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_is_gone_through_with_the_login_of_its_address_and_what_is_wrong_with_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&[]).await;
    let authority = Authority::new("cluster");
    let gate = Gate::open(&authority.certify(&["kubernetes.internal"]), None, server.port).await;
    std::fs::write(folder.path().join("ca.crt"), &authority.pem).unwrap();
    let by = |proxy: &str| {
        let server = format!("server: 'https://kubernetes.internal:{}'", gate.port);
        context(folder.path(), &format!("{server}, certificate-authority: ca.crt, proxy-url: '{proxy}'"), "")
    };
    let login = Door::proxy_that(|head| match head.contains("Proxy-Authorization: Basic bWU6cEBzcw==\r\n") {
        true => "200 OK",
        false => "407 Proxy Authentication Required",
    });
    let (http, socks) = (Door::proxy(), Door::socks());
    for (url, door) in [
        (format!("http://127.0.0.1:{}", http.port), &http),
        (format!("socks5://127.0.0.1:{}", socks.port), &socks),
        (format!("http://me:p%40ss@127.0.0.1:{}", login.port), &login),
    ] {
        connect(&by(&url)).await.unwrap_or_else(|why| panic!("{url}: {why}"));
        assert!(door.passed.load(Ordering::Relaxed) > 0, "{url} was not gone through");
    }
    let closed = Door::proxy_that(|_| "403 Forbidden");
    // a port that was just given back
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (url, words) in [
        (format!("http://me:wrong@127.0.0.1:{}", login.port), "wants a user and password, or others"),
        (format!("http://127.0.0.1:{}", closed.port), "does not connect us to https://kubernetes.internal"),
        (format!("http://127.0.0.1:{free}"), "refused the connection"),
        (format!("socks5://127.0.0.1:{free}"), "cannot be reached (does it run? is a VPN or route missing?)"),
        ("socks4://127.0.0.1:1080".to_owned(), "a proxy of the kind socks4 is not known here (http, https, socks5)"),
    ] {
        let said = refusal(&by(&url)).await;
        assert!(said.contains(words) && !said.contains("wrong"), "{url}: {said}");
    }
}
