//! Logs of pods: one request per container, their lines merged as they come.

use super::failure::Failure;
use super::http::Api;
use super::paths::escape;
use crate::backend::{BackendError, LogRequest};
use crate::model::{LogLine, Stream, Text};
use crate::util::clean::strip_sgr;
use crate::util::time::Timestamp;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use serde::Deserialize;

/// Longest line that is kept; the rest of it is dropped and marked.
const LINE: usize = 16 << 10;

#[derive(Deserialize)]
struct Pod {
    metadata: Metadata,
    spec: Spec,
}

#[derive(Deserialize)]
struct Metadata {
    uid: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Spec {
    init_containers: Vec<Container>,
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    name: String,
}

/// Lines of `request`, each batch as it arrived; ends when the container (all containers) ended, or with an error.
pub(super) fn follow(api: Api, request: LogRequest) -> BoxStream<'static, Result<Vec<LogLine>, BackendError>> {
    stream::once(async move {
        match open(&api, &request).await {
            Ok(streams) => stream::select_all(streams).boxed(),
            Err(err) => stream::once(async { Err(err) }).boxed(),
        }
    })
    .flatten()
    .boxed()
}

type Lines = BoxStream<'static, Result<Vec<LogLine>, BackendError>>;

async fn open(api: &Api, request: &LogRequest) -> Result<Vec<Lines>, BackendError> {
    let doing = format!("read the log of {}/{}", request.namespace, request.name);
    let path = format!("/api/v1/namespaces/{}/pods/{}", request.namespace, request.name);
    let about = |failure: Failure| failure.about(&doing);
    let pod: Pod = api.get(&path).await.map_err(about)?;
    if pod.metadata.uid != *request.task {
        return Err(BackendError::NotFound(format!("cannot {doing}: the pod of this name is another one by now")));
    }
    let names: Vec<String> = match &request.container {
        Some(name) => vec![name.to_string()],
        None => pod.spec.containers.iter().map(|c| c.name.clone()).collect(),
    };
    let mut streams = Vec::new();
    let mut refused = None;
    let several = names.len() > 1 || pod.spec.containers.len() + pod.spec.init_containers.len() > 1;
    for name in &names {
        match api.stream(&query(&path, name, request)).await {
            Ok(chunks) => streams.push(lines(chunks, source(request, name, several), doing.clone())),
            // of several containers one may not have started yet: the others are worth reading
            Err(failure) => refused = Some(failure),
        }
    }
    match refused {
        Some(failure) if streams.is_empty() => Err(not_yet(failure, &doing)),
        _ => Ok(streams),
    }
}

/// The API server answers 400 for a container that has no log (yet); its message says which state the container is in.
fn not_yet(failure: Failure, doing: &str) -> BackendError {
    match failure.status() {
        Some(400) => BackendError::NotFound(format!("cannot {doing}: {}", failure.message)),
        _ => failure.about(doing),
    }
}

fn query(path: &str, container: &str, request: &LogRequest) -> String {
    let mut query = format!("{path}/log?container={}&timestamps=true&tailLines={}", escape(container), request.tail);
    if request.previous {
        query.push_str("&previous=true");
    } else {
        query.push_str("&follow=true");
    }
    if let Some(since) = request.since.and_then(|t| jiff::Timestamp::from_millisecond(t.0).ok()) {
        query.push_str(&format!("&sinceTime={}", escape(&since.to_string())));
    }
    query
}

/// How lines name where they come from: the end of the pod's name, which differs between pods of a service, or the whole
/// name where that end is a mere number (StatefulSet).
fn source(request: &LogRequest, container: &str, several: bool) -> Text {
    let short = request.name.rsplit('-').next().filter(|end| end.len() == 5).unwrap_or(&request.name);
    if several { Text::from(format!("{short}/{container}")) } else { Text::new(short) }
}

fn lines(chunks: BoxStream<'static, Result<bytes::Bytes, Failure>>, task: Text, doing: String) -> Lines {
    let start = (chunks, Splitter::default(), task, doing, false);
    stream::unfold(start, |(mut chunks, mut splitter, task, doing, over)| async move {
        if over {
            return None;
        }
        let (batch, over) = match chunks.next().await {
            Some(Ok(chunk)) => (Ok(splitter.feed(&chunk, &task)), false),
            Some(Err(failure)) => (Err(failure.about(&doing)), true),
            None => (Ok(splitter.rest(&task)), true),
        };
        Some((batch, (chunks, splitter, task, doing, over)))
    })
    .filter(|batch| {
        let empty = batch.as_ref().is_ok_and(Vec::is_empty);
        async move { !empty }
    })
    .boxed()
}

/// Splits a byte stream into lines of bounded length.
#[derive(Default)]
pub(super) struct Splitter {
    line: Vec<u8>,
    /// Bytes of the present line that were dropped.
    over: usize,
}

impl Splitter {
    /// The lines that `chunk` completes.
    pub(super) fn feed(&mut self, chunk: &[u8], task: &Text) -> Vec<LogLine> {
        let mut out = Vec::new();
        for (i, part) in chunk.split(|b| *b == b'\n').enumerate() {
            if i > 0 {
                out.push(self.take(task));
            }
            let room = LINE.saturating_sub(self.line.len());
            let (kept, dropped) = part.split_at(part.len().min(room));
            self.line.extend_from_slice(kept);
            self.over += dropped.len();
        }
        out
    }

    /// The unfinished line at the end.
    pub(super) fn rest(&mut self, task: &Text) -> Vec<LogLine> {
        if self.line.is_empty() { Vec::new() } else { vec![self.take(task)] }
    }

    /// `2026-01-01T00:00:00.123456789Z text`, as `timestamps=true` gives them.
    fn take(&mut self, task: &Text) -> LogLine {
        let text = String::from_utf8_lossy(&self.line);
        let (at, text) = match text.split_once(' ') {
            Some((stamp, rest)) => match stamp.parse::<jiff::Timestamp>() {
                Ok(at) => (Some(Timestamp(at.as_millisecond())), rest),
                Err(_) => (None, text.as_ref()),
            },
            None => match text.parse::<jiff::Timestamp>() {
                Ok(at) => (Some(Timestamp(at.as_millisecond())), ""),
                Err(_) => (None, text.as_ref()),
            },
        };
        let plain = strip_sgr(text.trim_end_matches('\r'));
        let text = if self.over > 0 { Text::from(format!("{plain}… ({} bytes more)", self.over)) } else { Text::new(&plain) };
        self.line.clear();
        self.over = 0;
        // the API server sends both streams as one
        LogLine { at, task: task.clone(), stream: Stream::Out, text }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lines_are_put_together_across_chunks_and_bounded() {
        let mut splitter = Splitter::default();
        let task = Text::new("x2x9k");
        assert!(splitter.feed(b"2026-01-01T00:00:00.5Z hel", &task).is_empty());
        let lines = splitter.feed(b"lo \x1b[31mred\x1b[0m\r\n2026-01-01T00:00:01Z\nno stamp\n", &task);
        let seen: Vec<_> = lines.iter().map(|l| (l.at.map(|t| t.0 % 10_000), l.text.as_str())).collect();
        assert_eq!(seen, [(Some(500), "hello red"), (Some(1_000), ""), (None, "no stamp")]);
        splitter.feed(&vec![b'x'; LINE + 10], &task);
        let long = splitter.feed(b"\n", &task).remove(0);
        assert!(long.text.ends_with("x… (10 bytes more)"));
        splitter.feed(b"tail", &task);
        assert_eq!(splitter.rest(&task).remove(0).text.as_str(), "tail");
    }

    #[test]
    fn a_follow_goes_on_from_a_moment_and_the_previous_run_is_not_followed() {
        let mut request = LogRequest {
            task: "u".into(),
            name: "web-7d9f-x2x9k".into(),
            namespace: "shop".into(),
            container: None,
            tail: 50,
            since: Some(Timestamp(1_000)),
            previous: false,
        };
        let url = query("/p", "web", &request);
        assert_eq!(url, "/p/log?container=web&timestamps=true&tailLines=50&follow=true&sinceTime=1970-01-01T00%3A00%3A01Z");
        request.previous = true;
        request.since = None;
        assert_eq!(query("/p", "web", &request), "/p/log?container=web&timestamps=true&tailLines=50&previous=true");
        assert_eq!(source(&request, "web", false).as_str(), "x2x9k");
        assert_eq!(source(&request, "web", true).as_str(), "x2x9k/web");
    }
}
