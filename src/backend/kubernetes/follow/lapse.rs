//! Rows that are no longer followed are not shown as current for long: a watch that cannot be begun again, for whatever
//! reason, is said before they are 15 s old.

use super::Step;
use super::kind::Kind;
use crate::model::Text;
use parking_lot::Mutex;
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How long nothing is said: most watches that break are there again within a second.
const LAPSE: Duration = Duration::from_secs(10);

/// Whether what was listed is followed.
#[derive(Debug, Default)]
pub(super) struct Lapse {
    /// Since when rows that count as current are not followed.
    since: watch::Sender<Option<Instant>>,
    /// What went wrong last.
    why: Mutex<String>,
    /// It was said, and only a list takes that back.
    said: AtomicBool,
}

impl Lapse {
    /// All was listed: what was said before is taken back with the end of the list.
    pub fn listed(&self) {
        self.said.store(false, SeqCst);
        self.why.lock().clear();
    }

    /// From here on rows count as current, and are not followed yet.
    pub fn begin(&self) {
        self.since.send_replace(Some(Instant::now()));
    }

    /// Why it is not followed.
    pub fn because(&self, why: &str) {
        why.clone_into(&mut self.why.lock());
    }

    /// It was said otherwise that the rows are not current.
    pub fn said(&self) {
        self.since.send_replace(None);
    }

    /// Whether it was said here that the rows are not current, so that they have to be listed anew.
    pub fn was_said(&self) -> bool {
        self.said.load(SeqCst)
    }

    /// All is followed once so many watches have begun, until the value is dropped.
    pub fn following(&self, watches: usize) -> Following<'_> {
        Following { lapse: self, missing: AtomicUsize::new(watches) }
    }

    /// Says it when its time has come, for ever.
    pub async fn say(&self, kind: &dyn Kind) {
        let mut since = self.since.subscribe();
        loop {
            let now = *since.borrow_and_update();
            let due = now.map(|since| since + LAPSE);
            tokio::select! {
                _ = since.changed() => continue,
                () = async { match due { Some(due) => sleep_until(due).await, None => pending().await } } => {}
            }
            if !kind.room().await {
                return;
            }
            // a list may have become whole meanwhile
            if *self.since.borrow() == now {
                self.since.send_replace(None);
                self.said.store(true, SeqCst);
                let why = self.why.lock().clone();
                let why = if why.is_empty() { "the server does not answer".to_owned() } else { why };
                let kept = LAPSE.as_secs();
                kind.say_now(Step::Failed(Text::from(format!("{}: not followed for {kept} s: {why}", kind.plural()))));
            }
        }
    }
}

/// See [`Lapse::following`].
#[derive(Debug)]
pub(super) struct Following<'a> {
    lapse: &'a Lapse,
    missing: AtomicUsize,
}

impl Following<'_> {
    /// One more watch has begun. Returns whether all have now; none if it came too late.
    pub fn one_more(&self) -> Option<bool> {
        if self.lapse.was_said() {
            return None;
        }
        let all = self.missing.fetch_sub(1, SeqCst) == 1;
        if all {
            self.lapse.since.send_replace(None);
        }
        Some(all)
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        if self.missing.load(SeqCst) == 0 && !self.lapse.was_said() {
            self.lapse.begin();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::super::kind::Of;
    use super::*;
    use crate::backend::kubernetes::raw::RawPod;
    use tokio::sync::mpsc;
    use tokio::time::{advance, sleep};

    #[tokio::test(start_paused = true)]
    async fn rows_that_are_not_followed_are_said_to_be_old_in_time_and_not_before() {
        let lapse = std::sync::Arc::new(Lapse::default());
        let (out, mut steps) = mpsc::channel::<Vec<Step<RawPod>>>(4);
        let saying = std::sync::Arc::clone(&lapse);
        tokio::spawn(async move { saying.say(&Of(out)).await });
        let quiet = async |steps: &mut mpsc::Receiver<Vec<Step<RawPod>>>, seconds| {
            sleep(Duration::from_secs(seconds)).await;
            assert!(steps.try_recv().is_err());
        };
        quiet(&mut steps, 60).await;
        lapse.listed();
        lapse.begin();
        quiet(&mut steps, 9).await;
        let following = lapse.following(2);
        assert_eq!((following.one_more(), following.one_more()), (Some(false), Some(true)));
        quiet(&mut steps, 60).await;
        drop(following);
        // another try, of which only one of two begins
        quiet(&mut steps, 5).await;
        let half = lapse.following(2);
        assert_eq!(half.one_more(), Some(false));
        drop(half);
        quiet(&mut steps, 4).await;
        lapse.because("the server is too busy");
        advance(Duration::from_millis(1_500)).await;
        match steps.recv().await.unwrap().as_slice() {
            [Step::Failed(why)] => assert_eq!(why.as_str(), "pods: not followed for 10 s: the server is too busy"),
            other => panic!("{other:?}"),
        }
        // a watch that begins now comes too late, until there is a list
        assert!(lapse.was_said() && lapse.following(1).one_more().is_none());
        quiet(&mut steps, 60).await;
        lapse.listed();
        assert!(!lapse.was_said() && lapse.following(1).one_more() == Some(true));
        // what was said otherwise is not said again
        lapse.said();
        quiet(&mut steps, 60).await;
    }
}
