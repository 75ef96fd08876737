//! What a scenario file says happens: which deed, on what, when, how often.

use super::amount::Span;
use super::scenario::one;
use serde::Deserialize;
use toml::Spanned;

/// Something that happens, once or again and again. Exactly one of the tables from `rollout` on says what.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HappeningPlan {
    /// The first time, from the opening.
    pub at: Spanned<Span>,
    /// How long after the start of one the next begins; none for only once.
    pub every: Option<Span>,
    /// By how much each repeat is moved either way by chance.
    #[serde(default)]
    pub jitter: Span,
    /// On which services (`namespace/name`) or nodes: the first time on the first, then on one by chance.
    #[serde(default)]
    pub on: Vec<Spanned<String>>,
    /// A new image or placement for a service.
    pub rollout: Option<RolloutPlan>,
    /// A node stops answering.
    pub node_silent: Option<ForPlan>,
    /// A node reports a pressure.
    pub node_pressure: Option<PressurePlan>,
    /// Tasks of a service grow until they are killed.
    pub memory_leak: Option<LeakPlan>,
    /// Tasks of a service exit again and again.
    pub crash: Option<CrashPlan>,
    /// Tasks of a service run and do not take work.
    pub unready: Option<ForTasksPlan>,
    /// A label of a node changes.
    pub label: Option<LabelPlan>,
    /// The cluster cannot be reached.
    pub link_cut: Option<CutPlan>,
    /// Someone scales a service.
    pub scale: Option<ScalePlan>,
}

/// A new definition.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "as in ServicePlan")]
pub struct RolloutPlan {
    pub image: String,
}

/// How long.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "plain words")]
pub struct ForPlan {
    pub lasts: Span,
}

/// How long, and how many tasks it hits.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "plain words")]
pub struct ForTasksPlan {
    pub lasts: Span,
    #[serde(default = "one")]
    pub tasks: u32,
}

/// Which pressure, how long.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "plain words")]
pub struct PressurePlan {
    pub what: String,
    pub lasts: Span,
}

/// How fast tasks grow to their limit, and how long this goes on.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "plain words")]
pub struct LeakPlan {
    pub full_after: Span,
    pub lasts: Span,
    #[serde(default = "one")]
    pub tasks: u32,
}

/// How tasks end, and how long this goes on.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "plain words")]
pub struct CrashPlan {
    pub exit: i32,
    pub after: Span,
    pub says: String,
    pub lasts: Span,
    #[serde(default = "one")]
    pub tasks: u32,
}

/// Which label, to what; it is taken away again after `lasts`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "plain words")]
pub struct LabelPlan {
    pub key: String,
    pub value: String,
    pub lasts: Span,
}

/// How long, and what the operator is told.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "plain words")]
pub struct CutPlan {
    pub lasts: Span,
    pub reason: String,
}

/// To how many.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "plain words")]
pub struct ScalePlan {
    pub tasks: u32,
}
