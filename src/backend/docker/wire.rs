//! The parts of the Engine API's objects that rows are made of (API 1.41 and later, moby `api/types`). Everything else is
//! skipped while decoding. States are plain text: a state that is new to us costs one row its meaning, not the whole list.

use crate::util::time::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Labels, by name.
pub type Labels = BTreeMap<String, String>;

/// A value decoded together with a number that changes exactly when its JSON does. The engine writes maps sorted, so equal
/// values have equal JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hashed<T> {
    /// The number; never 0.
    pub rev: u64,
    /// The value.
    pub value: T,
}

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for Hashed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let value = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
        Ok(Self { rev: hash(raw.get()), value })
    }
}

/// A number for a JSON text; never 0, which stands for "cannot change".
pub fn hash(json: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    json.hash(&mut hasher);
    hasher.finish().max(1)
}

/// Go writes empty lists and maps as `null`.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A moment as Go writes it; its zero time (year 1) is none.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Option::<std::borrow::Cow<'_, str>>::deserialize(deserializer)?.and_then(|text| parse_time(&text)))
}

/// An RFC 3339 moment with any number of decimals; none for Go's zero time.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    (at.as_second() > 0).then(|| Timestamp(at.as_millisecond()))
}

/// `GET /info`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Info {
    #[serde(rename = "ID")]
    pub id: String,
    pub name: String,
    #[serde(rename = "NCPU")]
    pub cpus: u64,
    pub mem_total: u64,
    pub server_version: String,
    #[serde(deserialize_with = "or_default")]
    pub labels: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub swarm: InfoSwarm,
}

/// What an engine says of its part in a swarm.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct InfoSwarm {
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// `inactive`, `pending`, `active`, `error`, `locked`.
    pub local_node_state: String,
    pub control_available: bool,
    pub error: String,
}

/// A row of `GET /nodes`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Node {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(default, deserialize_with = "time")]
    pub created_at: Option<Timestamp>,
    pub spec: Hashed<NodeSpec>,
    #[serde(default)]
    pub description: Description,
    #[serde(default)]
    pub status: NodeStatus,
    #[serde(default)]
    pub manager_status: Option<ManagerStatus>,
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
    pub spec: Hashed<ServiceSpec>,
    #[serde(default)]
    pub previous_spec: Option<ServiceSpec>,
    #[serde(default)]
    pub endpoint: Ports,
    #[serde(default)]
    pub update_status: Option<UpdateStatus>,
    #[serde(default)]
    pub job_status: Option<JobStatus>,
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

/// A row of `GET /containers/json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Container {
    pub id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub names: Vec<String>,
    #[serde(default)]
    pub image: String,
    /// Seconds since the epoch.
    #[serde(default)]
    pub created: i64,
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`.
    #[serde(default)]
    pub state: String,
    /// For people: `Up 3 minutes (healthy)`, `Exited (1) 2 hours ago`.
    #[serde(default)]
    pub status: String,
    #[serde(default, deserialize_with = "or_default")]
    pub labels: Labels,
    #[serde(default, deserialize_with = "or_default")]
    pub ports: Vec<ContainerPort>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerPort {
    pub private_port: u16,
    pub public_port: Option<u16>,
    pub r#type: String,
}

/// `GET /containers/{id}/json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerDetail {
    #[serde(deserialize_with = "time")]
    pub created: Option<Timestamp>,
    pub state: ContainerState,
    pub restart_count: u32,
    pub host_config: HostConfig,
    pub config: ContainerConfig,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerState {
    pub status: String,
    #[serde(rename = "OOMKilled")]
    pub oom_killed: bool,
    pub exit_code: i32,
    pub error: String,
    #[serde(deserialize_with = "time")]
    pub started_at: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    pub finished_at: Option<Timestamp>,
    pub health: Option<Health>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Health {
    pub status: String,
    pub failing_streak: u32,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HostConfig {
    pub memory: u64,
    pub memory_reservation: u64,
    pub nano_cpus: u64,
    #[serde(deserialize_with = "or_default")]
    pub restart_policy: RestartPolicy,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RestartPolicy {
    pub name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerConfig {
    pub tty: bool,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_the_placement_may_change_without_making_tasks_old() {
        let rev = |json: &str| serde_json::from_str::<TaskSpec>(json).unwrap().rev;
        let base = rev(r#"{"ContainerSpec":{"Image":"a"},"ForceUpdate":0}"#);
        assert_eq!(base, rev(r#"{"ContainerSpec":{"Image":"a"},"Placement":{"Constraints":["node.id!=x"]},"ForceUpdate":0}"#));
        assert_ne!(base, rev(r#"{"ContainerSpec":{"Image":"b"},"ForceUpdate":0}"#));
        assert_ne!(base, rev(r#"{"ContainerSpec":{"Image":"a"},"ForceUpdate":1}"#));
    }

    #[test]
    fn moments_of_the_engine_are_read_and_its_zero_time_is_none() {
        assert_eq!(parse_time("1970-01-01T00:00:01.5Z"), Some(Timestamp(1_500)));
        assert_eq!(parse_time("1970-01-01T01:00:01.123456789+01:00"), Some(Timestamp(1_123)));
        assert_eq!(parse_time("0001-01-01T00:00:00Z"), None);
    }
}
