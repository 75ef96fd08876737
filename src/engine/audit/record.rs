//! What a record says.

use crate::model::{Action, Cluster, LeftoverKind, OpState, Operation, TaintEdit, Undo};
use crate::util::secrets::without_secrets;
use crate::util::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most characters of a note; the rest of a server's long answer proves nothing more.
const NOTE: usize = 4_000;
/// Most ids of things that one action removes; of more only the number is written.
const IDS: usize = 100;

/// Where whoever asks sits.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The other end of the ssh connection, if there is one.
    pub ssh: Option<String>,
    /// The terminal, if there is one.
    pub tty: Option<String>,
}

/// Where an operation stood when it was written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It is about to be sent.
    Intent,
    /// The platform took it.
    Taken,
    /// It was seen to have happened.
    Done,
    /// It did not happen, or not all of it.
    Failed,
    /// It was stopped for now, and may be gone on with.
    Paused,
    /// It is no longer followed.
    Cancelled,
}

impl Stage {
    /// How an operation that is over ended.
    pub fn of(state: OpState) -> Option<Self> {
        match state {
            OpState::Done => Some(Self::Done),
            OpState::Failed => Some(Self::Failed),
            OpState::Paused => Some(Self::Paused),
            OpState::Cancelled => Some(Self::Cancelled),
            OpState::Queued | OpState::Running | OpState::Verifying => None,
        }
    }

    /// The word in lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Taken => "taken",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Paused => "paused",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One line of the file, without what chains it to the line before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// When, in UTC: `2026-03-01T10:15:00.123Z`.
    pub at: String,
    /// Where the operation stood.
    pub stage: Stage,
    /// The operation: the run of the program and its number there. All records of an operation have the same.
    pub op: String,
    /// Who asked: `user@host`.
    pub by: String,
    /// The other end of the ssh connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<String>,
    /// The terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tty: Option<String>,
    /// Version of this program.
    pub version: String,
    /// The cluster's name.
    pub cluster: String,
    /// Its platform.
    pub platform: String,
    /// Its address, without credentials.
    pub endpoint: String,
    /// What kind of object.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its unique id.
    pub uid: String,
    /// Its specification as the operator saw it.
    pub spec_rev: u64,
    /// What was asked for.
    pub action: String,
    /// With what.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// All of it in words.
    pub title: String,
    /// How it went, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Record {
    pub(super) fn new(stage: Stage, op: &Operation, cluster: Option<&Cluster>, at: Timestamp, run: &str, origin: &Origin) -> Self {
        let intent = &op.intent;
        let note = if stage == Stage::Intent { String::new() } else { op.progress.note.chars().take(NOTE).collect() };
        Self {
            at: jiff::Timestamp::from_millisecond(at.0).map(|at| format!("{at:.3}")).unwrap_or_default(),
            stage,
            op: format!("{run}-{}", op.id.0),
            by: op.by.to_string(),
            ssh: origin.ssh.clone(),
            tty: origin.tty.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            cluster: intent.object.cluster.to_string(),
            platform: cluster.map(|cluster| cluster.kind.word().to_owned()).unwrap_or_default(),
            endpoint: cluster.map(|cluster| without_secrets(&cluster.endpoint)).unwrap_or_default(),
            kind: intent.object.kind.word().to_owned(),
            name: intent.name.to_string(),
            uid: intent.bound.uid.to_string(),
            spec_rev: intent.bound.spec_rev,
            action: intent.action.kind().spec().label.to_owned(),
            parameters: parameters(&intent.action, op.undo.as_ref()),
            title: without_secrets(&op.title),
            note: without_secrets(&note),
        }
    }

    /// When it was written; nothing if it does not say so in a way that can be read.
    pub fn time(&self) -> Option<Timestamp> {
        self.at.parse::<jiff::Timestamp>().ok().map(|at| Timestamp(at.as_millisecond()))
    }
}

/// What an action is asked for with, by name, and what it replaces. Nothing that is secret may ever stand here.
fn parameters(action: &Action, undo: Option<&Undo>) -> BTreeMap<String, serde_json::Value> {
    let mut all = BTreeMap::new();
    match action {
        Action::Scale { to } => {
            all.insert("to".to_owned(), (*to).into());
            if let Some(Undo { action: Action::Scale { to: from }, .. }) = undo {
                all.insert("from".to_owned(), (*from).into());
            }
        }
        Action::DeleteService { propagation } => {
            all.insert("propagation".to_owned(), propagation.word().into());
        }
        Action::RollBack { to } => {
            all.extend(to.map(|to| ("to".to_owned(), to.into())));
        }
        Action::DeleteTask { grace } | Action::ForceDelete { grace } => {
            all.extend(grace.map(|seconds| ("grace".to_owned(), seconds.into())));
        }
        Action::RemoveNode { force } => {
            all.insert("force".to_owned(), (*force).into());
        }
        Action::SetImage { container, image } => {
            all.insert("container".to_owned(), container.as_str().into());
            all.insert("image".to_owned(), without_secrets(image).into());
        }
        Action::Label { edits } => {
            for edit in edits {
                let to = edit.value.as_ref().map_or(serde_json::Value::Null, |value| without_secrets(value).into());
                all.insert(format!("label {}", edit.key), to);
            }
        }
        Action::Taint { edits } => {
            all.insert("taints".to_owned(), edits.iter().map(TaintEdit::words).collect());
        }
        Action::Prune { volumes, seen } => {
            all.insert("volumes".to_owned(), volumes.word().into());
            for kind in LeftoverKind::ALL.into_iter().filter(|kind| volumes.take(*kind)) {
                let ids: Vec<&str> = seen.iter().filter(|one| one.kind == kind).map(|one| one.id.as_str()).collect();
                match ids.len() {
                    0 => {}
                    1..=IDS => drop(all.insert(kind.words().1.to_owned(), ids.into())),
                    many => drop(all.insert(kind.words().1.to_owned(), many.into())),
                }
            }
        }
        Action::RotateToken { managers, version } => {
            all.insert("of".to_owned(), if *managers { "managers" } else { "workers" }.into());
            all.extend(version.map(|version| ("swarm_version".to_owned(), version.into())));
        }
        Action::Redeploy { pull } => drop(pull.then(|| all.insert("pull".to_owned(), true.into()))),
        Action::Rebalance
        | Action::Reschedule
        | Action::Pause
        | Action::Activate
        | Action::Evacuate
        | Action::Drain
        | Action::Start
        | Action::Stop
        | Action::Restart
        | Action::Kill
        | Action::Hold
        | Action::Resume
        | Action::Promote
        | Action::Demote
        | Action::Trigger => {}
    }
    all
}
