//! What Quarterdeck knows: backend-neutral records, the changes to them, and the one store that holds them.
//!
//! Pure and synchronous: no tokio, no ratatui, no kube. Every backend fills the same records, every pane reads them.
//! Facts arrive as [`Fact`]s, [`Store`] is their only writer, and [`World`] is the immutable picture it publishes.
//! What a person asks for is an [`Intent`] (an [`Action`] bound to one object), and it lives on as an [`Operation`].

mod action;
mod cluster;
mod event;
mod fact;
mod finding;
mod id;
mod join;
mod label;
mod leftover;
mod log;
mod node;
mod operation;
mod request;
mod service;
mod store;
mod survey;
mod table;
mod tally;
mod task;
mod text;
mod usage;
mod world;

pub use action::{Action, ActionKind, ActionSpec, Bound, Capabilities, Danger, Intent, Propagation};
pub use cluster::{Cluster, ClusterKind, KindSync, Link};
pub use event::{Event, Severity};
pub use fact::{Change, Delta, Fact};
pub use finding::{Finding, Level};
pub use id::{ClusterId, Key, Kind, ObjectRef, OpId, TailId};
pub use join::{Join, Secret};
pub use label::{Effect, LabelEdit, Taint, TaintEdit};
pub use leftover::{Leftover, LeftoverKind, Volumes};
pub use log::{LogBuffer, LogItem, LogLine, LogTarget, Stream, Tail, TailState};
pub use node::{Availability, Node, NodeState};
pub use operation::{Expect, OpState, Operation, Plan, Planned, Progress, Undo};
pub use request::{AT_ONCE, Interest, Request};
pub use service::{Autoscaler, Budget, Earlier, Rollout, RolloutState, Service, ServiceKind, UpdateStrategy};
pub use store::Store;
pub use survey::{Answer, Distance, Found, Pull, Survey};
pub use table::{Keyed, Table};
pub use task::{Ending, Task, TaskState};
pub use text::Text;
pub use usage::{Resources, Sample, Series, Usage};
pub use world::{ClusterState, Document, NodeLoad, Notice, Rights, ServiceLoad, Shortfall, World};
