//! What a simulated engine has that nothing uses, and the tokens that a simulated swarm is joined with.

use super::actions::Begun;
use super::chance;
use super::platform::Platform;
use crate::backend::BackendError;
use crate::model::{ActionKind, Expect, Found, Key, Leftover, LeftoverKind, Secret, Text, Volumes};
use std::sync::Arc;

/// What lies about on every engine that people work with: names, and sizes in MiB.
const LYING: [(LeftoverKind, &str, u64); 11] = [
    (LeftoverKind::Network, "blog_default", 0),
    (LeftoverKind::Network, "trial_net", 0),
    (LeftoverKind::Image, "1", 412),
    (LeftoverKind::Image, "2", 97),
    (LeftoverKind::Image, "3", 1_180),
    (LeftoverKind::Cache, "4", 240),
    (LeftoverKind::Cache, "5", 61),
    (LeftoverKind::Cache, "6", 733),
    (LeftoverKind::Volume, "7", 18),
    (LeftoverKind::NamedVolume, "blog_pgdata", 2_310),
    (LeftoverKind::NamedVolume, "trial_cache", 4),
];
const HEX: &[u8] = b"0123456789abcdef";
const DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

impl Platform {
    /// See [`crate::backend::Backend::survey`].
    pub(super) fn survey(&self, of: &Key, action: ActionKind) -> Result<Found, BackendError> {
        match action {
            ActionKind::Prune => Ok(Found::Leftovers(self.leftovers().into())),
            ActionKind::RotateToken => Ok(Found::Swarm(self.swarm_version())),
            ActionKind::Redeploy => Ok(Found::Pulls(Arc::default())),
            ActionKind::RollBack => Ok(Found::Earlier(self.differences(of).into())),
            _ => Err(BackendError::Unsupported(format!("there is nothing to ask before one can {}", action.spec().label))),
        }
    }

    fn leftovers(&self) -> Vec<Leftover> {
        let stopped = self.instances.values().filter(|instance| instance.phase.ended());
        let stopped = stopped.map(|one| (LeftoverKind::Container, one.key.clone(), one.name.clone(), 3 << 10));
        let lying = LYING.iter().map(|(kind, name, mib)| {
            let id = match kind {
                LeftoverKind::NamedVolume => (*name).to_owned(),
                _ => chance::word(chance::mix(self.seed, chance::of_text(name)), 64, HEX),
            };
            let shown = if name.len() > 1 { (*name).to_owned() } else { id.chars().take(12).collect() };
            (*kind, Key::new(&id), Text::from(shown), mib << 20)
        });
        let all = stopped.chain(lying).filter(|(_, id, ..)| !self.swept.contains(id));
        all.map(|(kind, id, name, size)| Leftover { kind, id, made: None, name, size }).collect()
    }

    /// Removes what was seen and is still unused.
    pub(super) fn prune(&mut self, volumes: Volumes, seen: &[Leftover]) -> Begun {
        let now = self.leftovers();
        let wanted: Vec<&Leftover> = seen.iter().filter(|one| volumes.take(one.kind)).collect();
        let going: Vec<&Leftover> = wanted.iter().filter(|one| now.iter().any(|other| one.is(other))).copied().collect();
        let back: u64 = going.iter().map(|one| one.size).sum();
        let mut gone = Vec::new();
        for one in &going {
            let container = self.instances.values().find(|instance| instance.key == one.id);
            match container.map(|instance| (instance.id, instance.workload)) {
                Some((id, workload)) => {
                    self.discard(id, workload);
                    gone.push(one.id.clone());
                }
                None => {
                    self.swept.insert(one.id.clone());
                }
            }
        }
        let mut note = format!("{} of {} removed, the engine holds ", going.len(), wanted.len());
        crate::util::humanize::bytes(&mut note, back);
        note.push_str(" less");
        Begun::Taken(Expect::Seen { gone: gone.into(), whole: true, note: note.into() })
    }

    fn swarm_version(&self) -> u64 {
        11 + u64::from(self.rotated[0]) + u64::from(self.rotated[1])
    }

    /// The token that a node joins with; it stands for nothing.
    pub(super) fn token(&self, managers: bool) -> Result<(Secret, Text), BackendError> {
        let leader = self.hosts.values().find(|host| host.role.as_str() == "leader");
        let address = leader.map(|host| Text::from(format!("{}:2377", host.address))).unwrap_or_default();
        let times = self.rotated[usize::from(managers)];
        let word = |n: u64, len| chance::word(chance::mix(self.seed, n + u64::from(times) * 2 + u64::from(managers)), len, DIGITS);
        Ok((Secret::new(&format!("SWMTKN-1-{}-{}", word(1 << 20, 50), word(1 << 30, 25))), address))
    }

    pub(super) fn rotate(&mut self, managers: bool, version: Option<u64>) -> Option<Begun> {
        if version != Some(self.swarm_version()) {
            return None;
        }
        self.rotated[usize::from(managers)] += 1;
        let (who, other) = if managers { ("managers", "workers") } else { ("workers", "managers") };
        let note = format!("{who} join with another token now; that of {other} is as it was").into();
        Some(Begun::Taken(Expect::Seen { gone: Box::default(), whole: true, note }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::super::testing::{Bench, ENGINE, SWARM};
    use super::*;
    use crate::model::{Action, Kind};
    use std::sync::Arc;

    fn seen(bench: &Bench) -> Arc<[Leftover]> {
        let Ok(Found::Leftovers(seen)) = bench.platform.survey(&"engine".into(), ActionKind::Prune) else { panic!("no answer") };
        seen
    }

    #[test]
    fn what_was_seen_goes_but_for_what_runs_again_by_then() {
        let mut bench = Bench::new(ENGINE);
        bench.converge(Kind::Task, "lone", Action::Stop);
        bench.converge(Kind::Task, "shop-web-1", Action::Stop);
        let before = seen(&bench);
        assert_eq!(before.len(), LYING.len() + 2);
        bench.converge(Kind::Task, "lone", Action::Start);
        bench.converge(Kind::Node, "box", Action::Prune { volumes: Volumes::Unnamed, seen: before });
        let left: Vec<String> = seen(&bench).iter().map(|one| one.name.to_string()).collect();
        assert_eq!(left, ["blog_pgdata", "trial_cache"]);
        let tasks = &bench.world().tasks;
        assert!(tasks.iter().any(|task| task.name.as_str() == "lone"), "it runs again");
        assert!(!tasks.iter().any(|task| task.name.as_str() == "shop-web-1"));
    }

    #[test]
    fn a_token_is_made_anew_for_one_of_the_two_and_for_the_swarm_that_was_seen() {
        let mut bench = Bench::new(SWARM);
        let tokens = |bench: &Bench| [false, true].map(|managers| bench.platform.token(managers).unwrap().0);
        let before = tokens(&bench);
        let rotate = Action::RotateToken { managers: false, version: Some(11) };
        bench.converge(Kind::Node, "a1", rotate.clone());
        let after = tokens(&bench);
        assert!(before[0] != after[0] && before[1] == after[1] && after[0] != after[1]);
        let stale = bench.intent(Kind::Node, "a1", rotate);
        assert!(matches!(bench.platform.begin(&stale), Err(BackendError::Changed(_))));
    }
}
