//! What keeps pods running.

use super::{Condition, Labels, Listed, Meta, PodSpec, When};
use crate::backend::kubernetes::protobuf::shapes::{self, Field};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;

macro_rules! listed {
    ($($name:ident $path:literal $plural:literal $shape:ident),* $(,)?) => {$(
        impl Listed for $name {
            const PATH: &'static str = $path;
            const PLURAL: &'static str = $plural;
            const SHAPE: &'static [Field] = shapes::$shape;
            type Labels = Labels;
            fn meta(&self) -> &Meta {
                &self.metadata
            }
            fn meta_mut(&mut self) -> &mut Meta {
                &mut self.metadata
            }
        }
    )*};
}

listed! {
    Deployment "/apis/apps/v1/deployments" "deployments.apps" DEPLOYMENT,
    StatefulSet "/apis/apps/v1/statefulsets" "statefulsets.apps" STATEFUL_SET,
    DaemonSet "/apis/apps/v1/daemonsets" "daemonsets.apps" DAEMON_SET,
    ReplicaSet "/apis/apps/v1/replicasets" "replicasets.apps" REPLICA_SET,
    ControllerRevision "/apis/apps/v1/controllerrevisions" "controllerrevisions.apps" CONTROLLER_REVISION,
    Job "/apis/batch/v1/jobs" "jobs.batch" JOB,
    CronJob "/apis/batch/v1/cronjobs" "cronjobs.batch" CRON_JOB,
}

/// `spec.template`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Template {
    pub metadata: TemplateMeta,
    pub spec: PodSpec,
}

/// `spec.template.metadata`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct TemplateMeta {
    pub labels: BTreeMap<String, String>,
}

/// `apps/v1 Deployment`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Deployment {
    pub metadata: Meta,
    pub spec: DeploymentSpec,
    pub status: DeploymentStatus,
}

/// `spec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct DeploymentSpec {
    pub replicas: Option<u32>,
    pub paused: bool,
    pub template: Template,
}

/// `status`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct DeploymentStatus {
    pub observed_generation: u64,
    pub replicas: u32,
    pub ready_replicas: u32,
    pub updated_replicas: u32,
    pub available_replicas: u32,
    pub conditions: Vec<Condition>,
}

/// `apps/v1 StatefulSet`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct StatefulSet {
    pub metadata: Meta,
    pub spec: StatefulSetSpec,
    pub status: StatefulSetStatus,
}

/// `spec`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct StatefulSetSpec {
    pub replicas: Option<u32>,
    pub template: Template,
    pub update_strategy: UpdateStrategy,
}

/// `spec.updateStrategy`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct UpdateStrategy {
    #[serde(rename = "type")]
    pub kind: String,
    pub rolling_update: RollingUpdate,
}

/// `spec.updateStrategy.rollingUpdate`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct RollingUpdate {
    pub partition: u32,
}

/// `status`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct StatefulSetStatus {
    pub observed_generation: u64,
    pub replicas: u32,
    pub ready_replicas: u32,
    pub updated_replicas: u32,
    pub current_revision: String,
    pub update_revision: String,
}

/// `apps/v1 DaemonSet`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct DaemonSet {
    pub metadata: Meta,
    pub spec: DaemonSetSpec,
    pub status: DaemonSetStatus,
}

/// `spec`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct DaemonSetSpec {
    pub template: Template,
    pub update_strategy: UpdateStrategyKind,
}

/// `spec.updateStrategy` of a DaemonSet, whose rolling update has no partition.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct UpdateStrategyKind {
    #[serde(rename = "type")]
    pub kind: String,
}

/// `status`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct DaemonSetStatus {
    pub observed_generation: u64,
    pub desired_number_scheduled: u32,
    pub current_number_scheduled: u32,
    pub updated_number_scheduled: u32,
    pub number_ready: u32,
}

/// `apps/v1 ReplicaSet`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct ReplicaSet {
    pub metadata: Meta,
    pub spec: ReplicaSetSpec,
    pub status: ReplicaSetStatus,
}

/// `spec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct ReplicaSetSpec {
    pub replicas: Option<u32>,
    pub template: Template,
}

/// `status`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct ReplicaSetStatus {
    pub observed_generation: u64,
    pub replicas: u32,
    pub ready_replicas: u32,
    pub conditions: Vec<Condition>,
}

/// `apps/v1 ControllerRevision`: a past or present definition of a StatefulSet or DaemonSet.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct ControllerRevision {
    pub metadata: Meta,
    pub revision: u64,
    #[serde(deserialize_with = "patch")]
    pub data: RevisionData,
}

/// JSON, or its text, as which it is within Protocol Buffers.
fn patch<'de, D: Deserializer<'de>>(from: D) -> Result<RevisionData, D::Error> {
    struct Patch;

    impl<'de> Visitor<'de> for Patch {
        type Value = RevisionData;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a patch")
        }

        fn visit_unit<E: Error>(self) -> Result<RevisionData, E> {
            Ok(RevisionData::default())
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<RevisionData, E> {
            serde_json::from_str(text).map_err(E::custom)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RevisionData, A::Error> {
            RevisionData::deserialize(MapAccessDeserializer::new(map))
        }
    }

    from.deserialize_any(Patch)
}

/// `data`: a patch that makes the definition.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct RevisionData {
    pub spec: RevisionSpec,
}

/// `data.spec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct RevisionSpec {
    pub template: Template,
}

/// `batch/v1 Job`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Job {
    pub metadata: Meta,
    pub spec: JobSpec,
    pub status: JobStatus,
}

/// `spec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct JobSpec {
    pub parallelism: Option<u32>,
    pub completions: Option<u32>,
    pub suspend: bool,
    pub template: Template,
}

/// `status`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct JobStatus {
    pub active: u32,
    pub ready: u32,
    pub succeeded: u32,
    pub failed: u32,
    pub conditions: Vec<Condition>,
}

/// `batch/v1 CronJob`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct CronJob {
    pub metadata: Meta,
    pub spec: CronJobSpec,
    pub status: CronJobStatus,
}

/// `spec`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct CronJobSpec {
    pub schedule: String,
    pub suspend: bool,
    pub job_template: JobTemplate,
}

/// `spec.jobTemplate`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct JobTemplate {
    pub spec: JobTemplateSpec,
}

/// `spec.jobTemplate.spec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct JobTemplateSpec {
    pub template: Template,
}

/// `status`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct CronJobStatus {
    pub active: Vec<IgnoredAny>,
    pub last_schedule_time: When,
}
