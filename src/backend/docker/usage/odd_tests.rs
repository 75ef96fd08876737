//! A recorded answer with anything wrong in it: nothing panics, and no container is said to use what its engine does not have.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::backend::mutation;
use proptest::prelude::*;
use serde_json::{Value, json};

const STATS: &str = include_str!("../../../../tests/fixtures/docker/stats.json");

fn engine() -> Info {
    Info { cpus: 4, mem_total: 8 << 30, ..Info::default() }
}

/// Its counters half a second after those before it.
fn counters(answer: &Value, at: Instant) -> Option<Counters> {
    Counters::of(&wire::one(answer.to_string().as_bytes()).ok()?, at)
}

/// The same answer some time later.
fn grown(answer: &Value) -> Value {
    let mut later = answer.clone();
    for at in ["/cpu_stats/cpu_usage/total_usage", "/networks/eth0/rx_bytes", "/networks/eth0/tx_bytes"] {
        let part = later.pointer_mut(at).unwrap();
        *part = json!(part.as_u64().unwrap() + 1_000_000_000);
    }
    later
}

#[test]
fn a_recorded_answer_is_measured() {
    let (first, at): (Value, _) = (serde_json::from_str(STATS).unwrap(), Instant::now());
    let (before, now) = (counters(&first, at).unwrap(), counters(&grown(&first), at + Duration::from_secs(2)).unwrap());
    let usage = now.since(&before, &engine()).unwrap();
    assert_eq!((usage.cpu_m, usage.net), (500, Some((500_000_000, 500_000_000))));
    assert!(usage.mem > 0);
}

#[test]
fn numbers_that_make_no_sense_are_no_measurement() {
    let (first, at): (Value, _) = (serde_json::from_str(STATS).unwrap(), Instant::now());
    let before = counters(&first, at).unwrap();
    for (place, value) in [
        ("/cpu_stats/cpu_usage/total_usage", json!(u64::MAX)),
        ("/cpu_stats/cpu_usage/total_usage", json!(-1)),
        ("/cpu_stats/cpu_usage", Value::Null),
        ("/cpu_stats", json!("NaN")),
        ("/memory_stats/usage", json!(u64::MAX)),
        ("/memory_stats/usage", json!(1e308)),
        ("/memory_stats", json!([])),
    ] {
        let mut odd = grown(&first);
        *odd.pointer_mut(place).unwrap() = value.clone();
        let usage = counters(&odd, at + Duration::from_secs(2)).and_then(|now| now.since(&before, &engine()));
        assert_eq!(usage, None, "{place} {value}");
    }
    // what is odd beside them takes nothing with it
    let mut odd = grown(&first);
    odd["networks"]["eth0"]["rx_bytes"] = json!(-1);
    odd["memory_stats"]["stats"]["inactive_file"] = json!("many");
    odd["pids_stats"] = json!(7);
    let usage = counters(&odd, at + Duration::from_secs(2)).and_then(|now| now.since(&before, &engine())).unwrap();
    assert_eq!((usage.cpu_m, usage.net), (500, None));
}

proptest! {
    // a failure prints its smallest input
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_makes_more_of_a_container_than_its_engine_has(
        first in mutation::mutations(), second in mutation::mutations(), after in 0..10_000_u64, sound in any::<bool>(),
    ) {
        let (answer, at): (Value, _) = (serde_json::from_str(STATS).unwrap(), Instant::now());
        let before = if sound { answer.clone() } else { first.of(&answer) };
        let (before, now) = (counters(&before, at), counters(&second.of(&grown(&answer)), at + Duration::from_millis(after)));
        let Some(usage) = now.zip(before).and_then(|(now, before)| now.since(&before, &engine())) else { return Ok(()) };
        prop_assert!(usage.cpu_m <= 8_000 && usage.mem <= 8 << 30, "{:?}", usage);
    }
}
