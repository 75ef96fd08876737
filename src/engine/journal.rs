//! Operations that go on where they were after this program has ended, by whatever end.
//!
//! What a stepwise action ([`crate::model::ActionSpec::stepwise`]) has done so far is seen in its cluster: what it would
//! move again is not there any more. So only that it is under way is kept, and which tasks it is about, to tell what became
//! of them; in a file of its own, written before anything is sent and removed when it is over. It has its name only once it is
//! whole, so what is half written was never acted on. Whoever works on it holds the file's lock; the system takes that back
//! when a process dies, and the next program that starts offers the operation as paused. Nothing goes on by itself.

mod step;

use crate::model::{Action, Bound, ClusterId, Intent, Key, Kind, ObjectRef, Operation, Plan, Planned, Text};
use crate::util::time::Timestamp;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
pub(super) use step::Step;
use step::reached;
#[cfg(test)]
pub(super) use step::{STEPS, arm};

/// The name of the format, in each file.
const VERSION: u32 = 1;
/// No record is longer: names are bounded by their platforms, and so are the tasks of a node.
const LONGEST: u64 = 4 << 20;

/// The extension of a file that is not whole yet.
const PART: &str = "part";

/// What is kept of an operation.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    version: u32,
    action: String,
    cluster: String,
    kind: String,
    key: String,
    name: String,
    uid: String,
    spec_rev: u64,
    title: String,
    by: String,
    /// Milliseconds since 1970.
    asked: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<Tasks>,
}

/// See [`Plan`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tasks {
    /// Milliseconds since 1970.
    newest: i64,
    /// Each by its key, its name, its service and its node.
    tasks: Vec<(String, String, Option<String>, Option<String>)>,
}

/// An operation that is kept. Dropping it leaves the file for the next program.
#[derive(Debug)]
pub(super) struct Entry {
    path: PathBuf,
    /// Held locked.
    _file: File,
}

/// An operation that a program before this one left.
pub(super) struct Left {
    /// Held; none where it may only be looked at.
    pub(super) entry: Option<Entry>,
    pub(super) intent: Intent,
    pub(super) title: Text,
    pub(super) by: Text,
    pub(super) asked: Timestamp,
    pub(super) plan: Option<Arc<Plan>>,
}

impl Entry {
    /// Keeps an operation in `folder`, which is made if need be.
    pub(super) fn new(folder: &Path, op: &Operation) -> io::Result<Self> {
        reached(Step::Asked, folder);
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let path = folder.join(format!("{}-{}-{}.json", op.asked.0, std::process::id(), op.id.0));
        let part = path.with_extension(PART);
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&part)?;
        let mut write = || {
            flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            reached(Step::Made, folder);
            file.write_all(&serde_json::to_vec(&Record::of(op))?)?;
            reached(Step::Written, folder);
            file.sync_all()?;
            reached(Step::Synced, folder);
            std::fs::rename(&part, &path)?;
            reached(Step::Named, folder);
            // the name must last as well as what is in the file
            File::open(folder)?.sync_all()?;
            reached(Step::Kept, folder);
            Ok(())
        };
        match write() {
            Ok(()) => Ok(Self { path, _file: file }),
            Err(error) => {
                // whichever of the two there is
                let _ = (std::fs::remove_file(&part), std::fs::remove_file(&path));
                Err(error)
            }
        }
    }

    /// Takes hold of one that nobody works on. What is in it stays as it was written.
    fn take(path: PathBuf) -> Option<Self> {
        let file = OpenOptions::new().read(true).write(true).open(&path).ok()?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
        // whoever held it before may have ended the operation in between
        std::fs::metadata(&path).ok()?;
        Some(Self { path, _file: file })
    }

    /// The operation is over.
    pub(super) fn over(self) {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        reached(Step::Over, folder);
        // one that cannot be removed is offered again, and then there is nothing left for it to do
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!("{} cannot be removed: {error}", self.path.display());
        }
        reached(Step::Forgotten, folder);
    }
}

/// What may be done with the operations that were left in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Nothing: it is no cluster of ours.
    None,
    /// They may be told of, and stay whoever's they are.
    Look,
    /// They are ours now, those that nobody works on.
    Take,
}

/// The operations that were left in `folder`, as far as there is a claim to those of their clusters, oldest first.
pub(super) fn left(folder: &Path, claim: impl Fn(&ClusterId) -> Claim) -> Vec<Left> {
    let Ok(files) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut all = Vec::new();
    for path in files.filter_map(|file| Some(file.ok()?.path())) {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => all.extend(read(path, &claim)),
            Some(PART) => sweep(&path),
            _ => {}
        }
    }
    all.sort_by_key(|left| left.asked);
    all
}

/// Removes what a program wrote that died before it had sent anything.
fn sweep(part: &Path) {
    let Ok(file) = OpenOptions::new().read(true).write(true).open(part) else { return };
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
        && let Err(error) = std::fs::remove_file(part)
    {
        tracing::warn!("{} cannot be removed: {error}", part.display());
    }
}

fn read(path: PathBuf, claim: &impl Fn(&ClusterId) -> Claim) -> Option<Left> {
    let mut text = Vec::new();
    File::open(&path).ok()?.take(LONGEST).read_to_end(&mut text).ok()?;
    let record: Record = match serde_json::from_slice(&text) {
        Ok(record) => record,
        // a later program wrote what this one cannot read
        Err(error) => {
            tracing::warn!("{} is left alone: {error}", path.display());
            return None;
        }
    };
    let plan = record.plan.as_ref().map(|tasks| Arc::new(tasks.read()));
    let (intent, title, by, asked) = record.read()?;
    let entry = match claim(&intent.object.cluster) {
        Claim::None => return None,
        Claim::Look => None,
        Claim::Take => Some(Entry::take(path)?),
    };
    Some(Left { entry, intent, title, by, asked, plan })
}

impl Record {
    fn of(op: &Operation) -> Self {
        let Intent { object, name, action, bound } = &op.intent;
        Self {
            version: VERSION,
            action: action.kind().spec().label.to_owned(),
            cluster: object.cluster.to_string(),
            kind: object.kind.word().to_owned(),
            key: object.key.to_string(),
            name: name.to_string(),
            uid: bound.uid.to_string(),
            spec_rev: bound.spec_rev,
            title: op.title.to_string(),
            by: op.by.to_string(),
            asked: op.asked.0,
            plan: op.plan.as_deref().map(Tasks::of),
        }
    }

    fn read(self) -> Option<(Intent, Text, Text, Timestamp)> {
        let action = Action::STEPWISE.into_iter().find(|action| action.kind().spec().label == self.action)?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == self.kind)?;
        let object = ObjectRef { cluster: ClusterId::new(&self.cluster), kind, key: Key::new(&self.key) };
        let bound = Bound { uid: Key::new(&self.uid), spec_rev: self.spec_rev };
        let intent = Intent { object, name: Text::new(&self.name), action, bound };
        (self.version == VERSION).then(|| (intent, Text::new(&self.title), Text::new(&self.by), Timestamp(self.asked)))
    }
}

impl Tasks {
    fn of(plan: &Plan) -> Self {
        let text = |key: &Option<Key>| key.as_ref().map(ToString::to_string);
        let row = |task: &Planned| (task.key.to_string(), task.name.to_string(), text(&task.service), text(&task.node));
        Self { newest: plan.newest.0, tasks: plan.tasks.iter().map(row).collect() }
    }

    fn read(&self) -> Plan {
        let key = |text: &Option<String>| text.as_deref().map(Key::new);
        let tasks = self.tasks.iter().map(|(of, name, service, node)| Planned {
            key: Key::new(of),
            name: Text::new(name),
            service: key(service),
            node: key(node),
        });
        Plan { tasks: tasks.collect(), newest: Timestamp(self.newest) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::{OpId, OpState, Progress};

    fn plan() -> Arc<Plan> {
        let task = |key: &str, service: Option<&str>| Planned {
            key: key.into(),
            name: "web-0".into(),
            service: service.map(Key::from),
            node: Some("n1".into()),
        };
        Arc::new(Plan { tasks: Box::new([task("t1", Some("web")), task("t2", None)]), newest: Timestamp(900) })
    }

    fn op(id: u64, cluster: &str) -> Operation {
        Operation {
            id: OpId(id),
            intent: Intent {
                object: ObjectRef { cluster: cluster.into(), kind: Kind::Node, key: "n1".into() },
                name: "node-1".into(),
                action: Action::STEPWISE[id as usize % Action::STEPWISE.len()].clone(),
                bound: Bound { uid: "u1".into(), spec_rev: 7 },
            },
            title: "evacuate node-1".into(),
            by: "me@here".into(),
            asked: Timestamp(1_000 - id as i64),
            ended: None,
            state: OpState::Running,
            progress: Progress::default(),
            undo: None,
            plan: (id == 2).then(plan),
        }
    }

    #[test]
    fn what_nobody_works_on_is_found_as_it_was_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("operations");
        let all = |_: &ClusterId| Claim::Take;
        assert!(left(&folder, all).is_empty(), "there is no folder yet");
        let (one, two) = (op(1, "prod"), op(2, "prod"));
        let first = Entry::new(&folder, &one).unwrap();
        let second = Entry::new(&folder, &two).unwrap();
        assert!(left(&folder, all).is_empty(), "both are worked on");
        drop((first, second));
        assert!(left(&folder, |_| Claim::None).is_empty(), "they are of another fleet");
        let seen = left(&folder, |_| Claim::Look);
        assert_eq!(
            seen.iter().map(|left| (left.entry.is_some(), &left.intent)).collect::<Vec<_>>(),
            [(false, &two.intent), (false, &one.intent)]
        );
        let found = left(&folder, all);
        assert_eq!(found.iter().map(|left| &left.intent).collect::<Vec<_>>(), [&two.intent, &one.intent]);
        assert_eq!((&found[0].title, &found[0].by, found[0].asked), (&two.title, &two.by, two.asked));
        assert_eq!(found.iter().map(|left| left.plan.clone()).collect::<Vec<_>>(), [Some(plan()), None]);
        assert!(left(&folder, all).is_empty(), "whoever found them holds them");
        let mut found = found.into_iter();
        found.next().unwrap().entry.unwrap().over();
        drop(found);
        assert_eq!(left(&folder, all).len(), 1, "what is over is gone");
    }

    #[test]
    fn what_is_half_written_is_taken_away_once_nobody_writes_it_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join("1-2-3.part");
        let mut file = File::create(&part).unwrap();
        flock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
        file.write_all(b"{\"version\":1,").unwrap();
        assert!(left(folder.path(), |_| Claim::Take).is_empty());
        assert!(part.exists(), "somebody writes it");
        drop(file);
        assert!(left(folder.path(), |_| Claim::Take).is_empty());
        assert!(!part.exists());
    }

    #[test]
    fn a_file_cut_anywhere_or_of_another_version_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        drop(Entry::new(folder.path(), &op(1, "prod")).unwrap());
        let path = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(left(folder.path(), |_| Claim::Take).is_empty(), "{cut}");
        }
        let later = String::from_utf8(whole).unwrap().replace("\"version\":1", "\"version\":2");
        std::fs::write(&path, later).unwrap();
        assert!(left(folder.path(), |_| Claim::Take).is_empty());
        assert!(path.exists());
    }
}
