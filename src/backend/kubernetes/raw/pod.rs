//! Pods.

use super::{Condition, Listed, Meta, Str, When};
use crate::backend::kubernetes::protobuf::shapes::{self, Field};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `v1 Pod`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct RawPod {
    pub metadata: Meta<PodLabels>,
    pub spec: PodSpec,
    pub status: PodStatus,
}

impl Listed for RawPod {
    const PATH: &'static str = "/api/v1/pods";
    const PLURAL: &'static str = "pods";
    const SHAPE: &'static [Field] = shapes::POD;
    type Labels = PodLabels;
    fn meta(&self) -> &Meta<PodLabels> {
        &self.metadata
    }
    fn meta_mut(&mut self) -> &mut Meta<PodLabels> {
        &mut self.metadata
    }
}

/// The labels in which controllers keep the definition that a pod was made from.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(in super::super) struct PodLabels {
    pub pod_template_hash: Option<Str>,
    pub controller_revision_hash: Option<Str>,
}

/// `spec`, also of pod templates.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct PodSpec {
    pub node_name: Str,
    #[serde(rename = "terminationGracePeriodSeconds")]
    pub grace: Option<i64>,
    pub containers: Vec<ContainerSpec>,
    pub init_containers: Vec<ContainerSpec>,
    pub node_selector: BTreeMap<String, String>,
    pub overhead: Amounts,
    /// Requests and limits of the pod as a whole (Kubernetes 1.34), which stand above those of its containers.
    pub resources: Resources,
    pub readiness_gates: Vec<serde::de::IgnoredAny>,
}

/// `spec.containers[]`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct ContainerSpec {
    pub name: Str,
    pub image: Str,
    pub resources: Resources,
    /// `Always` makes an init container a sidecar.
    pub restart_policy: Str,
    pub startup_probe: Option<serde::de::IgnoredAny>,
}

impl ContainerSpec {
    /// An init container that keeps running beside the others.
    pub fn is_sidecar(&self) -> bool {
        self.restart_policy == "Always"
    }
}

/// `resources`: quantities as written.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Resources {
    pub requests: Amounts,
    pub limits: Amounts,
}

/// Quantities of cpu and memory, where they are given.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Amounts {
    pub cpu: Option<Str>,
    pub memory: Option<Str>,
}

/// `status`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct PodStatus {
    pub phase: Str,
    pub reason: Str,
    pub message: Str,
    pub start_time: When,
    pub conditions: Vec<Condition>,
    pub container_statuses: Vec<ContainerStatus>,
    pub init_container_statuses: Vec<ContainerStatus>,
}

/// `status.containerStatuses[]`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct ContainerStatus {
    pub name: Str,
    pub image: Str,
    pub ready: bool,
    pub started: Option<bool>,
    pub restart_count: u32,
    pub state: StateOf,
    pub last_state: StateOf,
}

/// `state`: at most one of them is set.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct StateOf {
    pub waiting: Option<Waiting>,
    pub running: Option<Running>,
    pub terminated: Option<Terminated>,
}

/// `state.waiting`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Waiting {
    pub reason: Str,
    pub message: Str,
}

/// `state.running`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct Running {
    pub started_at: When,
}

/// `state.terminated`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct Terminated {
    pub exit_code: i32,
    pub signal: i32,
    pub reason: Str,
    pub message: Str,
    pub finished_at: When,
}
