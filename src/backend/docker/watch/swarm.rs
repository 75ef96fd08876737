//! The lists of a swarm.

use super::hints::{Hints, Stale};
use super::list::List;
use super::table::Sent;
use super::untold::Untold;
use super::{GATHER, RELIST, send};
use crate::backend::docker::client::Docker;
use crate::backend::docker::{convert, wire};
use crate::backend::{BackendError, Sink};
use crate::model::{Delta, Node, Service, Task};
use crate::util::time::Timestamp;
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

const NODES: Duration = Duration::from_secs(5);
const TASKS: Duration = Duration::from_secs(15);
const TASKS_LOOKED_AT: Duration = Duration::from_secs(2);
/// How long tasks are read quickly after something changed: by then most rollouts have settled or shown why not.
const SETTLE: Duration = Duration::from_secs(30);

/// Reads the lists until one of them says that the session is over.
pub async fn lists(docker: &Docker, sink: &Sink, hints: &Hints) -> BackendError {
    let mut interest = sink.interest();
    let mut swarm = Swarm::new();
    let mut stale = Stale::all();
    let mut hot = Instant::now() + SETTLE;
    loop {
        if let Err(over) = swarm.refresh(docker, sink, hints, &stale).await {
            return over;
        }
        stale = loop {
            let period = if interest.borrow_and_update().tasks || hot > Instant::now() { TASKS_LOOKED_AT } else { TASKS };
            tokio::select! {
                () = hints.wait() => {
                    sleep(GATHER).await;
                    hot = Instant::now() + SETTLE;
                    break hints.take();
                }
                () = sleep_until(swarm.nodes.due(NODES)) => break Stale { nodes: true, ..Stale::default() },
                () = sleep_until(swarm.tasks.due(period)) => break Stale { tasks: true, ..Stale::default() },
                () = sleep_until(swarm.services.due(RELIST)) => break Stale { services: true, ..Stale::default() },
                () = swarm.untold.due() => break hints.take(),
                changed = interest.changed() => if changed.is_err() {
                    return BackendError::Unreachable("quarterdeck is closing".to_owned());
                },
            }
        };
        swarm.untold.told(&stale);
        if let Some(words) = swarm.untold.take(sink.cluster(), "services") {
            sink.warn(words).await;
        }
    }
}

/// The lists as they were read last, and what was sent of them.
struct Swarm {
    nodes: List<Vec<wire::Node>>,
    services: List<Vec<wire::Service>>,
    tasks: List<Vec<wire::Task>>,
    sent_nodes: Sent<Node>,
    sent_services: Sent<Service>,
    sent_tasks: Sent<Task>,
    untold: Untold,
}

impl Swarm {
    fn new() -> Self {
        Self {
            nodes: List::new("/nodes", "listing nodes", wire::all),
            services: List::new("/services", "listing services", wire::all),
            tasks: List::new("/tasks", "listing tasks", wire::all),
            sent_nodes: Sent::default(),
            sent_services: Sent::default(),
            sent_tasks: Sent::default(),
            untold: Untold::default(),
        }
    }

    /// Reads what is stale and sends what differs; an error ends the session.
    async fn refresh(&mut self, docker: &Docker, sink: &Sink, hints: &Hints, stale: &Stale) -> Result<(), BackendError> {
        let mut tasks_too = stale.tasks;
        if stale.nodes {
            let before: Vec<(String, String)> = self.nodes.value.iter().map(|n| (n.id.clone(), n.status.state.clone())).collect();
            self.nodes.refresh(docker).await?;
            let now = Timestamp::now();
            for node in &self.nodes.value {
                if before.iter().any(|(id, state)| *id == node.id && *state != node.status.state) {
                    hints.node_seen_changed(&node.id, now);
                    // what runs there is lost or back
                    tasks_too = true;
                }
            }
        }
        if stale.services {
            self.services.refresh(docker).await?;
            if self.services.problem.is_none() {
                // each write of a service has an event
                let written = |service: &wire::Service| service.updated_at.map_or(0, |at| at.0).to_string();
                self.untold.read(self.services.value.iter().map(|service| (service.id.clone(), written(service))).collect());
            }
        }
        if tasks_too {
            self.tasks.refresh(docker).await?;
        }
        let ids: HashSet<&str> = self.nodes.value.iter().map(|node| node.id.as_str()).collect();
        let rows = convert::swarm(&self.nodes.value, &self.services.value, &self.tasks.value, &hints.node_since(&ids));
        send(sink, &mut self.sent_nodes, self.nodes.rows(rows.nodes), Delta::Node).await;
        send(sink, &mut self.sent_services, self.services.rows(rows.services), Delta::Service).await;
        send(sink, &mut self.sent_tasks, self.tasks.rows(rows.tasks), Delta::Task).await;
        Ok(())
    }
}
