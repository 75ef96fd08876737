//! The engine with its Kubernetes backend against an API server on the loopback that fails in every way at every time:
//! after the fault the rows must be those of the server within 60 s, and never may rows be shown as live that have been
//! wrong for more than 15 s.
//!
//! `tests/faults` runs it; `QUARTERDECK_FAULT=Stall/Steady` and `QUARTERDECK_SEED=7` choose a cell and a seed.

mod asleep;
mod budget;
mod fault;
mod listing;
mod objects;
mod run;
mod server;
mod soak;
mod truth;
mod watching;
pub mod wire;
pub mod writer;

pub use fault::{Cell, Fault, Phase};
use futures::StreamExt;
pub use run::Bench;
use run::{Outcome, run};

/// Seeds of each cell in the long form.
const SEEDS: u64 = 25;
/// Runs at the same time in the long form; each has about 30 sockets.
const TOGETHER: usize = 100;

fn chosen(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// All cells, or those that were chosen.
fn cells() -> Vec<Cell> {
    let only = chosen("QUARTERDECK_FAULT");
    Cell::all().into_iter().filter(|cell| only.as_ref().is_none_or(|only| cell.to_string().starts_with(only))).collect()
}

async fn matrix(runs: Vec<(Cell, u64)>, long: bool) {
    let runs = runs.into_iter().enumerate().map(|(at, (cell, seed))| async move {
        // not all in one moment: the machine would be the fault
        tokio::time::sleep(std::time::Duration::from_millis(if at < TOGETHER { 100 * at as u64 } else { 0 })).await;
        tokio::spawn(run(cell, seed, long)).await.unwrap()
    });
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut running = futures::stream::iter(runs).buffer_unordered(TOGETHER);
    while let Some(outcome) = running.next().await {
        println!("{outcome}");
        outcomes.push(outcome);
    }
    let count = |test: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| test(outcome)).count();
    let (late, false_live) = (count(|o| o.late.is_some()), count(|o| o.false_live.is_some()));
    let (equal, wrong) = (count(|o| o.late.is_none()), count(|o| o.wrong.is_some()));
    println!("runs={} equal={equal} late={late} false_live={false_live}", outcomes.len());
    assert!(!outcomes.is_empty(), "no cell is called so");
    assert!((late, false_live, wrong) == (0, 0, 0), "{late} were late, {false_live} false, {wrong} wrong: see above");
}

pub fn seed() -> u64 {
    chosen("QUARTERDECK_SEED").and_then(|seed| seed.parse().ok()).unwrap_or_else(|| u64::from(std::process::id()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_every_fault_at_every_time_the_rows_are_right_and_wrong_ones_are_never_called_live() {
    let seed = seed();
    // one after the other in JSON and in Protocol Buffers
    matrix(cells().into_iter().zip(seed..).collect(), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes 8 minutes: tests/faults --full"]
async fn the_same_with_many_seeds_and_longer_faults() {
    let seed = seed();
    let runs = (0..SEEDS).flat_map(|n| cells().into_iter().map(move |cell| (cell, seed + n)));
    matrix(runs.collect(), true).await;
}
