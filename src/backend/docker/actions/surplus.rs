//! Which tasks a swarm ends when a service wants fewer than it has. It counts those on each node, the running ones first, and
//! keeps the lowest numbers of all nodes; what has no node, or more than one task at its slot, it ends before all others
//! (swarmkit `orchestrator/replicated/services.go`). So a task that does not run may stay in place of one that does.

use crate::backend::docker::wire::Task;
use std::collections::{BTreeMap, BTreeSet};

/// Whether one of these that runs may be ended while one that does not is kept, if so many are wanted. Of equals it may be any.
pub fn costs(tasks: &[&Task], keep: usize) -> bool {
    let mut slots: BTreeMap<u64, Vec<&Task>> = BTreeMap::new();
    tasks.iter().for_each(|task| slots.entry(task.slot).or_default().push(task));
    let (mut all, mut on) = (Vec::new(), BTreeMap::new());
    let (running, idle): (Vec<_>, Vec<_>) = slots.values().partition(|slot| slot.iter().any(|task| runs(task)));
    for slot in running.iter().chain(&idle) {
        let place = match slot.as_slice() {
            [one] if !one.node_id.is_empty() => {
                let nth = on.entry(one.node_id.as_str()).or_insert(0);
                *nth += 1;
                *nth
            }
            _ => usize::MAX,
        };
        all.push((place, slot.iter().any(|task| runs(task))));
    }
    // of equals those that do not run come first
    all.sort_unstable();
    let kept = all.iter().take(keep).filter(|(_, runs)| *runs).count();
    kept < keep.min(running.len())
}

/// The nodes that have only such of these as do not run.
pub fn idle<'a>(tasks: &[&'a Task]) -> BTreeSet<&'a str> {
    let on = |running: bool| {
        let of = tasks.iter().filter(move |task| runs(task) == running && !task.node_id.is_empty());
        of.map(|task| task.node_id.as_str()).collect::<BTreeSet<_>>()
    };
    on(false).difference(&on(true)).copied().collect()
}

fn runs(task: &Task) -> bool {
    task.status.state == "running"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    /// Tasks by their nodes, with `!` behind those that do not run, and `-` for no node.
    fn tasks(text: &str) -> Vec<Task> {
        let task = |(slot, word): (u64, &str)| {
            let state = if word.ends_with('!') { "preparing" } else { "running" };
            let node = word.trim_end_matches('!').trim_start_matches('-');
            serde_json::from_value(json!({ "ID": word, "Slot": slot, "NodeID": node, "Status": { "State": state } })).unwrap()
        };
        (1..).zip(text.split(' ')).map(task).collect()
    }

    #[test]
    fn a_task_that_does_not_run_costs_one_that_does_where_it_has_a_lower_number_on_its_node() {
        for (all, keep, want) in [
            ("n1 n1 n2 n2 n3!", 4, true),
            ("n1 n1 n2 n2 -!", 4, false),
            ("n1 n2 n3 n3!", 3, false),
            ("n1 n1 n1 n2 n2!", 4, true),
            // of equals it may be any
            ("n1 n2!", 1, true),
            ("n1 n1 n2 n2 n2!", 4, false),
            ("n1 n1 n2 n2 n3", 4, false),
            // nothing ends, or only what runs is left to end
            ("n1 n1 n2 n2 n3!", 5, false),
            ("n1 n1 n2 n2 -!", 2, false),
            ("n1! n2!", 1, false),
        ] {
            let tasks = tasks(all);
            assert_eq!(costs(&tasks.iter().collect::<Vec<_>>(), keep), want, "{all} {keep}");
        }
        // one that is replaced goes with what is to replace it
        let mut tasks = tasks("n1 n1 n2 n3! n4!");
        tasks[4].slot = 4;
        assert!(!costs(&tasks.iter().collect::<Vec<_>>(), 3));
    }

    #[test]
    fn only_nodes_without_a_running_task_are_idle() {
        let tasks = tasks("n1 n1! n2! n2! n3 -!");
        assert_eq!(idle(&tasks.iter().collect::<Vec<_>>()).into_iter().collect::<Vec<_>>(), ["n2"]);
    }
}
