//! What the program costs, as its terminal, the kernel and the server see it; one JSON object. `PROBE` names what is
//! measured; the scripts in `tests/bench` start what each of them needs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::cast_possible_truncation)]

mod cluster;
mod docker;
mod engine;
mod fleet;
mod keys;
mod link;
mod logs;
mod measure;
mod pace;
mod peers;
mod proxy;
#[path = "../../it/pty.rs"]
mod pty;
#[path = "../recorded/mod.rs"]
mod recorded;
mod replay;

use serde_json::Value;

fn main() {
    let probe = std::env::var("PROBE").unwrap_or_else(|_| "fleet".to_owned());
    let answer = match probe.as_str() {
        "fleet" => fleet::run(),
        "peers" => peers::run(),
        "growth" => fleet::grown(),
        "starts" => fleet::starts(),
        "docker" => docker::run(),
        "logs" => logs::run(),
        "link" => link::run(),
        other => panic!("PROBE={other}: there are fleet, peers, growth, docker, logs and link"),
    };
    println!("{:#}", Value::Object(answer.0));
}
