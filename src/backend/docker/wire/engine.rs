//! What an engine says of itself and of its containers.

use super::{Labels, or_default, time};
use crate::util::time::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

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
    /// What of it could not be read.
    #[serde(skip)]
    pub odd: Option<String>,
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
    /// What of it could not be read.
    #[serde(skip)]
    pub odd: Option<String>,
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
    /// The ID of its image.
    pub image: String,
    pub state: ContainerState,
    pub restart_count: u32,
    pub host_config: HostConfig,
    pub config: ContainerConfig,
    /// What of it could not be read.
    #[serde(skip)]
    pub odd: Option<String>,
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
    /// Its image, by the name it was made with.
    pub image: String,
    pub tty: bool,
    /// Seconds between the signal that asks it to end and the one that ends it; negative is for ever.
    pub stop_timeout: Option<i64>,
}

/// `GET /containers/{id}/stats`. A container that has just ended has an answer without numbers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Stats {
    #[serde(deserialize_with = "or_default")]
    pub cpu_stats: CpuStats,
    #[serde(deserialize_with = "or_default")]
    pub memory_stats: MemoryStats,
    pub networks: Option<BTreeMap<String, NetworkStats>>,
    /// What of it could not be read.
    #[serde(skip)]
    pub odd: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CpuStats {
    #[serde(deserialize_with = "or_default")]
    pub cpu_usage: CpuUsage,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CpuUsage {
    /// Nanoseconds since the container started.
    pub total_usage: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct MemoryStats {
    pub usage: Option<u64>,
    #[serde(deserialize_with = "or_default")]
    pub stats: MemoryDetail,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct MemoryDetail {
    pub total_inactive_file: Option<u64>,
    pub inactive_file: Option<u64>,
}

/// Bytes since the container started.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct NetworkStats {
    pub rx_bytes: Option<u64>,
    pub tx_bytes: Option<u64>,
}
