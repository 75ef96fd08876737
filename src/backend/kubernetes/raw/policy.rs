//! What stands above services: disruption budgets and autoscalers.

use super::{Labels, Listed, Meta};
use crate::backend::kubernetes::protobuf::shapes::{self, Field};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `policy/v1 PodDisruptionBudget`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct DisruptionBudget {
    pub metadata: Meta,
    pub spec: BudgetSpec,
    pub status: BudgetStatus,
}

impl Listed for DisruptionBudget {
    const PATH: &'static str = "/apis/policy/v1/poddisruptionbudgets";
    const PLURAL: &'static str = "poddisruptionbudgets.policy";
    const SHAPE: &'static [Field] = shapes::DISRUPTION_BUDGET;
    type Labels = Labels;
    fn meta(&self) -> &Meta {
        &self.metadata
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.metadata
    }
}

/// `spec`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct BudgetSpec {
    pub min_available: Option<IntOrText>,
    pub max_unavailable: Option<IntOrText>,
    pub selector: Option<Selector>,
}

/// `status`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct BudgetStatus {
    pub disruptions_allowed: u32,
}

/// `IntOrString`: `2` or `"25%"`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(in super::super) enum IntOrText {
    /// A number of pods.
    Int(i64),
    /// A share of them.
    Text(String),
}

impl std::fmt::Display for IntOrText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(n) => n.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// `LabelSelector`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct Selector {
    pub match_labels: BTreeMap<String, String>,
    pub match_expressions: Vec<Expression>,
}

/// `LabelSelectorRequirement`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Expression {
    pub key: String,
    pub operator: String,
    pub values: Vec<String>,
}

impl Selector {
    /// Whether it selects an object with these labels. An empty selector selects all (Kubernetes docs, "label selectors").
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|e| {
                let value = labels.get(&e.key);
                match e.operator.as_str() {
                    "In" => value.is_some_and(|v| e.values.contains(v)),
                    "NotIn" => value.is_none_or(|v| !e.values.contains(v)),
                    "Exists" => value.is_some(),
                    "DoesNotExist" => value.is_none(),
                    _ => false,
                }
            })
    }
}

/// `autoscaling/v2 HorizontalPodAutoscaler`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Autoscaler {
    pub metadata: Meta,
    pub spec: AutoscalerSpec,
}

impl Listed for Autoscaler {
    const PATH: &'static str = "/apis/autoscaling/v2/horizontalpodautoscalers";
    const PLURAL: &'static str = "horizontalpodautoscalers.autoscaling";
    const SHAPE: &'static [Field] = shapes::AUTOSCALER;
    type Labels = Labels;
    fn meta(&self) -> &Meta {
        &self.metadata
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.metadata
    }
}

/// `spec`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct AutoscalerSpec {
    pub scale_target_ref: ScaleTarget,
    pub min_replicas: Option<u32>,
    pub max_replicas: u32,
}

/// `spec.scaleTargetRef`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct ScaleTarget {
    pub kind: String,
    pub name: String,
}
