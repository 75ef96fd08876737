//! Since when something has been in trouble, over the short moments in which it looked well: a Swarm makes a new task every
//! few seconds for one that cannot run, each of them young, while the service has been down for an hour.

use crate::model::{ClusterId, Finding, Key, Level};
use crate::util::time::Timestamp;
use std::collections::HashMap;
use std::time::Duration;

/// Trouble that comes back within this time has not been away.
const GAP: Duration = Duration::from_secs(60);

/// The spells of trouble of all objects.
#[derive(Debug, Default)]
pub(super) struct Spells(HashMap<(ClusterId, Key), Both>);

/// Failing begins anew where a warning comes before it, so it is counted by itself.
#[derive(Debug, Default)]
struct Both {
    any: Spell,
    failing: Spell,
}

#[derive(Debug, Default)]
struct Spell {
    since: Timestamp,
    seen: Timestamp,
}

impl Spell {
    fn goes_on(&mut self, since: Timestamp, now: Timestamp) -> Timestamp {
        self.since = if now.since(self.seen) > GAP { since } else { self.since.min(since) };
        self.seen = now;
        self.since
    }
}

impl Spells {
    /// The finding with the beginning of its spell for its age. A cluster's own is left alone: how long its link has been
    /// away this time is what the header says, too.
    pub(super) fn age(&mut self, cluster: &ClusterId, mut finding: Finding, now: Timestamp) -> Finding {
        if let (Some(since), Some(_)) = (finding.since, &finding.object) {
            let both = self.0.entry((cluster.clone(), finding.key.clone())).or_default();
            let any = both.any.goes_on(since, now);
            finding.since = Some(match finding.level {
                Level::Failing => both.failing.goes_on(since, now),
                Level::Warning => any,
            });
        }
        finding
    }

    /// Forgets what is over.
    pub(super) fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, both| now.since(both.any.seen) <= GAP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::NOW;
    use crate::model::{Kind, Text};

    /// Seconds after which trouble was found, how bad, and the age its facts give it; then the age it must have.
    fn spell(steps: &[(u64, Level, u64, u64)]) {
        let mut spells = Spells::default();
        for (after, level, young, want) in steps {
            let now = Timestamp(NOW.0 + (*after as i64) * 1_000);
            let web = Key::from("web");
            let found = Finding {
                key: Finding::key_of(Some((Kind::Service, &web))),
                object: Some((Kind::Service, web)),
                level: *level,
                subject: Text::default(),
                headline: Text::default(),
                why: Text::default(),
                extra: Text::default(),
                since: Some(now.minus(Duration::from_secs(*young))),
            };
            spells.forget(now);
            let aged = spells.age(&ClusterId::from("c"), found, now);
            assert_eq!(now.since(aged.since.unwrap_or_default()), Duration::from_secs(*want), "after {after} s");
        }
    }

    #[test]
    fn trouble_is_as_old_as_its_spell() {
        use Level::{Failing, Warning};
        // each new task is young, the trouble is not
        spell(&[(0, Failing, 3, 3), (5, Failing, 1, 8), (10, Failing, 2, 13), (40, Failing, 0, 43)]);
        // up for a moment between two crashes, and a warning meanwhile
        spell(&[(0, Failing, 0, 0), (4, Warning, 4, 4), (8, Failing, 0, 8), (12, Warning, 4, 12)]);
        // it broke after it had been a warning for long
        spell(&[(0, Warning, 600, 600), (30, Failing, 2, 2), (50, Failing, 0, 22)]);
        // it was well for long
        spell(&[(0, Failing, 3, 3), (90, Failing, 1, 1)]);
        // the platform knows of an older beginning
        spell(&[(0, Failing, 3, 3), (5, Failing, 300, 300)]);
    }
}
