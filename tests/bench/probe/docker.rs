//! A Docker engine with many containers: what it is asked while nothing happens, and while somebody looks at what the
//! containers use. Run through `tests/bench/docker`; `DOCKER_HOST` names the engine's socket.

use super::keys::Keys;
use super::measure::{Answer, Used, grouped, mb};
use super::proxy::{Proxy, Upstream};
use super::pty::Pty;
use serde_json::Map;
use std::thread::sleep;
use std::time::Duration;

/// How long the program is left alone.
const IDLE: Duration = Duration::from_secs(120);
/// How long somebody looks at the containers.
const LOOK: Duration = Duration::from_secs(30);

/// All phases.
pub fn run() -> Answer {
    let host = std::env::var("DOCKER_HOST").expect("DOCKER_HOST is not set: run tests/bench/docker");
    let containers: usize = std::env::var("CONTAINERS").expect("CONTAINERS is not set: run tests/bench/docker").parse().unwrap();
    let socket = host.strip_prefix("unix://").expect("DOCKER_HOST is no socket");
    let proxies = [Proxy::start(Upstream::Unix(socket.into()))];
    let home = tempfile::tempdir().unwrap();
    let through = format!("tcp://{}", proxies[0].address);
    let env = [("HOME", home.path().to_str().unwrap()), ("DOCKER_HOST", &through), ("COLORTERM", "truecolor")];
    let mut app = Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), (200, 50), &[], &env);
    let mut answer = Answer::default();
    app.wait_for("fleet", Duration::from_secs(20));
    app.send("5");
    let all = format!("tasks · {} ", grouped(containers));
    app.wait("all containers", Duration::from_secs(60), |screen| screen.contains(&all));
    answer.count("containers", containers);
    answer.number("first_paint_ms", app.first_byte().as_secs_f64() * 1e3);
    answer.number("rows_ms", app.since_start().as_secs_f64() * 1e3);
    answer.count("load_requests", proxies[0].requests().len());
    // a page that shows nothing of what containers use
    app.send("8");
    app.wait("the events", Duration::from_secs(10), |screen| screen.contains("─ events ─") || screen.contains("events ·"));
    sleep(Duration::from_secs(15));

    let (before, seen) = (Used::now(&app, &proxies), proxies[0].requests().len());
    sleep(IDLE);
    let idle = before.since(&app, &proxies);
    answer.count("idle_s", IDLE.as_secs() as usize);
    answer.count("idle_requests", idle.requests);
    answer.number("idle_requests_per_s", idle.requests_ps);
    answer.say("idle_requests_by_path", by_path(&proxies[0].requests()[seen..]));
    answer.number("idle_bps", idle.down_bps);
    answer.count("tty_idle_bytes", idle.tty);
    answer.number("cpu_idle_pct", idle.cpu);
    answer.number("rss_mb", mb(app.resident()));

    app.send("5");
    app.wait("all containers", Duration::from_secs(60), |screen| screen.contains(&all));
    sleep(Duration::from_secs(10));
    let before = Used::now(&app, &proxies);
    sleep(LOOK);
    let look = before.since(&app, &proxies);
    answer.number("look_requests_per_s", look.requests_ps);
    answer.number("look_bps", look.down_bps);
    answer.number("look_tty_bps", look.tty_bps);
    answer.number("cpu_look_pct", look.cpu);
    Keys::of(&mut app).tell("", &mut answer);
    app.send("\x03");
    app.end(Duration::from_secs(5));
    answer
}

/// How often each path was asked for; what differs by container is one.
fn by_path(requests: &[String]) -> Map<String, serde_json::Value> {
    let mut counts = Map::new();
    for request in requests {
        let short: Vec<&str> = request.split('/').map(|part| if part.len() == 64 { "ID" } else { part }).collect();
        let count = counts.entry(short.join("/")).or_insert_with(|| 0.into());
        *count = (count.as_u64().unwrap() + 1).into();
    }
    counts
}
