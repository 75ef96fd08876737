//! Follows the log of a container or of a Swarm task.

mod lines;

pub use lines::Lines as LogLines;

use super::transport::http::Http;
use super::wire::{ContainerDetail, Task};
use crate::backend::{BackendError, LogRequest};
use crate::model::LogLine;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use lines::Lines;
use std::sync::Arc;

/// Lines of the task, each batch as it arrived; ends with the container, or with an error. `own_node` is the Swarm node of
/// the engine that is asked, where the task is one of a swarm.
pub fn follow(
    http: Arc<Http>,
    own_node: Option<String>,
    request: LogRequest,
) -> BoxStream<'static, Result<Vec<LogLine>, BackendError>> {
    let opened = async move {
        match open(&http, own_node.as_deref(), &request).await {
            Ok((body, lines)) => batches(body, lines, format!("reading the log of {} on {}", request.name, http.endpoint())),
            Err(error) => stream::once(std::future::ready(Err(error))).boxed(),
        }
    };
    stream::once(opened).flatten().boxed()
}

async fn open(http: &Http, own_node: Option<&str>, request: &LogRequest) -> Result<(Incoming, Lines), BackendError> {
    let doing = format!("reading the log of {}", request.name);
    if request.previous {
        return Err(BackendError::Unsupported(format!(
            "{doing}: a container keeps one log for all its runs, and an earlier task of a swarm is a task of its own"
        )));
    }
    let id = request.task.as_str();
    let (path, terminal) = match own_node {
        None => (format!("/containers/{id}"), None),
        Some(own_node) => {
            let task: Task = http.get(&format!("/tasks/{id}")).await.map_err(|e| e.during(&doing, http.endpoint()))?;
            let container = &task.status.container_status.container_id;
            // the engine's own containers are read directly: logs that come through the swarm may hang (moby#33183)
            if task.node_id == own_node && !container.is_empty() {
                (format!("/containers/{container}"), None)
            } else {
                (format!("/tasks/{id}"), Some(task.spec.container_spec.tty))
            }
        }
    };
    let terminal = match terminal {
        Some(terminal) => terminal,
        None => {
            let detail: ContainerDetail = http.get(&format!("{path}/json")).await.map_err(|e| e.during(&doing, http.endpoint()))?;
            detail.config.tty
        }
    };
    let since = request.since.map(|at| format!("&since={}.{:03}", at.0.div_euclid(1_000), at.0.rem_euclid(1_000)));
    let query = format!("follow=1&stdout=1&stderr=1&timestamps=1&tail={}{}", request.tail, since.unwrap_or_default());
    let response = http.stream(&format!("{path}/logs?{query}")).await.map_err(|e| e.during(&doing, http.endpoint()))?;
    Ok((response.into_body(), Lines::new(request.name.clone(), terminal)))
}

/// What is left to be told of a log.
enum State {
    Open(Incoming, Lines),
    /// It ends with this.
    Over(BackendError),
}

fn batches(body: Incoming, lines: Lines, doing: String) -> BoxStream<'static, Result<Vec<LogLine>, BackendError>> {
    let start = Some((State::Open(body, lines), doing));
    stream::unfold(start, |state| async move {
        let (mut body, mut lines, doing) = match state? {
            (State::Open(body, lines), doing) => (body, lines, doing),
            (State::Over(error), _) => return Some((Err(error), None)),
        };
        loop {
            let mut batch = Vec::new();
            let over = match body.frame().await {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => lines.feed(&data, &mut batch).err().map(|said| BackendError::Protocol(format!("{doing}: {said}"))),
                    Err(_) => continue,
                },
                Some(Err(error)) => Some(BackendError::Unreachable(format!("{doing}: it broke off: {error}"))),
                None => {
                    let rest = lines.rest();
                    return (!rest.is_empty()).then_some((Ok(rest), None));
                }
            };
            let Some(error) = over else {
                if !batch.is_empty() {
                    return Some((Ok(batch), Some((State::Open(body, lines), doing))));
                }
                continue;
            };
            // what came before the end is told before it
            batch.extend(lines.rest());
            return Some(if batch.is_empty() { (Err(error), None) } else { (Ok(batch), Some((State::Over(error), doing))) });
        }
    })
    .boxed()
}
