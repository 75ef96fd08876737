//! What containers of the connected engine use. No engine answers for another: in a swarm there are measurements of the
//! tasks beside the manager, and none of the others.

use super::client::Docker;
use super::convert::event::TASK_ID;
use super::wire::{self, Container, Info, MemoryStats, Stats};
use crate::backend::{BackendError, Sink};
use crate::model::{Delta, Key, Kind, Usage};
use crate::util::time::Timestamp;
use futures::StreamExt;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Time from one sweep to the next. Each answer costs the engine a reading of several files.
const PERIOD: Duration = Duration::from_secs(5);
/// Containers asked at once.
const AT_ONCE: usize = 4;
/// Longest time for one container's answer.
const ANSWER: Duration = Duration::from_secs(5);

/// Samples while someone looks, until dropped. A sweep that fails is left out: the lists notice an engine that is gone.
pub async fn sample(docker: &Docker, sink: &Sink) -> BackendError {
    let mut interest = sink.interest();
    let mut before = HashMap::new();
    loop {
        if !interest.borrow_and_update().usage {
            // old counters would give averages over the pause
            before.clear();
            if interest.changed().await.is_err() {
                return BackendError::Unreachable("quarterdeck is closing".to_owned());
            }
            continue;
        }
        let began = Instant::now();
        let counters = tokio::select! {
            counters = sweep(docker) => counters,
            // nobody waits for the rest of it; whoever closed the channel is closing everything
            _ = interest.wait_for(|interest| !interest.usage) => Vec::new(),
        };
        if !interest.borrow().usage {
            continue;
        }
        let at = Timestamp::now();
        let rows: Vec<(Key, Usage)> =
            counters.iter().filter_map(|(key, now)| Some((key.clone(), now.since(before.get(key)?, &docker.info)?))).collect();
        // the first sweep gives only counters; the second comes sooner for it
        let first = before.is_empty();
        before = counters.into_iter().collect();
        if !rows.is_empty() {
            if !docker.is_swarm() {
                let sum = rows.iter().fold(Usage::default(), |sum, (_, usage)| sum.plus(*usage));
                sink.send(Delta::Usage { of: Kind::Node, at, rows: vec![(Key::new(&docker.info.id), sum)] }).await;
            }
            sink.send(Delta::Usage { of: Kind::Task, at, rows }).await;
        }
        let period = if first && !before.is_empty() { PERIOD / 5 } else { PERIOD };
        sleep(period.saturating_sub(began.elapsed()).max(period / 4)).await;
    }
}

/// Counters of all running containers that are rows.
async fn sweep(docker: &Docker) -> Vec<(Key, Counters)> {
    let Ok(containers) = docker.http.get_bytes("/containers/json").await else { return Vec::new() };
    let containers: Vec<Container> = wire::all(&containers).unwrap_or_default();
    let in_swarm = docker.is_swarm();
    let rows = containers.into_iter().filter_map(|container| {
        let key = if in_swarm { Key::new(container.labels.get(TASK_ID)?) } else { Key::new(&container.id) };
        Some((key, container.id))
    });
    futures::stream::iter(rows)
        .map(|(key, id)| async move {
            let path = format!("/containers/{id}/stats?stream=false&one-shot=true");
            let answer = timeout(ANSWER, docker.http.get_bytes(&path)).await.ok()?.ok()?;
            Some((key, Counters::of(&wire::one(&answer).ok()?, Instant::now())?))
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(std::future::ready)
        .collect()
        .await
}

/// Counters of a container at one moment.
#[derive(Clone, Copy, Debug)]
struct Counters {
    at: Instant,
    /// Cpu time since the container started, in nanoseconds.
    cpu: u64,
    mem: u64,
    /// Bytes received and sent over all networks.
    net: Option<(u64, u64)>,
}

impl Counters {
    /// None for a container that has just ended, and where one of the numbers is none.
    fn of(stats: &Stats, at: Instant) -> Option<Self> {
        let cpu = stats.cpu_stats.cpu_usage.total_usage?;
        let sum = |sum: (u64, u64), rx: u64, tx: u64| (sum.0.saturating_add(rx), sum.1.saturating_add(tx));
        let net = stats.networks.as_ref().and_then(|networks| {
            networks.values().try_fold((0, 0), |all, network| Some(sum(all, network.rx_bytes?, network.tx_bytes?)))
        });
        Some(Self { at, cpu, mem: working_set(&stats.memory_stats)?, net })
    }

    /// Averages since `before`; none if the container was restarted in between, which sets its counters back, and none if it
    /// would be more than its engine has.
    fn since(&self, before: &Self, engine: &Info) -> Option<Usage> {
        let nanos = u64::try_from(self.at.duration_since(before.at).as_nanos()).ok().filter(|nanos| *nanos > 0)?;
        let cpu = self.cpu.checked_sub(before.cpu)?;
        let rate = |now: u64, then: u64| {
            let bytes = u128::from(now.checked_sub(then)?) * 1_000_000_000 / u128::from(nanos);
            Some(u32::try_from(bytes).unwrap_or(u32::MAX))
        };
        let net = match (self.net, before.net) {
            (Some(now), Some(then)) => rate(now.0, then.0).zip(rate(now.1, then.1)),
            _ => None,
        };
        let cpu_m = u64::try_from(u128::from(cpu) * 1_000 / u128::from(nanos)).ok()?;
        // the moments of two answers are known to some milliseconds only
        let most = |all: u64, times: u64| if all == 0 { u64::MAX } else { all.saturating_mul(times) };
        let can_be = cpu_m <= most(engine.cpus, 2_000) && self.mem <= most(engine.mem_total, 1);
        Some(Usage { cpu_m: u32::try_from(cpu_m).ok()?, mem: self.mem, net }).filter(|_| can_be)
    }
}

/// Memory without the page cache that can be dropped, as `docker stats` shows it: `total_inactive_file` under cgroup v1,
/// `inactive_file` under v2 (docker/cli `cli/command/container/stats_helpers.go`).
fn working_set(memory: &MemoryStats) -> Option<u64> {
    let droppable = memory.stats.total_inactive_file.or(memory.stats.inactive_file).unwrap_or_default();
    Some(memory.usage?.saturating_sub(droppable))
}

#[cfg(test)]
mod odd_tests;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn usage_is_the_difference_of_counters_over_the_time_between() {
        let (start, engine) = (Instant::now(), Info { cpus: 4, mem_total: 1 << 30, ..Info::default() });
        let json = |cpu: u64, rx: u64| {
            serde_json::from_value::<Stats>(serde_json::json!({
                "cpu_stats": {"cpu_usage": {"total_usage": cpu}},
                "memory_stats": {"usage": 5_000_000, "stats": {"inactive_file": 1_000_000}},
                "networks": {"eth0": {"rx_bytes": rx, "tx_bytes": 10}, "eth1": {"rx_bytes": 0, "tx_bytes": 0}},
            }))
            .unwrap()
        };
        let first = Counters::of(&json(1_000_000_000, 100), start).unwrap();
        let second = Counters::of(&json(2_500_000_000, 4_100), start + Duration::from_secs(2)).unwrap();
        assert_eq!(second.since(&first, &engine), Some(Usage { cpu_m: 750, mem: 4_000_000, net: Some((2_000, 0)) }));
        assert_eq!(first.since(&second, &engine), None);
        let restarted = Counters::of(&json(5, 0), start + Duration::from_secs(4)).unwrap();
        assert_eq!(restarted.since(&second, &engine), None);
        assert!(Counters::of(&Stats::default(), start).is_none());
    }
}
