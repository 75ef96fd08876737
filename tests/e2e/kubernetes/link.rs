//! The way to the server: proxies, and connections that die without a word.

use super::door::Door;
use super::{SOON, config_with, open_with};
use crate::platform::required;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The testbed's API server.
fn port() -> u16 {
    let text = std::fs::read_to_string(required("KUBECONFIG")).unwrap();
    let server = text.split("https://127.0.0.1:").nth(1).unwrap();
    server.split_whitespace().next().unwrap().parse().unwrap()
}

/// The testbed's kubeconfig with another address of the server.
fn reached_by(address: &str) -> tempfile::NamedTempFile {
    config_with(|text| text.replace(&format!("https://127.0.0.1:{}", port()), address))
}

#[test]
fn a_proxy_of_the_kubeconfig_is_gone_through() {
    for (kind, proxy) in [("http", Door::proxy()), ("socks5", Door::socks())] {
        // a name that only the proxy knows
        let server = format!("https://kubernetes.default.svc:{}", port());
        let config = reached_by(&format!("{server}\n    proxy-url: {kind}://127.0.0.1:{}", proxy.port));
        let (mut app, _home) = open_with(&config, &[]);
        app.send("3");
        app.wait_for("node-1", SOON);
        assert!(proxy.passed.load(Ordering::Relaxed) > 1, "nothing went through the {kind} proxy");
    }
}

#[test]
fn a_proxy_of_the_environment_is_gone_through_but_not_to_what_no_proxy_names() {
    let proxy = Door::proxy();
    // a name that only the proxy knows
    let config = reached_by(&format!("https://kubernetes.default.svc:{}", port()));
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let (mut app, _home) = open_with(&config, &[("HTTPS_PROXY", &url), ("NO_PROXY", "10.0.0.0/8, .example,")]);
    app.send("3");
    app.wait_for("node-1", SOON);
    let passed = proxy.passed.load(Ordering::Relaxed);
    assert!(passed > 1, "nothing went through the proxy");
    drop(app);
    let (app, _home) = open_with(&config, &[("HTTPS_PROXY", &url), ("NO_PROXY", "default.svc")]);
    app.wait_for("does not resolve", SOON);
}

#[test]
fn a_proxy_that_refuses_or_is_not_there_is_named() {
    let proxy = Door::proxy_that(|_| "403 Forbidden");
    let through = |port: u16| reached_by(&format!("https://127.0.0.1:{}\n    proxy-url: http://127.0.0.1:{port}", self::port()));
    let config = through(proxy.port);
    let (app, _home) = open_with(&config, &[]);
    app.wait_for(&format!("the proxy http://127.0.0.1:{} does not connect us to https://", proxy.port), SOON);
    drop(app);
    // a port that was just given back
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = through(free);
    let (app, _home) = open_with(&config, &[]);
    app.wait_for(&format!("the proxy http://127.0.0.1:{free} refused the connection"), SOON);
}

#[test]
fn a_proxy_gets_the_login_of_its_address_and_the_screen_does_not() {
    let knows = |head: &str| match head.contains("Proxy-Authorization: Basic bWU6cEBzcw==\r\n") {
        true => "200 OK",
        false => "407 Proxy Authentication Required",
    };
    let proxy = Door::proxy_that(knows);
    let by = |password: &str| {
        let server = format!("https://127.0.0.1:{}", port());
        reached_by(&format!("{server}\n    proxy-url: http://me:{password}@127.0.0.1:{}", proxy.port))
    };
    let config = by("p%40ss");
    let (mut app, _home) = open_with(&config, &[]);
    app.send("3");
    app.wait_for("node-1", SOON);
    drop(app);
    let config = by("wrong");
    let (app, _home) = open_with(&config, &[]);
    app.wait_for(&format!("the proxy http://127.0.0.1:{} wants a user and password", proxy.port), SOON);
    assert!(!app.screen().contains("wrong"), "{}", app.screen());
}

/// From silence to the word on screen, and from the first good moment to live; `mend` ends the silence.
fn falls_silent(mend: impl Fn(&Door)) -> (Duration, Duration) {
    let relay = Door::relay(port());
    let config = reached_by(&format!("https://127.0.0.1:{}", relay.port));
    let (mut app, _home) = open_with(&config, &[]);
    app.send("3");
    app.wait_for("node-1", SOON);
    // past the first moments, when all is new
    std::thread::sleep(Duration::from_secs(3));
    relay.hold(true);
    let silent = Instant::now();
    app.wait_for("stale", Duration::from_secs(17));
    let stale = silent.elapsed();
    std::thread::sleep(Duration::from_secs(30));
    assert!(app.screen().contains("stale"), "it is still silent:\n{}", app.screen());
    mend(&relay);
    let mended = Instant::now();
    app.wait("live again", Duration::from_secs(60), |screen| screen.contains("1 live") && !screen.contains("stale"));
    (stale, mended.elapsed())
}

#[test]
fn a_link_that_dies_without_a_word_is_stale_in_time_and_live_again_when_it_passes_again() {
    let (stale, live) = falls_silent(|relay| relay.hold(false));
    println!("stale {:.1} s after silence, live {:.1} s after it passed again", stale.as_secs_f64(), live.as_secs_f64());
    assert!(stale <= Duration::from_secs(15) && live <= Duration::from_secs(45), "stale {stale:?}, live {live:?}");
}

#[test]
fn a_link_whose_old_connections_stay_dead_is_live_again_over_new_ones() {
    let (stale, live) = falls_silent(Door::renew);
    println!("stale {:.1} s after silence, live {:.1} s after new connections passed", stale.as_secs_f64(), live.as_secs_f64());
    assert!(stale <= Duration::from_secs(15) && live <= Duration::from_secs(45), "stale {stale:?}, live {live:?}");
}
