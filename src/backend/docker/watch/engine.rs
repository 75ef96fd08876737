//! The lists of a single engine, and the details that its container list lacks.

use super::hints::{Hints, Stale};
use super::list::List;
use super::table::Sent;
use super::{GATHER, RELIST, send};
use crate::backend::docker::client::Docker;
use crate::backend::docker::{convert, wire};
use crate::backend::{BackendError, Sink};
use crate::model::{Delta, Node, Service, Task};
use futures::StreamExt;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{sleep, sleep_until};

/// Age of what the engine says of itself: it changes when it is restarted, which ends the session.
const INFO: Duration = Duration::from_secs(300);
/// Containers inspected at once.
const INSPECTS: usize = 4;

/// Reads the lists until one of them says that the session is over.
pub async fn lists(docker: &Docker, sink: &Sink, hints: &Hints) -> BackendError {
    let mut engine = Engine {
        info: List::new("/info", "asking what it is", wire::one),
        containers: List::new("/containers/json?all=1", "listing containers", wire::all),
        details: HashMap::new(),
        sent: Default::default(),
    };
    let mut stale = Stale::all();
    loop {
        if let Err(over) = engine.refresh(docker, sink, &stale).await {
            return over;
        }
        stale = tokio::select! {
            () = hints.wait() => {
                sleep(GATHER).await;
                hints.take()
            }
            () = sleep_until(engine.info.due(INFO)) => Stale { nodes: true, ..Stale::default() },
            () = sleep_until(engine.containers.due(RELIST)) => Stale { tasks: true, ..Stale::default() },
        };
    }
}

struct Engine {
    info: List<wire::Info>,
    containers: List<Vec<wire::Container>>,
    /// By container ID, with the state it was read in.
    details: HashMap<String, (String, wire::ContainerDetail)>,
    sent: (Sent<Node>, Sent<Service>, Sent<Task>),
}

impl Engine {
    async fn refresh(&mut self, docker: &Docker, sink: &Sink, stale: &Stale) -> Result<(), BackendError> {
        if stale.nodes {
            self.info.refresh(docker).await?;
        }
        if stale.tasks {
            self.containers.refresh(docker).await?;
            self.forget(stale);
            if self.sent.2.is_empty() {
                // names and states at once, the rest when it has been read
                self.publish(sink).await;
            }
            self.inspect(docker).await;
        }
        self.publish(sink).await;
        Ok(())
    }

    /// Drops details that are old: of containers that are gone, changed their state, or had an event.
    fn forget(&mut self, stale: &Stale) {
        if stale.everything {
            self.details.clear();
        }
        let states: HashMap<&str, &str> = self.containers.value.iter().map(|c| (c.id.as_str(), c.state.as_str())).collect();
        self.details.retain(|id, (state, _)| states.get(id.as_str()) == Some(&state.as_str()) && !stale.containers.contains(id));
    }

    async fn inspect(&mut self, docker: &Docker) {
        let missing: Vec<(String, String)> = self
            .containers
            .value
            .iter()
            .filter(|container| !self.details.contains_key(&container.id))
            .map(|container| (container.id.clone(), container.state.clone()))
            .collect();
        let read = futures::stream::iter(missing).map(|(id, state)| async move {
            // one that has gone meanwhile is missing from the next list too
            let detail = docker.http.get_bytes(&format!("/containers/{id}/json")).await.ok()?;
            Some((id, (state, wire::one(&detail).ok()?)))
        });
        let read: Vec<_> = read.buffer_unordered(INSPECTS).filter_map(std::future::ready).collect().await;
        self.details.extend(read);
    }

    async fn publish(&mut self, sink: &Sink) {
        let details = self.details.iter().map(|(id, (_, detail))| (id.clone(), detail.clone())).collect();
        let rows = convert::engine::engine(&self.info.value, &self.containers.value, &details);
        send(sink, &mut self.sent.0, self.info.rows(rows.nodes), Delta::Node).await;
        send(sink, &mut self.sent.1, self.containers.rows(rows.services), Delta::Service).await;
        send(sink, &mut self.sent.2, self.containers.rows(rows.tasks), Delta::Task).await;
    }
}
