//! What is wrong with a node.

use crate::analysis::reasons::count;
use crate::model::{Availability, ClusterState, Finding, Key, Kind, Level, Node, NodeState, Resources, Text};
use crate::util::humanize;
use crate::util::time::Timestamp;
use std::time::Duration;

/// Time a drained node may take to give its tasks away before that is worth a look.
const DRAINING: Duration = Duration::from_secs(10 * 60);

/// What is wrong with the node `key`.
pub fn node(state: &ClusterState, key: &Key, now: Timestamp) -> Option<Finding> {
    let node = state.nodes.get(key)?;
    let load = state.node_loads.get(key);
    let tasks = u32::try_from(state.load_of(key)).unwrap_or(u32::MAX);
    let (level, headline, why, since) = state_of(node, tasks)
        .or_else(|| pressure(node))
        .or_else(|| memory(state, node))
        .or_else(|| draining(node, tasks, now))
        .or_else(|| overcommitted(node, load.map_or_else(Resources::default, |load| load.reserved)))?;
    let mut extra = Vec::new();
    extra.extend(node.zone.as_ref().map(|zone| format!("zone {zone}")));
    if tasks > 0 {
        extra.push(format!("{} there", count(tasks, "task")));
    }
    Some(Finding {
        key: Finding::key_of(Some((Kind::Node, key))),
        object: Some((Kind::Node, key.clone())),
        level,
        subject: Text::from(format!("node {}", node.name)),
        headline: Text::from(headline),
        why: Text::from(why),
        extra: Text::from(extra.join(" · ")),
        since,
    })
}

/// Whether time alone may tell of trouble.
pub fn waits(node: &Node) -> bool {
    node.availability == Availability::Drained
}

type Verdict = (Level, String, String, Option<Timestamp>);

fn state_of(node: &Node, tasks: u32) -> Option<Verdict> {
    // a node that was given up on purpose and carries nothing may go away quietly
    let level = if tasks == 0 && node.availability != Availability::Active { Level::Warning } else { Level::Failing };
    let why = |words: &str| node.why.as_ref().map_or_else(|| words.to_owned(), Text::to_string);
    let verdict = |words| Some((level, node.state.word().to_owned(), why(words), node.since));
    match node.state {
        NodeState::Ready => None,
        NodeState::NotReady => verdict("it says that it cannot run tasks"),
        NodeState::Down => verdict("it does not report to its control plane any more"),
        NodeState::Unknown => Some((Level::Warning, "unknown".to_owned(), why("the platform does not say how it is"), node.since)),
    }
}

fn pressure(node: &Node) -> Option<Verdict> {
    let (first, rest) = node.pressure.split_first()?;
    let why = rest.iter().fold(first.to_string(), |words, more| format!("{words}, {more}"));
    Some((Level::Warning, "under pressure".to_owned(), why, None))
}

fn memory(state: &ClusterState, node: &Node) -> Option<Verdict> {
    let used = state.node_usage.get(&node.key)?.last()?.usage.mem;
    let of = node.allocatable.mem;
    // the words name a tenth, not the figure: they would change with every measurement
    (of > 0 && u128::from(used) * 10 >= u128::from(of) * 9).then(|| {
        let why = format!("more than 90% of {} used", humanize::bytes_of(of));
        (Level::Warning, "memory nearly full".to_owned(), why, None)
    })
}

fn draining(node: &Node, tasks: u32, now: Timestamp) -> Option<Verdict> {
    let since = node.since?;
    (node.availability == Availability::Drained && tasks > 0 && now.since(since) > DRAINING)
        .then(|| (Level::Warning, "drained".to_owned(), format!("{} still there", count(tasks, "task")), None))
}

fn overcommitted(node: &Node, reserved: Resources) -> Option<Verdict> {
    let (have, want) = (node.allocatable, reserved);
    let mut why = Vec::new();
    if have.cpu_m > 0 && want.cpu_m > have.cpu_m {
        let (mut a, mut b) = (String::new(), String::new());
        humanize::cpu(&mut a, want.cpu_m);
        humanize::cpu(&mut b, have.cpu_m);
        why.push(format!("cpu {a} of {b}"));
    }
    if have.mem > 0 && want.mem > have.mem {
        why.push(format!("memory {} of {}", humanize::bytes_of(want.mem), humanize::bytes_of(have.mem)));
    }
    (!why.is_empty()).then(|| (Level::Warning, "overcommitted".to_owned(), format!("reserved {}", why.join(", ")), None))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::analysis::fixture::{self, Fixture};
    use crate::model::{NodeState, Usage};

    #[test]
    fn each_rule_has_its_words_and_a_healthy_node_is_quiet() {
        type Change = fn(&mut Node);
        type Want = Option<(Level, &'static str, &'static str, &'static str)>;
        let table: &[(&str, Change, u32, Want)] = &[
            ("healthy", |_| {}, 2, None),
            ("paused", |n| n.availability = Availability::Paused, 2, None),
            ("drained and empty", |n| n.availability = Availability::Drained, 0, None),
            (
                "silent",
                |n| (n.state, n.why) = (NodeState::Down, Some(Text::new("kubelet silent"))),
                2,
                Some((Level::Failing, "down", "kubelet silent", "zone a · 2 tasks there")),
            ),
            (
                "silent, given up and empty",
                |n| (n.state, n.availability) = (NodeState::Down, Availability::Drained),
                0,
                Some((Level::Warning, "down", "it does not report to its control plane any more", "zone a")),
            ),
            (
                "pressure",
                |n| n.pressure = Box::new([Text::new("memory pressure"), Text::new("disk pressure")]),
                0,
                Some((Level::Warning, "under pressure", "memory pressure, disk pressure", "zone a")),
            ),
            (
                "drained for long with tasks",
                |n| (n.availability, n.since) = (Availability::Drained, Some(Timestamp(0))),
                1,
                Some((Level::Warning, "drained", "1 task still there", "zone a · 1 task there")),
            ),
            (
                "overcommitted",
                |n| n.allocatable = Resources { cpu_m: 150, mem: 1 << 30 },
                2,
                Some((Level::Warning, "overcommitted", "reserved cpu 200m of 150m", "zone a · 2 tasks there")),
            ),
        ];
        for (name, change, tasks, want) in table {
            let mut fixture = Fixture::kubernetes();
            let mut row = fixture::node("n1", "a");
            change(&mut row);
            fixture.node(row);
            for n in 0..*tasks {
                fixture.task(fixture::task(&format!("t{n}"), "web", "n1"));
            }
            let found = node(&fixture.state(), &Key::from("n1"), fixture::NOW);
            let got = found.as_ref().map(|f| (f.level, f.headline.as_str(), f.why.as_str(), f.extra.as_str()));
            assert_eq!(got, *want, "{name}");
        }
    }

    #[test]
    fn memory_that_is_nearly_used_up_is_said_once_it_is_measured() {
        let mut fixture = Fixture::kubernetes();
        fixture.node(fixture::node("n1", "a"));
        for (percent, warned) in [(89, false), (90, true)] {
            fixture.usage(Kind::Node, "n1", Usage { mem: (8 << 30) / 100 * percent + 1024, ..Usage::default() });
            let found = node(&fixture.state(), &Key::from("n1"), fixture::NOW);
            assert_eq!(found.is_some(), warned, "{percent}%");
        }
    }
}
