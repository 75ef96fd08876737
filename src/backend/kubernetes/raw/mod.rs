//! The parts of Kubernetes objects that become rows, decoded straight from what the server sends. Everything else (`managedFields` above
//! all, a third of a pod) is skipped by the decoder and never held. Field names and meanings: Kubernetes API reference.

mod event;
mod node;
mod pod;
mod policy;
mod workload;

pub(super) use event::RawEvent;
pub(super) use node::RawNode;
pub(super) use pod::{Amounts, ContainerSpec, ContainerStatus, PodSpec, RawPod, Resources, Terminated};
pub(super) use policy::{Autoscaler, DisruptionBudget, Selector};
pub(super) use workload::{ControllerRevision, CronJob, DaemonSet, Deployment, Job, ReplicaSet, StatefulSet, Template};

use super::protobuf::shapes::{self, Field, Shape};
use crate::model::Text;
use crate::util::time::Timestamp;
use serde::de::{DeserializeOwned, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// A kind that is listed and watched.
pub(super) trait Listed: DeserializeOwned + Send + 'static {
    /// Path of its list over all namespaces.
    const PATH: &'static str;
    /// Its plural with its group, for words: `deployments.apps`.
    const PLURAL: &'static str;
    /// Whether its objects are in namespaces.
    const NAMESPACED: bool = true;
    /// What its objects look like in Protocol Buffers.
    const SHAPE: &'static [Field];
    /// And a list of them.
    const PAGE: &'static [Field] = &[
        Field { number: 1, name: "metadata", shape: Shape::Message(shapes::LIST_META) },
        Field { number: 2, name: "items", shape: Shape::List(&Shape::Message(Self::SHAPE)) },
    ];
    /// The labels that matter.
    type Labels;
    /// Metadata.
    fn meta(&self) -> &Meta<Self::Labels>;
    /// Metadata, to be changed.
    fn meta_mut(&mut self) -> &mut Meta<Self::Labels>;

    /// Path of its list in one namespace.
    fn path_in(namespace: &str) -> String {
        crate::backend::kubernetes::paths::narrowed(Self::PATH, namespace)
    }
}

/// Text of an object: most of it is short, and then needs no memory of its own.
pub(super) type Str = compact_str::CompactString;

/// All labels of an object.
pub(super) type Labels = BTreeMap<String, String>;

/// `metadata`, with the labels that matter of this kind.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound = "L: Deserialize<'de> + Default")]
pub(super) struct Meta<L = Labels> {
    pub name: Str,
    pub namespace: Str,
    pub uid: Str,
    pub resource_version: Str,
    pub generation: u64,
    pub creation_timestamp: When,
    pub deletion_timestamp: When,
    pub deletion_grace_period_seconds: Option<u64>,
    pub labels: L,
    pub annotations: Annotations,
    pub owner_references: Vec<Owner>,
    pub finalizers: Vec<Str>,
    /// What of the object could not be read, in words.
    #[serde(skip)]
    pub odd: Option<Box<str>>,
}

impl<L> Meta<L> {
    /// The owner that controls the object.
    pub fn controller(&self) -> Option<&Owner> {
        self.owner_references.iter().find(|o| o.controller)
    }

    /// Words of the object's row, behind what of it could not be read.
    pub fn told(&self, words: Option<Text>) -> Option<Text> {
        match (&self.odd, words) {
            (Some(odd), Some(words)) => Some(Text::from(format!("{odd}; {words}"))),
            (Some(odd), None) => Some(Text::new(odd)),
            (None, words) => words,
        }
    }
}

/// The few annotations that matter; all others are skipped.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Annotations {
    /// Number of a Deployment's definition, on it and on its ReplicaSets.
    #[serde(rename = "deployment.kubernetes.io/revision")]
    pub revision: Option<String>,
    /// Earlier numbers of a ReplicaSet that was rolled back to.
    #[serde(rename = "deployment.kubernetes.io/revision-history")]
    pub revision_history: Option<IgnoredAny>,
    /// Helm release.
    #[serde(rename = "meta.helm.sh/release-name")]
    pub helm_release: Option<String>,
    /// Set on pods that mirror a kubelet's static pod.
    #[serde(rename = "kubernetes.io/config.mirror")]
    pub mirror: Option<IgnoredAny>,
}

/// `metadata.ownerReferences[]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Owner {
    pub kind: Str,
    pub uid: Str,
    pub controller: bool,
}

/// `status.conditions[]`, of all kinds.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub kind: Str,
    pub status: Str,
    pub reason: Str,
    pub message: Str,
    pub last_transition_time: When,
}

/// The condition of this type.
pub(super) fn condition<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|c| c.kind == kind)
}

/// A time, in JSON as RFC 3339; none when absent, null or unreadable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct When(pub Option<Timestamp>);

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_option(WhenVisitor)
    }
}

struct WhenVisitor;

impl<'de> Visitor<'de> for WhenVisitor {
    type Value = When;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a time")
    }

    fn visit_none<E>(self) -> Result<When, E> {
        Ok(When(None))
    }

    fn visit_unit<E>(self) -> Result<When, E> {
        Ok(When(None))
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<When, D::Error> {
        from.deserialize_any(self)
    }

    fn visit_str<E>(self, raw: &str) -> Result<When, E> {
        Ok(When(time(raw)))
    }

    // see `Shape::Time`
    fn visit_i128<E>(self, milliseconds: i128) -> Result<When, E> {
        Ok(When(i64::try_from(milliseconds).ok().map(Timestamp)))
    }
}

/// RFC 3339 to milliseconds.
pub(super) fn time(raw: &str) -> Option<Timestamp> {
    raw.parse::<jiff::Timestamp>().ok().map(|t| Timestamp(t.as_millisecond()))
}
