//! The programs that the outages are made with, and the ways to read a server that are not the engine's.

use serde_json::Value;
use std::path::Path;
use std::process::Output;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::time::timeout;

/// What the testbed promised in the environment.
pub fn required(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: tests/outages starts the platforms and sets it"))
}

pub async fn attempt(program: &str, args: &[&str]) -> Output {
    Command::new(program).args(args).kill_on_drop(true).output().await.unwrap_or_else(|err| panic!("{program}: {err}"))
}

/// Runs a program that must not fail; what it printed.
pub async fn run(program: &str, args: &[&str]) -> String {
    let out = attempt(program, args).await;
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

/// Runs a program that fails as long as its server is not all there.
pub async fn insist(program: &str, args: &[&str]) -> String {
    for _ in 0..100 {
        let out = attempt(program, args).await;
        if out.status.success() {
            return String::from_utf8_lossy(&out.stdout).trim().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    run(program, args).await
}

/// Runs one of the testbed's scripts.
pub async fn testbed(script: &str, args: &[&str]) {
    run(&format!("{}/tests/testbed/{script}", env!("CARGO_MANIFEST_DIR")), args).await;
}

/// What an engine answers on its socket; none if it does not.
pub async fn get(socket: &Path, path: &str) -> Option<Value> {
    let answer = timeout(Duration::from_secs(5), async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n").as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.map(|_| answer)
    });
    let answer = answer.await.ok()?.ok()?;
    let body = answer.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    answer.starts_with(b"HTTP/1.0 200").then(|| serde_json::from_slice(&answer[body..]).ok())?
}

/// The text at a place of an object.
pub fn at<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The list that an answer is.
pub fn list(answer: &Value) -> &[Value] {
    answer.as_array().map(Vec::as_slice).unwrap_or_default()
}
