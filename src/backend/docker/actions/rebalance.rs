//! Spreading a swarm service's tasks anew: zones first, in each zone nodes. A swarm moves no task, so the service gets as
//! many more as lie badly, which the scheduler places where the fewest are; then nodes that should carry none are avoided;
//! and then the number goes back, by which a swarm ends tasks on the nodes that have the most. It has never fewer running
//! than it wants. What is added meanwhile is kept on the service: see [`super::temporary`].

use super::constraint::satisfied;
use super::rest::at_rest;
use super::room::open;
use super::service::target;
use super::task::{goes_on, wanted_of};
use super::temporary::{avoid, back, change, for_now, has, more, number, replicas, spread_first};
use super::write::{Update, write};
use super::{changed, report, unsupported};
use crate::analysis::reasons::count;
use crate::analysis::spread::{self, Place};
use crate::backend::docker::client::Docker;
use crate::backend::docker::wire;
use crate::backend::{BackendError, ProgressSink};
use crate::model::{Expect, Intent, Key, Text};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The node label that says in which zone it is.
const ZONE: &str = "zone";
/// Pause between looks.
const LOOK: Duration = Duration::from_secs(1);
/// Longest wait for tasks to start or to end.
const PATIENCE: Duration = Duration::from_secs(300);
/// Which tasks end is the swarm's choice: so often it is tried until they lie evenly, as long as each time wins something.
const ROUNDS: usize = 3;

/// How the tasks of the service lie.
struct Lie {
    /// How many lie badly.
    moves: usize,
    /// Nodes that should carry none.
    emptied: Vec<String>,
    /// Some node is in a zone.
    zoned: bool,
}

/// See the module's description.
pub async fn rebalance(docker: &Docker, intent: &Intent, progress: &ProgressSink) -> Result<Expect, BackendError> {
    let doing = format!("rebalancing {}", intent.name);
    let mut service = read(docker, intent, &doing).await?;
    if service.spec.value.mode.replicated.is_none() {
        return Err(unsupported(intent, "only the tasks of replicated services may run anywhere"));
    }
    if has(&service.spec.value.labels, &intent.object.key) {
        // what a program that was killed has left of it has changed the definition, too: it goes, and the rest begins anew
        back(&docker.http, intent, &intent.object.key).await?;
        service = read(docker, intent, &doing).await?;
        down(docker, &doing, &service, |note| report(progress, 0, 0, note)).await?;
    } else if service.spec.rev != intent.bound.spec_rev {
        return Err(changed(intent, "someone else has changed its definition meanwhile"));
    }
    let mut lie = look(docker, &doing, &service).await?;
    let (first, mut rev) = (lie.moves, service.spec.rev);
    for n in 0..ROUNDS {
        if lie.moves == 0 {
            break;
        }
        rev = round(docker, intent, &doing, &service, rev, &lie, (first, progress)).await.map_err(|error| match error {
            // that nothing was done is true of the first one only
            BackendError::Changed(_) if n > 0 => BackendError::Protocol(format!(
                "{doing}: someone else has changed its definition meanwhile, {} of {} won by then; look again",
                first.saturating_sub(lie.moves),
                count(number(first), "task")
            )),
            error => error,
        })?;
        let after = look(docker, &doing, &service).await?;
        let won = after.moves < lie.moves;
        lie = after;
        if !won {
            break;
        }
    }
    let done = first.saturating_sub(lie.moves);
    match lie.moves {
        0 => {
            report(progress, first, first, if first == 0 { "it is even already" } else { "spread anew" });
            Ok(Expect::Converged { service: intent.object.key.clone(), spec_rev: rev })
        }
        left => Err(BackendError::Protocol(format!(
            "{doing}: {done} of {} won, {left} still lie where they need not; the swarm chooses which tasks end, and \
             nothing more is won by trying again now",
            count(number(first), "task")
        ))),
    }
}

async fn read(docker: &Docker, intent: &Intent, doing: &str) -> Result<wire::Service, BackendError> {
    docker.http.get(&format!("/services/{}", intent.object.key)).await.map_err(|e| docker.failed(doing, &e))
}

async fn look(docker: &Docker, doing: &str, service: &wire::Service) -> Result<Lie, BackendError> {
    let nodes: Vec<wire::Node> = docker.http.get("/nodes").await.map_err(|e| docker.failed(doing, &e))?;
    let tasks = wanted_of(docker, doing, &service.id).await?;
    Ok(lie(&nodes, &tasks, &service.spec.value.task_template.placement.constraints))
}

fn lie(nodes: &[wire::Node], tasks: &[wire::Task], constraints: &[String]) -> Lie {
    let place = |node: &wire::Node| Place {
        node: Key::new(&node.id),
        zone: node.spec.value.labels.get(ZONE).map(|zone| Text::new(zone)),
        available: open(node) && satisfied(node, constraints),
    };
    let places: Vec<Place> = nodes.iter().map(place).collect();
    let placed = tasks.iter().filter(|task| !task.node_id.is_empty());
    let mut placed: Vec<(Key, Key)> = placed.map(|task| (Key::new(&task.id), Key::new(&task.node_id))).collect();
    placed.sort_unstable();
    let moves = spread::moves(&placed, &places);
    let stays: BTreeSet<&Key> = placed.iter().filter(|(task, _)| !moves.contains(task)).map(|(_, node)| node).collect();
    let emptied: BTreeSet<&Key> = placed.iter().map(|(_, node)| node).filter(|node| !stays.contains(node)).collect();
    Lie {
        moves: moves.len(),
        emptied: emptied.into_iter().map(ToString::to_string).collect(),
        zoned: places.iter().any(|place| place.zone.is_some()),
    }
}

/// Adds tasks, empties nodes, and takes back what was added; returns the number of the definition that is left.
async fn round(
    docker: &Docker,
    intent: &Intent,
    doing: &str,
    service: &wire::Service,
    rev: u64,
    lie: &Lie,
    (first, progress): (usize, &ProgressSink),
) -> Result<u64, BackendError> {
    let (whose, wants, target) = (intent.object.key.as_str(), replicas(service) as usize, target(intent));
    let done = first.saturating_sub(lie.moves);
    let say = |note: String| report(progress, done, first, note);
    let update = Update { intent, target: &target, doing: "rebalancing", rev: Some(rev), query: "" };
    let all = wants + lie.moves;
    let added = async {
        at_rest(docker, doing, &[service.id.as_str()], progress).await?;
        write(&docker.http, &update, |_, spec| {
            more(spec, whose, number(lie.moves));
            if lie.zoned {
                spread_first(spec, whose, ZONE);
            }
            Ok(())
        })
        .await?;
        until(docker, doing, &service.id, Some(whose), |tasks| {
            say(format!("starting {} first: {} of {all} run", count(number(lie.moves), "more task"), running(tasks)));
            running(tasks) >= all
        })
        .await?;
        if !lie.emptied.is_empty() {
            let emptied: Vec<&str> = lie.emptied.iter().map(String::as_str).collect();
            change(&docker.http, intent, &service.id, |spec| avoid(spec, whose, &emptied)).await?;
            until(docker, doing, &service.id, Some(whose), |tasks| {
                let left = tasks.iter().filter(|task| emptied.contains(&task.node_id.as_str())).count();
                say(format!("emptying {}: {left} left there", count(number(emptied.len()), "node")));
                left == 0 && running(tasks) >= all
            })
            .await?;
        }
        Ok(())
    };
    for_now(docker, intent, whose, added).await?;
    down(docker, doing, service, say).await?;
    Ok(read(docker, intent, doing).await?.spec.rev)
}

/// Waits until it has no more tasks than it wants.
async fn down(docker: &Docker, doing: &str, service: &wire::Service, say: impl Fn(String)) -> Result<(), BackendError> {
    let wants = replicas(service) as usize;
    until(docker, doing, &service.id, None, |tasks| {
        say(format!("ending what it has more: {} of {wants} are left", tasks.len()));
        tasks.len() <= wants && running(tasks) >= wants
    })
    .await
}

fn running(tasks: &[wire::Task]) -> usize {
    tasks.iter().filter(|task| task.status.state == "running").count()
}

/// Waits until the tasks of the service are as they should be.
async fn until(
    docker: &Docker,
    doing: &str,
    service: &str,
    whose: Option<&str>,
    so: impl Fn(&[wire::Task]) -> bool,
) -> Result<(), BackendError> {
    let began = Instant::now();
    loop {
        let tasks = wanted_of(docker, doing, service).await?;
        if so(&tasks) {
            return Ok(());
        }
        if let Some(whose) = whose {
            goes_on(docker, doing, service, whose).await?;
        }
        if began.elapsed() > PATIENCE {
            let why = tasks.iter().map(|task| task.status.err.as_str()).find(|err| !err.is_empty());
            let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
            return Err(BackendError::Protocol(format!(
                "{doing}: not over after {} min{why}; what was added goes again",
                PATIENCE.as_secs() / 60
            )));
        }
        sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    /// Nodes as `n1/a`, with `!` behind those that are paused, and on which of them tasks run.
    fn fleet(nodes: &str, tasks: &str, constraints: &[&str]) -> (usize, Vec<String>) {
        let node = |text: &str| -> wire::Node {
            let (id, zone) = text.trim_end_matches('!').split_once('/').unwrap();
            let availability = if text.ends_with('!') { "pause" } else { "active" };
            let labels = if zone.is_empty() { json!({}) } else { json!({ "zone": zone }) };
            serde_json::from_value(json!({
                "ID": id, "Spec": { "Labels": labels, "Role": "worker", "Availability": availability },
                "Status": { "State": "ready" }
            }))
            .unwrap()
        };
        let task = |(n, node): (usize, &str)| -> wire::Task {
            serde_json::from_value(json!({ "ID": format!("t{n}"), "NodeID": node, "Status": { "State": "running" } })).unwrap()
        };
        let nodes: Vec<wire::Node> = nodes.split(' ').map(node).collect();
        let tasks: Vec<wire::Task> = tasks.split(' ').enumerate().map(task).collect();
        let lie = lie(&nodes, &tasks, &constraints.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>());
        (lie.moves, lie.emptied)
    }

    #[test]
    fn zones_come_first_and_nodes_that_should_carry_none_are_named() {
        // a swarm spreads over nodes by itself: three in one zone look even to it
        assert_eq!(fleet("n1/a n2/a n3/a n4/b", "n1 n2 n3", &[]), (1, vec!["n3".to_owned()]));
        assert_eq!(fleet("n1/a n2/a n3/a n4/b", "n1 n2 n4", &[]), (0, vec![]));
        assert_eq!(fleet("n1/a n2/b", "n1 n1 n1 n1", &[]), (2, vec![]));
        // zones that take none keep what they have; what the service must avoid takes none
        assert_eq!(fleet("n1/a! n2/b", "n1 n1", &[]), (0, vec![]));
        assert_eq!(fleet("n1/a n2/b", "n1 n1", &["node.labels.zone!=b"]), (0, vec![]));
        // no zones: nodes only
        assert_eq!(fleet("n1/ n2/", "n1 n1", &[]), (1, vec![]));
    }
}
