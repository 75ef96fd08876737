//! The manager of a swarm that is shut down and killed again and again, while services change.

use super::Reading;
use super::engine::Bed;
use super::real::{at, get, insist, list};
use crate::faults::writer::Dice;
use quarterdeck::model::Kind;
use serde_json::Value;
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

/// After an outage of its only manager a swarm must be shown as it is within this time.
const WITHIN: Duration = Duration::from_secs(45);

async fn read(socket: PathBuf) -> Option<Reading> {
    let (nodes, services) = (get(&socket, "/nodes").await?, get(&socket, "/services").await?);
    let tasks = get(&socket, "/tasks").await?;
    let down = |node: &&Value| matches!(at(node, "/Status/State"), "down" | "disconnected");
    let down: HashSet<&str> = list(&nodes).iter().filter(down).map(|node| at(node, "/ID")).collect();
    let node = |node: &Value| {
        let (id, version) = (at(node, "/ID"), at(node, "/Description/Engine/EngineVersion"));
        (id.to_owned(), format!("{id} {version} paused={}", at(node, "/Spec/Availability") == "pause"))
    };
    let service = |service: &Value| {
        let wants = service.pointer("/Spec/Mode/Replicated/Replicas").and_then(Value::as_u64).unwrap_or_default();
        let image = at(service, "/Spec/TaskTemplate/ContainerSpec/Image");
        (at(service, "/ID").to_owned(), format!("{image} wants {wants}"))
    };
    let task = |task: &Value| {
        let (node, image) = (at(task, "/NodeID"), at(task, "/Spec/ContainerSpec/Image"));
        let word = word(at(task, "/Status/State"), at(task, "/DesiredState"), down.contains(node))?;
        Some((at(task, "/ID").to_owned(), format!("{image} {word} on={node}")))
    };
    Some(vec![
        (Kind::Node, list(&nodes).iter().map(node).collect()),
        (Kind::Service, list(&services).iter().map(service).collect()),
        (Kind::Task, list(&tasks).iter().filter_map(task).collect()),
    ])
}

/// What a task is doing; none if it has ended.
fn word(state: &str, wanted: &str, node_down: bool) -> Option<&'static str> {
    let ending = matches!(wanted, "shutdown" | "remove" | "orphaned");
    match state {
        "complete" | "shutdown" | "remove" | "orphaned" | "failed" | "rejected" => None,
        _ if node_down => Some("lost"),
        "new" | "allocated" | "pending" => (!ending).then_some("pending"),
        _ if ending => Some("stopping"),
        "running" => Some("running"),
        _ => Some("starting"),
    }
}

/// A service comes, goes, or changes.
async fn change(docker: &str, dice: &mut Dice) {
    let all = insist(docker, &["service", "ls", "-q"]).await;
    let all: Vec<&str> = all.lines().collect();
    let (image, count) = (["app:1", "app:2"][dice.below(2)], (1 + dice.below(4)).to_string());
    let some = if all.is_empty() { "" } else { all[dice.below(all.len())] };
    let quiet = ["-q", "--detach", "--no-resolve-image"];
    let create = [&["service", "create"], &quiet[..], &["--replicas", &count, "--stop-grace-period", "1s", image]].concat();
    let update = [&["service", "update"], &quiet[..], &["--image", image, "--replicas", &count, some]].concat();
    match dice.below(4) {
        _ if all.len() < 3 => insist(docker, &create).await,
        0 if all.len() < 7 => insist(docker, &create).await,
        0 | 1 => insist(docker, &["service", "rm", some]).await,
        _ => insist(docker, &update).await,
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the testbed's swarm in DOCKER_HOST: tests/outages"]
async fn a_swarm_whose_manager_was_away_is_shown_as_it_is_soon_after() {
    Bed::outages("swarm", WITHIN, &["1"], 2, read, change).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the testbed's swarm in DOCKER_HOST: tests/outages"]
async fn a_swarm_over_a_wire_that_fails_is_shown_as_it_is_soon_after() {
    super::engine::wire("swarm over a wire", read, change).await;
}
