//! How often a server is asked that is dead, or as good as dead.

use super::fault::{Cell, Fault, Phase};
use super::run::Bench;
use super::seed;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// By then the waiting times have grown.
const SETTLED: Duration = Duration::from_secs(30);
/// So long it is counted.
const COUNTED: Duration = Duration::from_secs(40);

/// Requests and connections in the time that counts, from a server that is dead in this way.
async fn asked(fault: Fault, seed: u64) -> (usize, usize) {
    let bench = Bench::start(Cell { fault, phase: Phase::Steady }, seed).await;
    bench.equal(Duration::from_secs(40)).await.unwrap();
    bench.server.begin();
    sleep(SETTLED).await;
    let from = Instant::now();
    sleep(COUNTED).await;
    let state = bench.server.state.lock();
    let requests = state.asked.iter().filter(|(at, _)| *at >= from).count();
    (requests, state.connected.iter().filter(|at| **at >= from).count())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_server_is_asked_once_a_second_at_most() {
    let seed = seed();
    let ways = [Fault::Reset, Fault::Closed, Fault::BlackHole, Fault::TooMany, Fault::Unavailable, Fault::RefusedForEver];
    let runs = ways.map(|fault| async move { (fault, tokio::spawn(asked(fault, seed)).await.unwrap()) });
    let all = futures::future::join_all(runs).await;
    for (fault, (requests, connections)) in &all {
        let rate = |count: &usize| *count as f64 / COUNTED.as_secs_f64();
        println!("{fault:?} seed={seed}: {:.2} requests/s, {:.2} connections/s", rate(requests), rate(connections));
    }
    let most = COUNTED.as_secs() as usize;
    assert!(all.iter().all(|(_, (requests, connections))| requests.max(connections) <= &most), "more than one a second");
}
