//! The scenario file: which clusters the simulated fleet has, what runs in them, and what happens when.
//!
//! Times are written from the opening of the demo: what happens at `-4m` has been going on for four minutes when the first
//! frame is drawn.

use super::amount::{Count, Cpu, Memory, Span};
use super::story::HappeningPlan;
use crate::config::Problem;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use toml::Spanned;

/// A whole fleet.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Clusters in the order they are shown.
    #[serde(rename = "cluster", default)]
    pub clusters: Vec<ClusterPlan>,
}

/// One cluster.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterPlan {
    /// Name in the fleet.
    pub name: Spanned<String>,
    /// Platform.
    pub kind: PlatformKind,
    /// Server version.
    pub version: String,
    /// Address shown.
    pub endpoint: String,
    /// Raises the danger of every action.
    #[serde(default)]
    pub protected: bool,
    /// Images that no registry has.
    #[serde(default)]
    pub missing_images: Vec<String>,
    /// Machines.
    #[serde(rename = "node", default)]
    pub nodes: Vec<NodePlan>,
    /// What is kept running.
    #[serde(rename = "service", default)]
    pub services: Vec<ServicePlan>,
    /// What happens.
    #[serde(rename = "happening", default)]
    pub happenings: Vec<HappeningPlan>,
}

/// Which platform a simulated cluster behaves like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the platforms' own names")]
pub enum PlatformKind {
    Kubernetes,
    Swarm,
    Docker,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodePlan {
    /// Name.
    pub name: Spanned<String>,
    /// Zone label.
    pub zone: Option<String>,
    /// `worker`, `control-plane`, `leader`, `manager`, `engine`.
    #[serde(default = "worker")]
    pub role: String,
    /// Cpu it gives to tasks.
    pub cpu: Cpu,
    /// Memory it gives to tasks.
    pub memory: Memory,
    /// Most tasks it takes.
    pub max_tasks: Option<u32>,
    /// Labels that constraints speak of.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// How long ago it joined.
    #[serde(default = "month")]
    pub age: Span,
}

fn worker() -> String {
    "worker".to_owned()
}

fn month() -> Span {
    Span(30 * 86_400_000)
}

/// What is kept running.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServicePlan {
    /// Name; in a Swarm with the stack's prefix.
    pub name: Spanned<String>,
    /// Namespace, Swarm stack or Compose project; empty for none.
    #[serde(default)]
    pub namespace: String,
    /// Sort of service.
    pub kind: Spanned<WorkloadKind>,
    /// Image.
    pub image: String,
    /// Tasks wanted.
    #[serde(default = "one")]
    pub tasks: u32,
    /// What its tasks set aside.
    #[serde(default)]
    pub cpu: Cpu,
    /// The same for memory.
    #[serde(default)]
    pub memory: Memory,
    /// Most memory a task may use; none is no limit.
    pub memory_limit: Option<Memory>,
    /// What it does: decides its logs and how it uses the machine.
    #[serde(default)]
    pub profile: Profile,
    /// Stack it belongs to.
    pub stack: Option<String>,
    /// Number of the running definition.
    #[serde(default = "one_revision")]
    pub revision: u64,
    /// Image of the definition before; what a roll back goes to.
    pub previous_image: Option<String>,
    /// Tasks above the wanted number during a rollout.
    pub max_surge: Option<Count>,
    /// Tasks below it.
    pub max_unavailable: Option<Count>,
    /// After how long without progress a rollout is given up.
    #[serde(default = "deadline")]
    pub progress_deadline: Span,
    /// Disruption budget.
    pub budget: Option<BudgetPlan>,
    /// Autoscaler bounds.
    pub autoscale: Option<AutoscalePlan>,
    /// Swarm update settings.
    #[serde(default)]
    pub update: UpdatePlan,
    /// Placement: `node.labels.ssd == true`.
    pub constraint: Option<Spanned<String>>,
    /// Published ports in words.
    pub ports: Option<String>,
    /// Age.
    #[serde(default = "month")]
    pub age: Span,
    /// How often a CronJob runs.
    pub every: Option<Span>,
    /// How long a job takes.
    pub takes: Option<Span>,
    /// When it was deployed for the first time, from the opening; none is long ago.
    pub deployed: Option<Span>,
    /// Restarts its tasks have behind them.
    #[serde(default)]
    pub restarts: u32,
    /// A container that was stopped by hand before the opening.
    #[serde(default)]
    pub stopped: bool,
    /// Time from start to ready.
    #[serde(default = "five_seconds")]
    pub warm_up: Span,
}

pub(super) fn one() -> u32 {
    1
}

fn one_revision() -> u64 {
    1
}

fn deadline() -> Span {
    Span(600_000)
}

fn five_seconds() -> Span {
    Span(5_000)
}

/// As [`crate::model::ServiceKind`]; which of them a platform has is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the platforms' own names")]
pub enum WorkloadKind {
    Deployment,
    Statefulset,
    Daemonset,
    Cronjob,
    Replicated,
    Global,
    Compose,
    Container,
}

/// What a service does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "plain words")]
pub enum Profile {
    #[default]
    Http,
    Proxy,
    Database,
    Cache,
    Queue,
    Worker,
    Agent,
    Batch,
}

/// A disruption budget: exactly one of the two.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetPlan {
    /// Tasks that must stay ready.
    pub min_available: Option<Count>,
    /// Tasks that may be missing.
    pub max_unavailable: Option<Count>,
}

/// Between which bounds an autoscaler moves the number of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoscalePlan {
    /// At least.
    pub min: u32,
    /// At most.
    pub max: u32,
}

/// Swarm `UpdateConfig`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpdatePlan {
    /// Tasks replaced at once.
    pub parallelism: u32,
    /// Pause between them.
    pub delay: Span,
    /// Whether the new task starts before the old one stops.
    pub start_first: bool,
    /// What a failing update does.
    pub on_failure: OnFailure,
}

impl Default for UpdatePlan {
    fn default() -> Self {
        Self { parallelism: 1, delay: Span(0), start_first: false, on_failure: OnFailure::Pause }
    }
}

/// Swarm `FailureAction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "Swarm's own words")]
pub enum OnFailure {
    Pause,
    Continue,
    Rollback,
}

/// The scenario that `--demo` opens.
const DEMO: &str = include_str!("../../../assets/demo.toml");

/// The scenario of `--demo`.
///
/// # Errors
/// None in a released build: a test reads it.
pub fn demo_scenario() -> Result<Scenario, Problem> {
    Scenario::parse(None, DEMO)
}

impl Scenario {
    /// Reads a scenario; every problem names its line and column.
    ///
    /// # Errors
    /// The first thing that is wrong in the file.
    pub fn parse(file: Option<PathBuf>, text: &str) -> Result<Self, Problem> {
        let scenario: Self = toml::from_str(text).map_err(|e| Problem::toml(file.clone(), text, &e))?;
        scenario.check(file.as_ref(), text)?;
        Ok(scenario)
    }
}
