//! Evacuations of generated clusters, broken off at any request and gone on with. A failing one prints its seed;
//! `QUARTERDECK_SEED=…` runs that one alone, and `QUARTERDECK_SCENARIOS=…` sets how many there are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod memory;
mod world;

pub(crate) use memory::{Life, Memory};
pub(crate) use world::{Chance, Cluster};

use super::*;
use memory::api;
use parking_lot::Mutex;
use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Scenarios of a normal run.
const SCENARIOS: u64 = 200;
/// Longest that an operator would wait.
const PATIENCE: Duration = Duration::from_secs(1_800);
/// What each run of all scenarios has somewhere.
const KINDS: [&str; 12] = [
    "bare",
    "budget of none",
    "budget of none, freed later",
    "daemon set",
    "emptyDir",
    "other controller",
    "other name",
    "same name",
    "slow end",
    "static",
    "terminating namespace",
    "two budgets",
];

/// The seeds of the scenarios.
pub(crate) fn seeds() -> RangeInclusive<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|n| n.parse::<u64>().unwrap());
    match number("QUARTERDECK_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("QUARTERDECK_SCENARIOS").unwrap_or(SCENARIOS),
    }
}

/// Runs one scenario and gives how often it was broken off and how it ended.
async fn scenario(seed: u64) -> (u32, &'static str) {
    let mut chance = Chance(seed);
    let cluster = Arc::new(Mutex::new(Cluster::generated(&mut chance)));
    let stays = cluster.lock().staying();
    let mut breaks = 0;
    let ended = loop {
        cluster.lock().breaks = (breaks < 8 && !chance.one_in(4)).then(|| (chance.below(12), chance.one_in(2)));
        let life = Arc::new(Life::default());
        let api = api(&cluster, &life);
        let (index, intent, (progress, reports)) = (Shared::default(), cluster.lock().intent(), ProgressSink::new());
        let run = timeout(PATIENCE, execute(&api, &index, &intent, &progress));
        tokio::select! {
            ended = run => break (ended, reports.borrow().note.to_string()),
            () = life.ended() => {}
        }
        breaks += 1;
        tokio::time::sleep(Duration::from_secs(chance.below(60))).await;
    };
    let mut cluster = cluster.lock();
    cluster.pass();
    cluster.assert_sound(&stays);
    let twice = cluster.has_two_budgets();
    let how = match ended {
        (Ok(Ok(expect)), _) => {
            assert!(matches!(expect, Expect::NodeEmpty { .. }), "it may be said to be done before all that leaves has left");
            assert!(cluster.left().is_empty(), "{:?} were not told to go", cluster.left());
            "done"
        }
        (Ok(Err(error)), _) => {
            assert!(twice && error.to_string().contains("more than one PodDisruptionBudget"), "{error}");
            assert!(cluster.left().is_empty(), "{:?} were not told to go", cluster.left());
            "refused by two budgets"
        }
        (Err(_), note) => {
            assert!(!cluster.left().is_empty() && cluster.stuck(), "it waits for nothing: {note}");
            assert!(note.contains("waits for budget app"), "{note}");
            "waits for its budget"
        }
    };
    (breaks, how)
}

#[tokio::test(start_paused = true)]
async fn evacuations_broken_off_anywhere_go_on_move_nothing_twice_and_heed_every_budget() {
    let seeds = seeds();
    let kinds: BTreeSet<&str> = seeds.clone().flat_map(|seed| Cluster::generated(&mut Chance(seed)).kinds()).collect();
    assert!(seeds.clone().count() < SCENARIOS as usize || kinds.iter().eq(&KINDS), "they have {kinds:?}");
    let (mut breaks, mut ended) = (0, HashMap::<&str, u32>::new());
    for seed in seeds {
        let run = tokio::spawn(scenario(seed)).await;
        let (broken, how) = run.unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        breaks += broken;
        *ended.entry(how).or_default() += 1;
    }
    println!("broken off {breaks} times; {ended:?}");
}
