//! What the types of a scenario file cannot say: names that must exist, kinds a platform has, one deed a happening.

use super::placement::Constraint;
use super::scenario::{ClusterPlan, PlatformKind, Scenario, ServicePlan, WorkloadKind};
use super::story::HappeningPlan;
use crate::config::Problem;
use std::collections::BTreeSet;
use std::path::PathBuf;
use toml::Spanned;

struct Reader<'a> {
    file: Option<&'a PathBuf>,
    text: &'a str,
}

impl Reader<'_> {
    fn at<T>(&self, place: &Spanned<T>, message: impl Into<String>) -> Problem {
        Problem::at(self.file.cloned(), self.text, place.span().start, message)
    }
}

impl Scenario {
    /// Checks what was read from `text`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(super) fn check(&self, file: Option<&PathBuf>, text: &str) -> Result<(), Problem> {
        let reader = Reader { file, text };
        if self.clusters.is_empty() {
            return Err(Problem::at(file.cloned(), text, 0, "the scenario has no cluster").with_help("add a [[cluster]] table"));
        }
        let mut names = BTreeSet::new();
        for cluster in &self.clusters {
            if !names.insert(cluster.name.get_ref()) {
                return Err(reader.at(&cluster.name, format!("a second cluster is named `{}`", cluster.name.get_ref())));
            }
            check_cluster(&reader, cluster)?;
        }
        Ok(())
    }
}

/// What a happening calls a service.
pub(super) fn full_name(service: &ServicePlan) -> String {
    if service.namespace.is_empty() {
        service.name.get_ref().clone()
    } else {
        format!("{}/{}", service.namespace, service.name.get_ref())
    }
}

fn check_cluster(reader: &Reader<'_>, cluster: &ClusterPlan) -> Result<(), Problem> {
    if cluster.nodes.is_empty() {
        return Err(reader.at(&cluster.name, format!("cluster `{}` has no node", cluster.name.get_ref())));
    }
    let mut nodes = BTreeSet::new();
    for node in &cluster.nodes {
        if !nodes.insert(node.name.get_ref().as_str()) {
            return Err(reader.at(&node.name, format!("a second node is named `{}`", node.name.get_ref())));
        }
    }
    let mut services = BTreeSet::new();
    for service in &cluster.services {
        if !services.insert(full_name(service)) {
            return Err(reader.at(&service.name, format!("a second service is named `{}`", full_name(service))));
        }
        check_service(reader, cluster.kind, service)?;
    }
    for happening in &cluster.happenings {
        check_happening(reader, happening, &nodes, &services)?;
    }
    Ok(())
}

fn check_service(reader: &Reader<'_>, platform: PlatformKind, service: &ServicePlan) -> Result<(), Problem> {
    use WorkloadKind::{Compose, Container, Cronjob, Daemonset, Deployment, Global, Replicated, Statefulset};
    let (fits, has) = match platform {
        PlatformKind::Kubernetes => (
            matches!(service.kind.get_ref(), Deployment | Statefulset | Daemonset | Cronjob),
            "deployment, statefulset, daemonset, cronjob",
        ),
        PlatformKind::Swarm => (matches!(service.kind.get_ref(), Replicated | Global), "replicated, global"),
        PlatformKind::Docker => (matches!(service.kind.get_ref(), Compose | Container), "compose, container"),
    };
    if !fits {
        let message = format!("the platform of service `{}` has no such kind", full_name(service));
        return Err(reader.at(&service.kind, message).with_help(format!("it has {has}")));
    }
    if *service.kind.get_ref() == Cronjob && service.every.is_none_or(|every| every.0 <= 0) {
        let message = format!("cronjob `{}` does not say how often it runs", full_name(service));
        return Err(reader.at(&service.kind, message).with_help("add every = \"5m\""));
    }
    if let Some(constraint) = &service.constraint
        && Constraint::parse(constraint.get_ref()).is_none()
    {
        let message = format!("`{}` is not a constraint", constraint.get_ref());
        return Err(reader.at(constraint, message).with_help("write `node.labels.ssd == true` or `node.labels.ssd != true`"));
    }
    if let Some(budget) = &service.budget
        && budget.min_available.is_some() == budget.max_unavailable.is_some()
    {
        let message = format!("the budget of `{}` needs one of min_available and max_unavailable", full_name(service));
        return Err(reader.at(&service.name, message));
    }
    if service.autoscale.is_some_and(|a| a.min == 0 || a.min > a.max) {
        let message = format!("the autoscaler of `{}` needs bounds with 0 < min <= max", full_name(service));
        return Err(reader.at(&service.name, message));
    }
    Ok(())
}

fn check_happening(
    reader: &Reader<'_>,
    happening: &HappeningPlan,
    nodes: &BTreeSet<&str>,
    services: &BTreeSet<String>,
) -> Result<(), Problem> {
    let on_node = [happening.node_silent.is_some(), happening.node_pressure.is_some(), happening.label.is_some()];
    let on_service = [
        happening.rollout.is_some(),
        happening.memory_leak.is_some(),
        happening.crash.is_some(),
        happening.unready.is_some(),
        happening.scale.is_some(),
    ];
    let count = |set: &[bool]| set.iter().filter(|b| **b).count();
    if count(&on_node) + count(&on_service) + usize::from(happening.link_cut.is_some()) != 1 {
        return Err(reader
            .at(&happening.at, "a happening does exactly one thing")
            .with_help("one of rollout, node_silent, node_pressure, memory_leak, crash, unready, label, link_cut, scale"));
    }
    if happening.every.is_some_and(|every| every.0 < 10_000 || happening.jitter.0 * 2 > every.0) {
        return Err(reader
            .at(&happening.at, "a happening repeats too quickly")
            .with_help("every is at least 10s, and at least twice the jitter"));
    }
    if happening.link_cut.is_some() {
        return Ok(());
    }
    if happening.on.is_empty() {
        return Err(reader.at(&happening.at, "a happening says on what it happens").with_help("add on = [\"name\"]"));
    }
    for name in &happening.on {
        let (known, what) = if count(&on_node) == 1 {
            (nodes.contains(name.get_ref().as_str()), "node")
        } else {
            (services.contains(name.get_ref()), "service")
        };
        if !known {
            let problem = reader.at(name, format!("this cluster has no {what} `{}`", name.get_ref()));
            return Err(if what == "node" {
                problem.suggest(name.get_ref(), nodes.iter().copied())
            } else {
                problem.suggest(name.get_ref(), services.iter().map(String::as_str))
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]
    use super::*;

    const CLUSTER: &str = "[[cluster]]\nname = \"c\"\nkind = \"kubernetes\"\nversion = \"v1\"\nendpoint = \"e\"\n";
    const NODE: &str = "[[cluster.node]]\nname = \"n1\"\ncpu = \"4\"\nmemory = \"8Gi\"\n";
    const SERVICE: &str = "[[cluster.service]]\nname = \"web\"\nnamespace = \"shop\"\nkind = \"deployment\"\nimage = \"web:1\"\n";

    #[test]
    fn what_is_wrong_in_a_scenario_has_its_place_and_a_hint() {
        let table: [(String, (usize, usize), &str, &str); 9] = [
            (String::new(), (1, 1), "no cluster", "[[cluster]]"),
            (CLUSTER.to_owned(), (2, 8), "`c` has no node", ""),
            (format!("{CLUSTER}{NODE}{NODE}"), (11, 8), "second node is named `n1`", ""),
            (format!("{CLUSTER}{NODE}nane = 1\n"), (10, 1), "unknown field `nane`", ""),
            (format!("{CLUSTER}{}", NODE.replace("8Gi", "8")), (9, 10), "not an amount of memory", ""),
            (format!("{CLUSTER}{NODE}{}", SERVICE.replace("deployment", "global")), (13, 8), "no such kind", "deployment,"),
            (format!("{CLUSTER}{NODE}{SERVICE}constraint = \"ssd\"\n"), (15, 14), "not a constraint", "node.labels.ssd"),
            (
                format!(
                    "{CLUSTER}{NODE}{SERVICE}[[cluster.happening]]\nat = \"1m\"\non = [\"shop/wep\"]\nscale = {{ tasks = 1 }}\n"
                ),
                (17, 7),
                "no service `shop/wep`",
                "did you mean `shop/web`?",
            ),
            (format!("{CLUSTER}{NODE}{SERVICE}[[cluster.happening]]\nat = \"1m\"\n"), (16, 6), "exactly one thing", "rollout"),
        ];
        for (text, place, message, help) in table {
            let problem = Scenario::parse(Some("demo.toml".into()), &text).expect_err(message);
            assert!(problem.message.contains(message), "{problem}");
            assert_eq!(problem.place, Some(place), "{problem}");
            assert!(problem.help.as_deref().unwrap_or_default().contains(help), "{problem}");
        }
    }
}
