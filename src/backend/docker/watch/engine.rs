//! The lists of a single engine, and the details that its container list lacks.

use super::hints::{Hints, Stale};
use super::list::List;
use super::table::Sent;
use super::untold::{Compared, Untold};
use super::{GATHER, RELIST, send};
use crate::backend::docker::client::Docker;
use crate::backend::docker::{convert, wire};
use crate::backend::{BackendError, Sink};
use crate::model::{Delta, Node, Service, Task};
use futures::StreamExt;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::time::{sleep, sleep_until};

/// Age of what the engine says of itself: it changes when it is restarted, which ends the session.
const INFO: Duration = Duration::from_secs(300);
/// And of one that is still to find its swarm: a manager that was restarted and does not reach enough others says that it
/// is none, until it does.
const JOINING: Duration = Duration::from_secs(10);
/// The states of containers (moby `container.State`).
const STATES: [&str; 7] = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
/// Containers inspected at once.
const INSPECTS: usize = 4;

/// Reads the lists until one of them says that the session is over.
pub async fn lists(docker: &Docker, sink: &Sink, hints: &Hints) -> BackendError {
    let mut engine = Engine {
        info: List::new("/info", "asking what it is", wire::one),
        containers: List::new("/containers/json?all=1", "listing containers", wire::all),
        details: HashMap::new(),
        behind: HashSet::new(),
        sent: Default::default(),
        untold: Untold::default(),
    };
    let mut stale = Stale::all();
    loop {
        if let Err(over) = engine.refresh(docker, sink, hints, &stale).await {
            return over;
        }
        let info = if engine.info.value.swarm.local_node_state == "pending" { JOINING } else { INFO };
        stale = tokio::select! {
            () = hints.wait() => {
                sleep(GATHER).await;
                hints.take()
            }
            () = sleep_until(engine.info.due(info)) => Stale { nodes: true, ..Stale::default() },
            () = sleep_until(engine.containers.due(RELIST)) => Stale { tasks: true, ..Stale::default() },
            () = engine.untold.due() => hints.take(),
        };
        engine.untold.told(&stale);
        if let Some(words) = engine.untold.take(sink.cluster(), "containers") {
            sink.warn(words).await;
        }
    }
}

struct Engine {
    info: List<wire::Info>,
    containers: List<Vec<wire::Container>>,
    /// By container ID, with the state it was read in.
    details: HashMap<String, (String, wire::ContainerDetail)>,
    /// Containers of which the list told another state than they have.
    behind: HashSet<String>,
    sent: (Sent<Node>, Sent<Service>, Sent<Task>),
    untold: Untold,
}

impl Engine {
    async fn refresh(&mut self, docker: &Docker, sink: &Sink, hints: &Hints, stale: &Stale) -> Result<(), BackendError> {
        if stale.nodes {
            self.info.refresh(docker).await?;
            if self.info.value.swarm.control_available {
                let why = format!("it manages a swarm by now: connecting anew ({})", docker.http.endpoint());
                return Err(BackendError::Unreachable(why));
            }
        }
        if stale.tasks {
            self.containers.refresh(docker).await?;
            self.forget(stale);
            if self.sent.2.is_empty() {
                // names and states at once, the rest when it has been read
                self.publish(sink).await;
            }
            self.inspect(docker).await;
            if self.correct() {
                hints.add(Stale { tasks: true, ..Stale::default() });
            }
            if self.containers.problem.is_none() {
                self.untold.read(self.settled());
            }
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
        self.details.retain(|id, (state, _)| states.get(id.as_str()) == Some(&state.as_str()) && !stale.objects.contains(id));
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

    /// The list is made from a copy that an engine renews only after it has told of the change (moby
    /// `container.CheckpointTo`), so right after an event it may be behind what the container says of itself, which is
    /// believed. Returns whether the list should be read again: once for each container, for not all that speak this protocol
    /// call states the same in both places.
    fn correct(&mut self) -> bool {
        let mut again = false;
        for container in &mut self.containers.value {
            let told = self.details.get(&container.id).map(|(_, detail)| detail.state.status.as_str());
            match told.filter(|told| STATES.contains(told) && *told != container.state) {
                Some(told) => {
                    told.clone_into(&mut container.state);
                    again |= self.behind.insert(container.id.clone());
                }
                None => drop(self.behind.remove(&container.id)),
            }
        }
        again
    }

    /// Whether each container runs. Events come when it begins and ends, but not with every state in between.
    fn settled(&self) -> Compared {
        let runs = |state: &str| if matches!(state, "running" | "paused") { "runs" } else { "does not" };
        self.containers.value.iter().map(|container| (container.id.clone(), runs(&container.state).to_owned())).collect()
    }

    async fn publish(&mut self, sink: &Sink) {
        let details = self.details.iter().map(|(id, (_, detail))| (id.clone(), detail.clone())).collect();
        let rows = convert::engine::engine(&self.info.value, &self.containers.value, &details);
        send(sink, &mut self.sent.0, self.info.rows(rows.nodes), Delta::Node).await;
        send(sink, &mut self.sent.1, self.containers.rows(rows.services), Delta::Service).await;
        send(sink, &mut self.sent.2, self.containers.rows(rows.tasks), Delta::Task).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::backend::docker::transport::Endpoint;
    use crate::model::Interest;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{UnixListener, UnixStream};
    use tokio::sync::{mpsc, watch};

    /// Answers as an engine whose swarm is `found` or still looked for.
    async fn answer(mut stream: UnixStream, found: Arc<AtomicBool>) {
        let mut head = vec![0; 4_096];
        while let Ok(n @ 1..) = stream.read(&mut head).await {
            let path = String::from_utf8_lossy(&head[..n]).split(' ').nth(1).unwrap_or_default().to_owned();
            let state = if found.load(SeqCst) { "active" } else { "pending" };
            let body = match path.rsplit('/').next() {
                Some("version") => r#"{"ApiVersion":"1.41"}"#.to_owned(),
                Some("info") => {
                    format!(r#"{{"ID":"e","Swarm":{{"LocalNodeState":"{state}","ControlAvailable":{}}}}}"#, found.load(SeqCst))
                }
                _ => "[]".to_owned(),
            };
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_manager_that_finds_its_swarm_is_not_shown_as_a_mere_engine_for_long() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("engine.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let found = Arc::new(AtomicBool::new(false));
        let finds = Arc::clone(&found);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&finds)));
            }
        });
        let docker = Docker::connect(Endpoint::Unix(path)).await.unwrap();
        assert!(!docker.is_swarm());
        let (facts, mut told) = mpsc::channel(64);
        let sink = Sink::new("c".into(), facts, watch::channel(Interest::default()).1);
        let session = tokio::spawn(async move { lists(&docker, &sink, &Hints::default()).await });
        told.recv().await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        found.store(true, SeqCst);
        tokio::time::pause();
        tokio::time::advance(JOINING).await;
        tokio::time::resume();
        let over = tokio::time::timeout(Duration::from_secs(5), session).await;
        let over = over.unwrap_or_else(|_| panic!("it goes on as an engine")).unwrap();
        assert!(matches!(&over, BackendError::Unreachable(why) if why.contains("manages a swarm by now")), "{over:?}");
    }

    #[test]
    fn a_container_is_believed_what_a_list_that_is_behind_does_not_tell_yet() {
        let mut engine = Engine {
            info: List::new("/info", "", wire::one),
            containers: List::new("/containers/json", "", wire::all),
            details: HashMap::new(),
            behind: HashSet::new(),
            sent: Default::default(),
            untold: Untold::default(),
        };
        let listed = |state: &str| wire::all(format!(r#"[{{"Id":"a","State":"{state}"}}]"#).as_bytes()).unwrap();
        let detail = wire::one(br#"{"Id":"a","State":{"Status":"exited","ExitCode":137}}"#).unwrap();
        engine.containers.value = listed("running");
        engine.details.insert("a".to_owned(), ("running".to_owned(), detail));
        assert!(engine.correct(), "it is looked again");
        assert_eq!(engine.containers.value[0].state, "exited");
        engine.containers.value = listed("running");
        assert!(!engine.correct(), "but not again and again");
        assert_eq!(engine.containers.value[0].state, "exited");
        engine.containers.value = listed("exited");
        assert!(!engine.correct() && engine.behind.is_empty());
    }
}
