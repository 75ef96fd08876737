//! Tasks moved one after the other, each only when its budget allows it: evacuate, rebalance, reschedule.

use super::parts::{HostId, InstanceId, WorkloadId};
use super::placement::suits;
use super::platform::Platform;
use crate::model::{Availability, ClusterKind, Expect, Key, NodeState, Progress, Text};
use std::collections::BTreeMap;

/// How long a task that was moved away keeps the next one off its old host.
const AVOIDS: i64 = 60_000;

/// Moves under way.
#[derive(Debug)]
pub(super) struct Moves {
    left: Vec<InstanceId>,
    total: u32,
    /// Whether one waits until the one before has been replaced.
    one_by_one: bool,
    /// Whether another one starts before it goes.
    beside: bool,
    expect: Expect,
}

/// Where the moves stand.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Going(Progress),
    Over(Expect),
}

impl Moves {
    /// All tasks of a host but those that belong to every host.
    pub(super) fn evacuate(platform: &Platform, host: HostId, node: Key) -> Self {
        let on_host = platform.hosts.get(&host).map(|h| h.instances.clone()).unwrap_or_default();
        let movable = |id: &InstanceId| {
            let instance = platform.instances.get(id).filter(|i| i.active());
            instance.and_then(|i| platform.workloads.get(&i.workload)).is_some_and(|w| !w.kind.one_per_node())
        };
        let left: Vec<InstanceId> = on_host.into_iter().filter(movable).collect();
        // Swarm has no budgets: one task of a service at a time is what keeps it up
        let one_by_one = platform.kind == ClusterKind::Swarm;
        let expect = Expect::NodeEmpty { node, availability: Availability::Paused };
        Self { total: left.len() as u32, left, one_by_one, beside: false, expect }
    }

    /// One task, to another host.
    pub(super) fn reschedule(platform: &mut Platform, id: InstanceId, service: Option<Key>) -> Self {
        let expect = platform
            .instances
            .get(&id)
            .map_or(Expect::Nothing, |instance| Expect::Replaced { task: instance.key.clone(), service });
        Self { left: vec![id], total: 1, one_by_one: false, beside: false, expect }
    }

    /// The tasks of a workload that stand where others of it stand too, while another zone or host has at least two fewer.
    pub(super) fn rebalance(platform: &Platform, id: WorkloadId) -> Self {
        let left = platform.workloads.get(&id).map(|_| surplus(platform, id)).unwrap_or_default();
        let expect = platform.workloads.get(&id).filter(|_| !left.is_empty()).map_or(Expect::Nothing, |workload| {
            Expect::Converged { service: workload.key.clone(), spec_rev: platform.spec_rev(workload) }
        });
        Self { total: left.len() as u32, left, one_by_one: true, beside: platform.kind == ClusterKind::Swarm, expect }
    }

    /// Moves what may be moved now.
    pub(super) fn step(&mut self, platform: &mut Platform) -> Step {
        let mut waits: Vec<Text> = Vec::new();
        let mut still = Vec::new();
        for id in std::mem::take(&mut self.left) {
            match self.may_go(platform, id) {
                Ok(()) if self.beside => platform.start_beside(id),
                Ok(()) => platform.move_away(id),
                Err(why) => {
                    waits.push(why);
                    still.push(id);
                }
            }
        }
        self.left = still;
        if self.left.is_empty() {
            return Step::Over(self.expect.clone());
        }
        let note = match waits.as_slice() {
            [] => Text::default(),
            [one] => one.clone(),
            [first, more @ ..] => format!("{first} · {} more wait", more.len()).into(),
        };
        Step::Going(Progress { done: self.total - self.left.len() as u32, total: self.total, note })
    }

    fn may_go(&self, platform: &Platform, id: InstanceId) -> Result<(), Text> {
        let Some(instance) = platform.instances.get(&id).filter(|i| i.active()) else { return Ok(()) };
        let Some(workload) = platform.workloads.get(&instance.workload) else { return Ok(()) };
        let whole = platform.instances_of(workload).filter(|i| i.active() && i.ready).count() as u32 >= workload.desired;
        if self.one_by_one && !whole && instance.ready {
            return Err(format!("{} waits until all tasks of {} are ready", instance.name, workload.full_name()).into());
        }
        match platform.disruptions_allowed(workload) {
            Some(0) if instance.ready => {
                let words = platform.service(workload).budget.map(|b| b.rule.to_string()).unwrap_or_default();
                let ready = platform.instances_of(workload).filter(|i| i.active() && i.ready).count();
                Err(format!("{} waits: {} may lose none now ({words}, {ready} ready)", instance.name, workload.full_name()).into())
            }
            _ => Ok(()),
        }
    }
}

fn surplus(platform: &Platform, id: WorkloadId) -> Vec<InstanceId> {
    let Some(workload) = platform.workloads.get(&id) else { return Vec::new() };
    let open = |id: &HostId| {
        platform.hosts.get(id).is_some_and(|h| {
            h.state == NodeState::Ready && h.availability == Availability::Active && h.pressure.is_empty() && suits(h, workload)
        })
    };
    let zone_of = |id: &HostId| platform.hosts.get(id).and_then(|h| h.zone.clone());
    let mut on_host: BTreeMap<HostId, u32> = platform.hosts.keys().filter(|id| open(id)).map(|id| (*id, 0)).collect();
    let mut in_zone: BTreeMap<Option<Text>, u32> = on_host.keys().map(|id| (zone_of(id), 0)).collect();
    let placed: Vec<(InstanceId, HostId)> =
        platform.instances_of(workload).filter(|i| i.active()).filter_map(|i| Some((i.id, i.host?))).collect();
    for (_, host) in &placed {
        *on_host.entry(*host).or_default() += 1;
        *in_zone.entry(zone_of(host)).or_default() += 1;
    }
    let mut go = Vec::new();
    for (instance, host) in placed.into_iter().rev() {
        let from = (in_zone.get(&zone_of(&host)).copied().unwrap_or(0), on_host.get(&host).copied().unwrap_or(0));
        let there = |id: &HostId| (in_zone.get(&zone_of(id)).copied().unwrap_or(0), on_host.get(id).copied().unwrap_or(0));
        let Some(to) = on_host.keys().filter(|id| open(id)).min_by_key(|id| (there(id), **id)).copied() else { continue };
        let (zone, here) = there(&to);
        let better = zone + 2 <= from.0 || (zone_of(&to) == zone_of(&host) && here + 2 <= from.1);
        if better {
            for (id, by) in [(host, -1i32), (to, 1)] {
                let shift = |n: &mut u32| *n = n.saturating_add_signed(by);
                on_host.entry(id).and_modify(shift);
                in_zone.entry(zone_of(&id)).and_modify(shift);
            }
            go.push(instance);
        }
    }
    go
}

impl Platform {
    /// Another one in its slot, elsewhere; when that is ready this one ends.
    fn start_beside(&mut self, id: InstanceId) {
        let until = self.now + AVOIDS;
        let Some(instance) = self.instances.get(&id) else { return };
        let (workload, slot, host) = (instance.workload, instance.slot, instance.host);
        if let Some(workload) = self.workloads.get_mut(&workload) {
            workload.avoid = host.map(|host| (host, until));
        }
        self.create(workload, slot);
    }

    fn move_away(&mut self, id: InstanceId) {
        let until = self.now + AVOIDS;
        if let Some(instance) = self.instances.get(&id)
            && let Some(workload) = self.workloads.get_mut(&instance.workload)
        {
            workload.avoid = instance.host.map(|host| (host, until));
        }
        self.stop(id);
    }
}
