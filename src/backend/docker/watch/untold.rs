//! What a list found that no event had told of. The list has put it right by then; but who relies on these rows should know
//! that what tells of changes leaves some out.

use super::hints::Stale;
use crate::backend::difference::counted;
use crate::model::{ClusterId, Text};
use std::collections::HashMap;
use std::future::pending;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How long an event may take that a list came before.
const LATE: Duration = Duration::from_secs(5);
/// How long an event explains what a list finds: the next list of everything is there by then.
const EXPLAINS: Duration = Duration::from_secs(60);

/// What is compared of the objects of one list, by ID: what only changes when there is an event.
pub type Compared = HashMap<String, String>;

/// In which way an object is not what was held of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Differs {
    New,
    Changed,
    Gone,
}

/// See the module's description. Of one list.
#[derive(Debug, Default)]
pub struct Untold {
    held: Option<Compared>,
    /// Of which objects events told, and when. No name: they may have left out anything.
    told: HashMap<Option<String>, Instant>,
    /// What no event has told of yet.
    found: HashMap<String, Differs>,
    /// When none will any more.
    due: Option<Instant>,
}

impl Untold {
    /// What events told of.
    pub fn told(&mut self, stale: &Stale) {
        let now = Instant::now();
        self.told.retain(|_, at| now - *at < EXPLAINS);
        self.told.extend(stale.objects.iter().map(|id| (Some(id.clone()), now)));
        if stale.everything {
            self.told.insert(None, now);
        }
        self.found.retain(|id, _| !explained(&self.told, id));
        if self.found.is_empty() {
            self.due = None;
        }
    }

    /// The list was read.
    pub fn read(&mut self, now: Compared) {
        let Some(mut before) = self.held.replace(now) else { return };
        let now = self.held.iter().flatten();
        let differs = now.filter_map(|(id, value)| match before.remove(id) {
            Some(held) if held == *value => None,
            Some(_) => Some((id.clone(), Differs::Changed)),
            None => Some((id.clone(), Differs::New)),
        });
        let mut found: Vec<(String, Differs)> = differs.collect();
        found.extend(before.into_keys().map(|id| (id, Differs::Gone)));
        found.retain(|(id, _)| !explained(&self.told, id));
        if !found.is_empty() {
            self.due.get_or_insert_with(|| Instant::now() + LATE);
            self.found.extend(found);
        }
    }

    /// Waits until no event will tell any more of what was found.
    pub async fn due(&self) {
        match self.due {
            Some(due) => sleep_until(due).await,
            None => pending().await,
        }
    }

    /// What no event has told of, once. Nothing before it is due.
    pub fn take(&mut self, cluster: &ClusterId, kind: &str) -> Option<Text> {
        self.due.take_if(|due| *due <= Instant::now())?;
        let found = std::mem::take(&mut self.found);
        let count = |which| found.values().filter(|differs| **differs == which).count();
        let counted = counted(count(Differs::New), count(Differs::Changed), count(Differs::Gone));
        Some(Text::from(format!("{cluster}: the events of {kind} had left something out ({counted}): it is listed by now")))
    }
}

fn explained(told: &HashMap<Option<String>, Instant>, id: &str) -> bool {
    told.contains_key(&None) || told.contains_key(&Some(id.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::time::{advance, timeout};

    fn list(of: &[(&str, &str)]) -> Compared {
        of.iter().map(|(id, state)| ((*id).to_owned(), (*state).to_owned())).collect()
    }

    fn about(ids: &[&str]) -> Stale {
        Stale { objects: ids.iter().map(|id| (*id).to_owned()).collect(), ..Stale::default() }
    }

    async fn is_due(untold: &Untold) -> bool {
        timeout(Duration::from_millis(1), untold.due()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn what_no_event_tells_of_in_time_is_said_once_and_what_one_tells_of_is_not() {
        let mut untold = Untold::default();
        untold.read(list(&[("a", "running"), ("b", "running"), ("c", "running")]));
        assert!(!is_due(&untold).await, "a first list differs from nothing");
        untold.told(&about(&["a"]));
        untold.read(list(&[("a", "exited"), ("b", "exited"), ("d", "running"), ("e", "running")]));
        assert!(!is_due(&untold).await && untold.take(&"shop".into(), "containers").is_none(), "an event may be on its way");
        advance(LATE / 2).await;
        untold.told(&about(&["e"]));
        advance(LATE / 2).await;
        assert!(is_due(&untold).await);
        let words = untold.take(&"shop".into(), "containers").unwrap();
        assert!(words.contains("shop: the events of containers had left something out (1 new, 1 changed, 1 gone)"), "{words}");
        assert!(!is_due(&untold).await && untold.take(&"shop".into(), "containers").is_none());
        untold.read(list(&[("a", "exited"), ("b", "exited"), ("d", "running"), ("e", "running")]));
        assert!(!is_due(&untold).await, "it is held by now");
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_explains_what_the_next_lists_show_and_a_gap_explains_all() {
        let mut untold = Untold::default();
        untold.read(list(&[("a", "running")]));
        untold.told(&about(&["a"]));
        advance(EXPLAINS / 2).await;
        untold.read(list(&[("a", "exited")]));
        assert!(!is_due(&untold).await);
        advance(EXPLAINS).await;
        untold.told(&Stale::all());
        untold.read(list(&[]));
        assert!(!is_due(&untold).await);
        advance(EXPLAINS).await;
        untold.told(&about(&[]));
        untold.read(list(&[("a", "running")]));
        advance(LATE).await;
        assert!(is_due(&untold).await, "an old event explains nothing");
        untold.told(&Stale::all());
        assert!(!is_due(&untold).await, "a gap that is known of is told of otherwise");
    }
}
