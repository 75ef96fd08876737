//! Fleets of any size, for benches and for trying Quarterdeck on more than anyone has at hand.

use super::scenario::Scenario;
use crate::config::Problem;
use std::fmt::Write;

impl Scenario {
    /// One Kubernetes-like cluster of `nodes` nodes over three zones with `services` services that have `tasks` tasks in all,
    /// in namespaces of about twenty services. Every twentieth service crashes now and then, so that something happens.
    ///
    /// # Errors
    /// When there is no node, or there are fewer tasks than services.
    pub fn sized(nodes: u32, services: u32, tasks: u32) -> Result<Self, Problem> {
        if nodes == 0 || services == 0 || tasks < services {
            let message = format!("a fleet of {nodes} nodes, {services} services and {tasks} tasks cannot be");
            return Err(Problem {
                file: None,
                place: None,
                message,
                help: Some("at least one node, and one task a service".to_owned()),
            });
        }
        let mut text = String::from(
            "[[cluster]]\nname = \"sized\"\nkind = \"kubernetes\"\nversion = \"v1.33.4\"\nendpoint = \"https://sized\"\n",
        );
        // writing to a String cannot fail
        for n in 0..nodes {
            let zone = ["a", "b", "c"].get(n as usize % 3).unwrap_or(&"a");
            let _ = writeln!(
                text,
                "[[cluster.node]]\nname = \"node-{zone}-{n:04}\"\nzone = \"zone-{zone}\"\ncpu = \"64\"\nmemory = \"256Gi\"\nmax_tasks = 250"
            );
        }
        for s in 0..services {
            let share = tasks / services + u32::from(s < tasks % services);
            let _ = writeln!(
                text,
                "[[cluster.service]]\nname = \"service-{s:04}\"\nnamespace = \"team-{:02}\"\nkind = \"deployment\"\nimage = \"registry.local/service-{s:04}:1.{}\"\ntasks = {share}\ncpu = \"100m\"\nmemory = \"128Mi\"\nmemory_limit = \"256Mi\"",
                s / 20,
                s % 9
            );
            if s % 20 == 7 {
                let _ = writeln!(
                    text,
                    "[[cluster.happening]]\nat = \"{}s\"\nevery = \"4m\"\non = [\"team-{:02}/service-{s:04}\"]\ncrash = {{ exit = 1, after = \"9s\", says = \"out of file descriptors\", lasts = \"1m\", tasks = 3 }}",
                    s % 97,
                    s / 20
                );
            }
        }
        Self::parse(None, &text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::backend::sim::{Fleet, Options};
    use crate::model::Store;
    use std::time::Duration;

    #[test]
    fn a_sized_fleet_has_that_size_and_is_well_at_its_opening() {
        let mut fleet = Fleet::new(&Scenario::sized(100, 53, 1_000).unwrap(), Options::default());
        let mut store = Store::new(fleet.clusters());
        for fact in fleet.advance(Duration::ZERO) {
            store.apply(fact, fleet.at(Duration::ZERO));
        }
        let cluster = &store.world().clusters[0];
        assert_eq!((cluster.nodes.len(), cluster.services.len(), cluster.tasks.len()), (100, 53, 1_000));
        assert!(cluster.services.iter().all(|s| s.desired == Some(s.ready)));
        assert!(cluster.node_loads.iter().all(|load| (9..=11).contains(&load.tasks.len())), "tasks are spread evenly");
        assert!(!fleet.advance(Duration::from_secs(120)).is_empty());
        assert!(Scenario::sized(0, 1, 1).is_err() && Scenario::sized(1, 2, 1).is_err());
    }
}
