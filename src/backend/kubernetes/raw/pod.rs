//! Pods.

use super::{Condition, Listed, Meta, When};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `v1 Pod`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct RawPod {
    pub metadata: Meta,
    pub spec: PodSpec,
    pub status: PodStatus,
}

impl Listed for RawPod {
    const PATH: &'static str = "/api/v1/pods";
    const PLURAL: &'static str = "pods";
    fn meta(&self) -> &Meta {
        &self.metadata
    }
}

/// `spec`, also of pod templates.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct PodSpec {
    pub node_name: String,
    pub containers: Vec<ContainerSpec>,
    pub init_containers: Vec<ContainerSpec>,
    pub node_selector: BTreeMap<String, String>,
    pub overhead: BTreeMap<String, String>,
    /// Requests and limits of the pod as a whole (Kubernetes 1.34), which stand above those of its containers.
    pub resources: Resources,
    pub readiness_gates: Vec<serde::de::IgnoredAny>,
}

/// `spec.containers[]`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct ContainerSpec {
    pub name: String,
    pub image: String,
    pub resources: Resources,
    /// `Always` makes an init container a sidecar.
    pub restart_policy: String,
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
    pub requests: BTreeMap<String, String>,
    pub limits: BTreeMap<String, String>,
}

/// `status`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct PodStatus {
    pub phase: String,
    pub reason: String,
    pub message: String,
    pub start_time: When,
    pub conditions: Vec<Condition>,
    pub container_statuses: Vec<ContainerStatus>,
    pub init_container_statuses: Vec<ContainerStatus>,
}

/// `status.containerStatuses[]`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct ContainerStatus {
    pub name: String,
    pub image: String,
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
    pub reason: String,
    pub message: String,
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
    pub reason: String,
    pub message: String,
    pub finished_at: When,
}
