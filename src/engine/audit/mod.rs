//! What was done is on record: every action that leaves this process is written down before it leaves, and so is what
//! became of it.
//!
//! | part | owns |
//! |---|---|
//! | [`record`] | what a record says |
//! | [`chain`] | the files: a record a line, each with the hash of the one before it |
//! | [`verify`] | reading them, and where the chain breaks |
//!
//! The chain shows that a record in its middle was changed, taken out or put in. It cannot show that its newest records
//! were cut off, nor stop whoever may write the files from making the whole chain anew: a copy elsewhere does that.

mod chain;
mod record;
#[cfg(test)]
mod tests;
mod verify;

pub use chain::Chain;
pub use record::{Origin, Record, Stage};
pub use verify::{Broken, Line, Verified, lines, verify};

use crate::model::{Cluster, Operation};
use crate::util::time::Timestamp;
use std::future::Future;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use tokio::sync::oneshot;

/// Records that may wait for the disk; more are refused in words.
const WAITING: usize = 512;

type Written = Result<(), String>;
type Job = (Record, oneshot::Sender<Written>);

/// The one that writes, on a thread of its own: records come to the file in the order they were handed over, however
/// long the disk takes, and whoever waits for one may stop waiting.
#[derive(Debug)]
pub struct Audit {
    jobs: SyncSender<Job>,
    origin: Origin,
    /// Tells operations of this process from those of others.
    run: String,
}

impl Audit {
    /// Writes into `folder`, which is made when the first record is.
    pub fn new(folder: &Path, origin: Origin) -> Self {
        let (jobs, waiting) = sync_channel(WAITING);
        let chain = Chain::new(folder);
        // without a thread nobody takes records, and each is refused
        let _ = std::thread::Builder::new().name("audit".into()).spawn(move || write(&chain, &waiting));
        Self { jobs, origin, run: format!("{:x}-{}", Timestamp::now().0, std::process::id()) }
    }

    /// Hands over a record of where `op` stands. It is on the disk once the answer is `Ok`; an error is a sentence.
    pub(super) fn record(
        &self,
        stage: Stage,
        op: &Operation,
        cluster: Option<&Cluster>,
        at: Timestamp,
    ) -> impl Future<Output = Written> + Send + use<> {
        let (done, answer) = oneshot::channel();
        let record = Record::new(stage, op, cluster, at, &self.run, &self.origin);
        let handed = self.jobs.try_send((record, done));
        async move {
            match handed {
                Ok(()) => answer.await.unwrap_or_else(|_| Err("whoever writes the audit file has ended".to_owned())),
                Err(TrySendError::Full(_)) => Err("the audit file takes too long to be written".to_owned()),
                Err(TrySendError::Disconnected(_)) => Err("nobody is there to write the audit file".to_owned()),
            }
        }
    }
}

fn write(chain: &Chain, waiting: &Receiver<Job>) {
    while let Ok((record, done)) = waiting.recv() {
        let written = chain.append(&record);
        if let Err(words) = &written {
            tracing::error!("{words}");
        }
        // whoever asked may have stopped waiting
        let _ = done.send(written);
    }
}
