//! Cpu and memory from `metrics.k8s.io` (metrics-server). It cannot be watched, so it is polled, and only while someone
//! looks.

use super::convert::amount;
use super::failure::{Failure, Sort, forbidden};
use super::http::{Api, Form};
use super::index::Shared;
use super::paths::narrowed;
use super::protobuf;
use super::protobuf::shapes::{self, Field};
use super::raw::When;
use crate::backend::{Sink, secret};
use crate::model::{Delta, Key, Kind, Text, Usage};
use crate::util::time::Timestamp;
use foldhash::quality::RandomState;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

/// The measurements' part of the API.
const API: &str = "/apis/metrics.k8s.io/v1beta1";
/// Time between sweeps: metrics-server itself measures every 15 s.
const EVERY: Duration = Duration::from_secs(15);
/// Rows of a sweep that are worth that much. It costs the server and us by the row, so a larger cluster is measured
/// seldomer, down to [`SELDOM`].
const ROWS: u32 = 2_500;
/// Longest time between sweeps.
const SELDOM: Duration = Duration::from_secs(60);
/// Least time between sweeps when someone looks away and back.
const LEAST: Duration = Duration::from_secs(3);
/// The most cores and bytes that are believed: no machine has so many.
const MOST: (f64, f64) = (100_000.0, (1_u64 << 50) as f64);
/// A measurement's time that is further ahead of our clock counts as none, or none of later ones would be newer.
const AHEAD: Duration = Duration::from_secs(3_600);

#[derive(Deserialize)]
struct List<T> {
    items: Option<Vec<T>>,
}

/// `NodeMetrics` and `PodMetrics`: the one has a usage, the other one a container. Of ten thousand each text would be a
/// piece of memory for a moment: they stay where they came in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metrics<'a> {
    #[serde(borrow)]
    metadata: Name<'a>,
    timestamp: When,
    #[serde(borrow)]
    usage: Option<Amount<'a>>,
    #[serde(borrow)]
    containers: Vec<Container<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Name<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    namespace: Cow<'a, str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Container<'a> {
    #[serde(borrow)]
    usage: Amount<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Amount<'a> {
    #[serde(borrow)]
    cpu: Cow<'a, str>,
    #[serde(borrow)]
    memory: Cow<'a, str>,
}

/// What a row uses; no usage where a part of it is not known.
#[derive(Debug, PartialEq)]
struct Measured {
    key: Key,
    at: Option<Timestamp>,
    usage: Option<Usage>,
}

impl Amount<'_> {
    /// None where it makes no sense.
    fn usage(&self) -> Option<Usage> {
        let cpu = amount(&self.cpu).filter(|cores| *cores <= MOST.0)?;
        let mem = amount(&self.memory).filter(|bytes| *bytes <= MOST.1)?;
        Some(Usage { cpu_m: (cpu * 1_000.0).ceil() as u32, mem: mem.ceil() as u64, net: None })
    }
}

impl Metrics<'_> {
    /// None where any part of it is not known: a sum without it would be a lie.
    fn total(&self) -> Option<Usage> {
        let containers = self.containers.iter().map(|c| c.usage.usage());
        let mut parts = self.usage.iter().map(Amount::usage).chain(containers);
        let first = parts.next()??;
        parts.try_fold(first, |sum, part| Some(sum.plus(part?)))
    }

    fn of(&self, key: Key) -> Measured {
        Measured { key, at: self.timestamp.0, usage: self.total() }
    }
}

/// Polls for as long as the session lasts. A sweep waits in the same line as the `lists` do: rows come first, and a server
/// that is asked for both at once is slower with both.
pub(super) async fn poll(api: Api, namespaces: Arc<[String]>, lists: Arc<Semaphore>, index: Shared, sink: Sink) {
    let mut interest = sink.interest();
    loop {
        if interest.wait_for(|look| look.usage).await.is_err() {
            // the engine has gone
            return;
        }
        let Ok(turn) = lists.acquire().await else { return };
        let began = Instant::now();
        let next = sweep(&api, &namespaces, &index, &sink).await;
        drop(turn);
        tokio::select! {
            () = sleep_until(began + next) => continue,
            gone = interest.wait_for(|look| !look.usage) => if gone.is_err() {
                return;
            }
        }
        sleep_until(began + LEAST).await;
    }
}

/// The time from a sweep of so many rows to the next.
fn period(rows: usize) -> Duration {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    (EVERY * rows.div_ceil(ROWS).max(1)).min(SELDOM)
}

/// Measures once. Returns after how long to measure again.
async fn sweep(api: &Api, namespaces: &[String], index: &Shared, sink: &Sink) -> Duration {
    let all = format!("{API}/nodes");
    let (nodes, pods) = tokio::join!(read(api, &all, shapes::NODE_METRICS, named), pods(api, namespaces, index));
    match nodes {
        Ok(rows) => send(sink, Kind::Node, rows).await,
        // who may not read nodes may still read pods
        Err(failure) if failure.status() == Some(403) && pods.is_ok() => {}
        Err(failure) => {
            refuse(sink, failure).await;
            return EVERY;
        }
    }
    match pods {
        Ok(Sweep { measured, rows }) => {
            // measurements of pods, but no pods yet: the session has just begun
            let early = measured > 0 && rows.is_empty();
            send(sink, Kind::Task, rows).await;
            if early { LEAST } else { period(measured) }
        }
        Err(failure) => {
            refuse(sink, failure).await;
            EVERY
        }
    }
}

/// What was measured of pods.
#[derive(Default)]
struct Sweep {
    /// How many were measured.
    measured: usize,
    /// Those of them that are rows.
    rows: Vec<Measured>,
}

/// All pods, or those in the namespaces where they may be read.
async fn pods(api: &Api, namespaces: &[String], index: &Shared) -> Result<Sweep, Failure> {
    let all = format!("{API}/pods");
    let take = |rows: Vec<Metrics<'_>>| Sweep { measured: rows.len(), rows: keyed(index, rows) };
    let refusal = match read(api, &all, shapes::POD_METRICS, take).await {
        Err(failure) if failure.status() == Some(403) => failure,
        answer => return answer,
    };
    let mut sum: Option<Sweep> = None;
    for namespace in namespaces {
        match read(api, &narrowed(&all, namespace), shapes::POD_METRICS, take).await {
            Ok(part) => {
                let sum = sum.get_or_insert_default();
                sum.measured += part.measured;
                sum.rows.extend(part.rows);
            }
            Err(failure) if failure.status() == Some(403) => {}
            Err(failure) => return Err(failure),
        }
    }
    sum.ok_or(refusal)
}

/// As text where one measurement keeps the others from being read: there it can be left out.
async fn read<R>(api: &Api, path: &str, shape: &'static [Field], take: impl Fn(Vec<Metrics<'_>>) -> R) -> Result<R, Failure> {
    match list(&api.page(path, Form::Protobuf).await?, shape, &take) {
        Err(failure) if failure.sort == Sort::Protobuf => list(&api.page(path, Form::Json).await?, shape, &take),
        rows => rows,
    }
}

/// What `take` makes of the measurements. One of a shape nobody foresaw is left out, and no other with it.
fn list<R>(body: &[u8], shape: &'static [Field], take: impl FnOnce(Vec<Metrics<'_>>) -> R) -> Result<R, Failure> {
    if protobuf::is(body) {
        let list = protobuf::read::<List<Metrics<'_>>>(body, shape).map_err(|_| Failure::protobuf())?;
        return Ok(take(list.items.unwrap_or_default()));
    }
    let text = String::from_utf8_lossy(body);
    if let Ok(whole) = serde_json::from_str::<List<Metrics<'_>>>(&text) {
        return Ok(take(whole.items.unwrap_or_default()));
    }
    let raw: List<&RawValue> = serde_json::from_str(&text).map_err(|err| Failure::decode(secret::unread(&err)))?;
    Ok(take(raw.items.unwrap_or_default().into_iter().filter_map(readable).collect()))
}

fn readable(raw: &RawValue) -> Option<Metrics<'_>> {
    let read = serde_json::from_str(raw.get());
    read.inspect_err(|err| tracing::warn!(err = secret::unread(err), "a measurement was left out: it could not be read")).ok()
}

/// Nodes are keyed by name.
fn named(rows: Vec<Metrics<'_>>) -> Vec<Measured> {
    rows.iter().map(|row| row.of(Key::new(&row.metadata.name))).collect()
}

/// Measurements name pods; rows are keyed by uid.
fn keyed(index: &Shared, rows: Vec<Metrics<'_>>) -> Vec<Measured> {
    let index = index.lock();
    let mut uids = HashMap::with_capacity_and_hasher(index.pods.len(), RandomState::default());
    uids.extend(index.pods.iter().map(|(key, pod)| ((&*pod.place.namespace, &*pod.place.name), key)));
    let key = |name: &Name<'_>| uids.get(&(&*name.namespace, &*name.name)).copied().cloned();
    rows.iter().filter_map(|row| Some(row.of(key(&row.metadata)?))).collect()
}

async fn send(sink: &Sink, of: Kind, rows: Vec<Measured>) {
    if rows.is_empty() {
        return;
    }
    let at = moment(&rows, Timestamp::now());
    let rows: Vec<_> = rows.into_iter().filter_map(|row| Some((row.key, row.usage?))).collect();
    if !rows.is_empty() {
        sink.send(Delta::Usage { of, at, rows }).await;
    }
}

/// One moment for the sweep, by the server's clock: a sweep that brings nothing newer is dropped by the store.
fn moment(rows: &[Measured], now: Timestamp) -> Timestamp {
    let newest = rows.iter().filter_map(|row| row.at).filter(|at| *at <= now.plus(AHEAD)).max();
    newest.unwrap_or(now)
}

async fn refuse(sink: &Sink, failure: Failure) {
    let why = match failure.sort {
        Sort::Status(404) => "metrics-server is not installed: the server does not serve metrics.k8s.io".to_owned(),
        Sort::Status(403) => forbidden(&failure.message),
        Sort::Status(502..=504) => format!("metrics-server does not answer: {}", failure.message),
        // the heartbeat speaks for the link
        Sort::Link | Sort::Credentials => return,
        _ => failure.about("read metrics").to_string(),
    };
    sink.send(Delta::NoUsage(Some(Text::from(why)))).await;
}

#[cfg(test)]
mod odd_tests;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::backend::kubernetes::index::{Place, PodEntry};
    use crate::backend::kubernetes::protobuf::encode;

    #[test]
    fn a_large_cluster_is_measured_seldomer() {
        for (rows, seconds) in [(0, 15), (1, 15), (2_500, 15), (2_501, 30), (10_000, 60), (1_000_000_000_000, 60)] {
            assert_eq!(period(rows), Duration::from_secs(seconds), "{rows} rows");
        }
    }

    #[test]
    fn measurements_of_pods_are_summed_over_containers_and_find_their_row_by_name() {
        let raw = r#"{"items":[
            {"metadata":{"name":"web-1","namespace":"shop"},"timestamp":"2026-01-01T00:00:00Z","window":"15s",
             "containers":[{"name":"web","usage":{"cpu":"120500u","memory":"100Mi"}},{"name":"side","usage":{"cpu":"5m","memory":"28Mi"}}]},
            {"metadata":{"name":"unknown","namespace":"shop"},"containers":[]}]}"#;
        let binary = encode::envelope(&serde_json::from_str(raw).unwrap(), shapes::POD_METRICS);
        let index = Shared::default();
        let place = Place { namespace: "shop".into(), name: "web-1".into() };
        index.lock().pods.insert("uid-1".into(), PodEntry { place, service: None, leaves: None });
        for body in [raw.as_bytes(), &binary] {
            let rows = list(body, shapes::POD_METRICS, |rows| keyed(&index, rows)).unwrap();
            let usage = Some(Usage { cpu_m: 126, mem: 128 << 20, net: None });
            assert_eq!(rows, [Measured { key: "uid-1".into(), at: Some(Timestamp(1_767_225_600_000)), usage }]);
        }
    }

    #[test]
    fn measurements_of_nodes_are_the_same_in_both_forms() {
        let raw =
            r#"{"items":[{"metadata":{"name":"n1"},"timestamp":"2026-01-01T00:00:00Z","usage":{"cpu":"1500m","memory":"1Gi"}}]}"#;
        let binary = encode::envelope(&serde_json::from_str(raw).unwrap(), shapes::NODE_METRICS);
        for body in [raw.as_bytes(), &binary] {
            let rows = list(body, shapes::NODE_METRICS, named).unwrap();
            let usage = Some(Usage { cpu_m: 1_500, mem: 1 << 30, net: None });
            assert_eq!(rows, [Measured { key: "n1".into(), at: Some(Timestamp(1_767_225_600_000)), usage }]);
        }
        let cut = &binary[..binary.len() - 1];
        assert_eq!(list(cut, shapes::NODE_METRICS, named).unwrap_err().sort, Sort::Protobuf);
    }
}
