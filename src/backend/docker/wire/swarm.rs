//! What a manager says of its swarm.

use super::{Hashed, Labels, or_default, time};
use crate::util::time::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A row of `GET /nodes`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Node {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(default, deserialize_with = "time")]
    pub created_at: Option<Timestamp>,
    #[serde(default)]
    pub spec: Hashed<NodeSpec>,
    #[serde(default)]
    pub description: Description,
    #[serde(default)]
    pub status: NodeStatus,
    #[serde(default)]
    pub manager_status: Option<ManagerStatus>,
    /// What of it could not be read.
    #[serde(skip)]
    pub odd: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NodeSpec {
    #[serde(deserialize_with = "or_default")]
    pub labels: Labels,
    pub role: String,
    pub availability: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Description {
    pub hostname: String,
    pub resources: Amounts,
    pub engine: EngineDescription,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EngineDescription {
    pub engine_version: String,
    #[serde(deserialize_with = "or_default")]
    pub labels: Labels,
}

/// Cpu in billionths of a core, memory in bytes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Amounts {
    #[serde(rename = "NanoCPUs")]
    pub nano_cpus: u64,
    #[serde(rename = "MemoryBytes")]
    pub memory_bytes: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NodeStatus {
    pub state: String,
    pub message: String,
    pub addr: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ManagerStatus {
    pub leader: bool,
    pub reachability: String,
    pub addr: String,
}

/// A row of `GET /services`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Service {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(default, deserialize_with = "time")]
    pub created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    pub updated_at: Option<Timestamp>,
    #[serde(default)]
    pub spec: Hashed<ServiceSpec>,
    #[serde(default)]
    pub previous_spec: Option<ServiceSpec>,
    #[serde(default)]
    pub endpoint: Ports,
    #[serde(default)]
    pub update_status: Option<UpdateStatus>,
    #[serde(default)]
    pub job_status: Option<JobStatus>,
    /// What of it could not be read.
    #[serde(skip)]
    pub odd: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ServiceSpec {
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub labels: Labels,
    pub task_template: TaskSpec,
    #[serde(deserialize_with = "or_default")]
    pub mode: Mode,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Mode {
    pub replicated: Option<Replicated>,
    pub global: Option<serde::de::IgnoredAny>,
    pub replicated_job: Option<ReplicatedJob>,
    pub global_job: Option<serde::de::IgnoredAny>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Replicated {
    pub replicas: Option<u32>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ReplicatedJob {
    pub max_concurrent: Option<u32>,
    pub total_completions: Option<u32>,
}

/// A task's definition: in a service as `TaskTemplate`, in a task as `Spec`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskSpec {
    /// Number for everything but the placement and the runtime. A service's new placement does not replace tasks whose
    /// node still fits (swarmkit `orchestrator/task.go`, `IsTaskDirtyPlacementConstraintsOnly`), so it does not make them
    /// old; the runtime is written into services only and cannot change.
    pub rev: u64,
    pub container_spec: ContainerSpec,
    pub resources: Requirements,
    pub placement: Placement,
    pub force_update: u64,
}

impl<'de> Deserialize<'de> for TaskSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        #[derive(Default)]
        struct Parts {
            #[serde(deserialize_with = "or_default")]
            container_spec: ContainerSpec,
            #[serde(deserialize_with = "or_default")]
            resources: Requirements,
            #[serde(deserialize_with = "or_default")]
            placement: Placement,
            force_update: u64,
        }
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let fields: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
        let parts: Parts = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
        let mut hasher = DefaultHasher::new();
        for (name, value) in fields.iter().filter(|(name, _)| !matches!(name.as_str(), "Placement" | "Runtime")) {
            (name, value.get()).hash(&mut hasher);
        }
        Ok(Self {
            rev: hasher.finish(),
            container_spec: parts.container_spec,
            resources: parts.resources,
            placement: parts.placement,
            force_update: parts.force_update,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerSpec {
    pub image: String,
    #[serde(rename = "TTY")]
    pub tty: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Requirements {
    #[serde(deserialize_with = "or_default")]
    pub limits: Amounts,
    #[serde(deserialize_with = "or_default")]
    pub reservations: Amounts,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Placement {
    #[serde(deserialize_with = "or_default")]
    pub constraints: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub preferences: Vec<Preference>,
    pub max_replicas: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Preference {
    pub spread: Option<Spread>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Spread {
    pub spread_descriptor: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Ports {
    #[serde(deserialize_with = "or_default")]
    pub ports: Vec<Port>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Port {
    pub protocol: String,
    pub target_port: u16,
    pub published_port: u16,
    pub publish_mode: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateStatus {
    pub state: String,
    pub message: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct JobStatus {
    #[serde(deserialize_with = "or_default")]
    pub job_iteration: Iteration,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Iteration {
    pub index: u64,
}

/// A row of `GET /tasks`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Task {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(default, deserialize_with = "time")]
    pub created_at: Option<Timestamp>,
    #[serde(default)]
    pub spec: TaskSpec,
    #[serde(rename = "ServiceID", default)]
    pub service_id: String,
    /// From 1; 0 in global services.
    #[serde(default)]
    pub slot: u64,
    #[serde(rename = "NodeID", default)]
    pub node_id: String,
    #[serde(default)]
    pub status: TaskStatus,
    #[serde(default)]
    pub desired_state: String,
    #[serde(default)]
    pub job_iteration: Option<Iteration>,
    /// What of it could not be read.
    #[serde(skip)]
    pub odd: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TaskStatus {
    #[serde(deserialize_with = "time")]
    pub timestamp: Option<Timestamp>,
    pub state: String,
    pub message: String,
    pub err: String,
    #[serde(deserialize_with = "or_default")]
    pub container_status: ContainerStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerStatus {
    #[serde(rename = "ContainerID")]
    pub container_id: String,
    pub exit_code: i32,
}
