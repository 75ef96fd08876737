//! Measurements with anything wrong in them: nothing panics, one odd hides no other, and no node is said to use what it
//! cannot have.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::analysis::fixture::{Fixture, node};
use crate::backend::mutation;
use crate::util::humanize;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

const METRICS: &str = include_str!("../../../../tests/fixtures/kubernetes/metrics.json");

fn items() -> Vec<Value> {
    serde_json::from_str::<Value>(METRICS).unwrap()["items"].as_array().unwrap().clone()
}

fn read(items: &[Value]) -> Vec<Measured> {
    list(json!({ "kind": "NodeMetricsList", "items": items }).to_string().as_bytes(), shapes::NODE_METRICS, named).unwrap()
}

fn rows(items: &[Value]) -> HashMap<String, Option<Usage>> {
    read(items).into_iter().map(|row| (row.key.to_string(), row.usage)).collect()
}

#[test]
fn quantities_that_make_no_sense_are_no_measurement() {
    for (cpu, memory) in
        [("-1", "1Gi"), ("1e999", "1Gi"), ("", "1Gi"), ("NaN", "1Gi"), ("1", "-1"), ("1", "9E"), ("1", "x"), ("9e9", "1")]
    {
        let odd = json!({"metadata": {"name": "n"}, "usage": {"cpu": cpu, "memory": memory}});
        assert_eq!(rows(&[odd])["n"], None, "{cpu} {memory}");
    }
    // a pod of which one container is not known is not known
    let known = json!({"usage": {"cpu": "1", "memory": "1Gi"}});
    let pod = json!({"metadata": {"name": "p"}, "containers": [known, {"usage": {"cpu": "", "memory": "1Gi"}}]});
    assert_eq!(rows(&[pod])["p"], None);
}

#[test]
fn a_measurement_from_the_future_does_not_make_all_later_ones_old() {
    let now = Timestamp::now();
    let at = |time: &str| {
        let all = json!([{"metadata": {"name": "a"}, "timestamp": time}, {"metadata": {"name": "b"}, "timestamp": "2026-01-01T00:00:00Z"}]);
        moment(&read(all.as_array().unwrap()), now)
    };
    let first = at("2026-01-01T00:00:00Z");
    assert_eq!(at("9999-01-01T00:00:00Z"), first);
    assert_eq!(at("2026-01-01T00:00:01Z"), first.plus(Duration::from_secs(1)));
}

proptest! {
    // a failure prints its smallest input
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_odd_measurement_hides_no_other_and_no_percentage_is_absurd(at in any::<Index>(), mutation in mutation::mutations()) {
        let mut all = items();
        let whole = rows(&all);
        prop_assert!(whole.values().all(Option::is_some));
        let at = at.index(all.len());
        let name = all[at]["metadata"]["name"].as_str().unwrap().to_owned();
        all[at] = mutation.of(&all[at]);
        let read = rows(&all);
        for (other, usage) in whole.iter().filter(|(other, _)| **other != name) {
            prop_assert_eq!(read.get(other), Some(usage));
        }
        // as the rows show it
        let mut fixture = Fixture::kubernetes();
        for other in whole.keys() {
            fixture.node(node(other, ""));
        }
        let measured = read.iter().filter_map(|(name, usage)| Some((Key::new(name), (*usage)?))).collect();
        fixture.delta(Delta::Usage { of: Kind::Node, at: Timestamp(2), rows: measured });
        let state = fixture.state();
        for (name, node) in state.nodes.iter().map(|node| (&node.key, node)) {
            let Some(used) = state.node_usage.get(name).and_then(|series| series.last()).map(|sample| sample.usage) else { continue };
            for (part, all) in [(u64::from(used.cpu_m), node.allocatable.cpu_m), (used.mem, node.allocatable.mem)] {
                let mut words = String::new();
                humanize::percent(&mut words, part, all);
                prop_assert!(words.trim_end_matches('%').parse::<u32>().is_ok_and(|share| share <= 400), "{}", words);
            }
        }
    }
}
