//! What going back to earlier definitions of a simulated service would change, as its platform would tell it.

use super::parts::{Definition, Workload};
use super::platform::Platform;
use crate::backend::difference::difference;
use crate::model::{ClusterKind, Distance, Key, Resources, Text};
use serde_json::{Value, json};

impl Platform {
    /// What earlier definitions of a service would change, newest first.
    pub(super) fn differences(&self, service: &Key) -> Vec<Distance> {
        let Some(workload) = self.workloads.values().find(|w| w.key == *service) else { return Vec::new() };
        let now = self.written(workload, &workload.definition);
        let of = |definition: &Definition| {
            let lines = difference(&now, &self.written(workload, definition));
            lines.into_iter().map(Text::from).collect()
        };
        let newest_first = workload.history.iter().rev();
        match self.kind {
            ClusterKind::Kubernetes => newest_first.map(|(revision, definition)| (*revision, of(definition))).collect(),
            // a swarm keeps one, which has the number that the definition had
            ClusterKind::Swarm => {
                let number = self.rev_of(workload, workload.generation.saturating_sub(1));
                newest_first.take(1).map(|(_, definition)| (number, of(definition))).collect()
            }
            ClusterKind::Docker => Vec::new(),
        }
    }

    fn written(&self, workload: &Workload, definition: &Definition) -> Value {
        let Definition { image, requests, limits, constraint, forced } = definition;
        let amounts = |of: &Resources| {
            let mut all = serde_json::Map::new();
            if of.cpu_m > 0 {
                all.insert("cpu".into(), json!(format!("{}m", of.cpu_m)));
            }
            if of.mem > 0 {
                all.insert("memory".into(), json!(format!("{}Mi", of.mem >> 20)));
            }
            Value::Object(all)
        };
        let rule = constraint.as_ref().map(super::placement::Constraint::words);
        if self.kind == ClusterKind::Swarm {
            return json!({ "TaskTemplate": {
                "ContainerSpec": { "Image": image.as_str() },
                "Resources": { "Reservations": amounts(requests), "Limits": amounts(limits) },
                "Placement": { "Constraints": rule.into_iter().collect::<Vec<_>>() },
                "ForceUpdate": forced
            } });
        }
        json!({
            "metadata": { "annotations": { "kubectl.kubernetes.io/restartedAt": forced } },
            "spec": {
                "containers": [{
                    "name": workload.name.as_str(),
                    "image": image.as_str(),
                    "resources": { "requests": amounts(requests), "limits": amounts(limits) }
                }],
                "nodeSelector": rule
            }
        })
    }
}
