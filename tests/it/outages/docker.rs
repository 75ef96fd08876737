//! An engine that is shut down and killed again and again, while containers come and go.

use super::Reading;
use super::engine::Bed;
use super::real::{at, attempt, get, list, run};
use crate::faults::writer::Dice;
use quarterdeck::model::Kind;
use std::path::PathBuf;
use std::time::Duration;

/// After an outage of an engine the picture must be equal within this time.
const WITHIN: Duration = Duration::from_secs(10);

async fn read(socket: PathBuf) -> Option<Reading> {
    let (info, containers) = (get(&socket, "/info").await?, get(&socket, "/containers/json?all=1").await?);
    let id = at(&info, "/ID");
    let node = (id.to_owned(), format!("{id} {} paused=false", at(&info, "/ServerVersion")));
    let key = |container: &serde_json::Value| at(container, "/Id").to_owned();
    let runs = |container| matches!(at(container, "/State"), "running" | "restarting");
    let containers = list(&containers);
    let tasks = containers.iter().map(|one| (key(one), format!("{} runs={}", at(one, "/Image"), runs(one))));
    let services = containers.iter().map(|one| (key(one), at(one, "/Image").to_owned()));
    // events are not compared: those of before are kept, and an engine forgets them
    Some(vec![(Kind::Node, [node].into()), (Kind::Task, tasks.collect()), (Kind::Service, services.collect())])
}

/// A container comes, goes, stops or starts.
async fn change(docker: &str, dice: &mut Dice) {
    let all = run(docker, &["ps", "-aq"]).await;
    let all: Vec<&str> = all.lines().collect();
    let image = ["app:1", "app:2"][dice.below(2)];
    let policy = ["no", "always", "unless-stopped"][dice.below(3)];
    let some = if all.is_empty() { "" } else { all[dice.below(all.len())] };
    match dice.below(4) {
        _ if all.len() < 4 => drop(run(docker, &["run", "-d", "--network", "none", "--restart", policy, image]).await),
        0 | 1 if all.len() > 12 => drop(run(docker, &["rm", "-f", some]).await),
        0 => drop(run(docker, &["run", "-d", "--network", "none", "--restart", policy, image]).await),
        1 => drop(run(docker, &["rm", "-f", some]).await),
        2 => drop(run(docker, &["stop", "-t", "1", some]).await),
        // one that is being started again by its policy may refuse
        _ => drop(attempt(docker, &["start", some]).await),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the testbed's engine in DOCKER_HOST: tests/outages"]
async fn an_engine_that_was_away_is_shown_as_it_is_soon_after() {
    Bed::outages("docker", WITHIN, &[], 4, read, change).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the testbed's engine in DOCKER_HOST: tests/outages"]
async fn an_engine_over_a_wire_that_fails_is_shown_as_it_is_soon_after() {
    super::engine::wire("docker over a wire", read, change).await;
}
