//! What Swarm's orchestrator does: slots that are refilled, updates in batches that stop or roll back on failure.

use super::parts::{Host, InstanceId, Phase, WorkloadId};
use super::platform::{Due, Platform};
use super::scenario::OnFailure;
use crate::model::{Availability, ClusterKind, NodeState, RolloutState, Severity};

/// A task that fails this soon after its start makes its update fail (`UpdateConfig.Monitor`).
const MONITOR: i64 = 5_000;
/// By then a task that was told to stop has stopped.
const STOPS: i64 = 2_900;

impl Platform {
    /// Whether Swarm lets a host keep its tasks.
    pub(super) fn swarm_takes(&self, host: &Host) -> bool {
        host.state == NodeState::Ready && host.availability != Availability::Drained
    }

    /// Keeps as many slots as wanted, each with one task, and moves an update on.
    pub(super) fn reconcile_slots(&mut self, id: WorkloadId) {
        self.fit_slots(id);
        let Some(workload) = self.workloads.get(&id) else { return };
        let made_of = workload.definition.hash();
        let updating = matches!(workload.rollout, RolloutState::Progressing | RolloutState::RollingBack);
        let (mut stop, mut create, mut outdated, mut settling) = (Vec::new(), Vec::new(), Vec::new(), 0u32);
        for (slot, memory) in &workload.slots {
            let held: Vec<_> = self.instances_of(workload).filter(|i| i.slot == *slot && !i.phase.ended()).collect();
            let lost = |i: &&&super::parts::Instance| i.host.and_then(|h| self.hosts.get(&h)).is_some_and(|h| !self.swarm_takes(h));
            stop.extend(held.iter().filter(|i| i.active()).filter(lost).map(|i| i.id));
            let active: Vec<_> = held.iter().filter(|i| i.active() && !lost(i)).collect();
            let leaving = held.iter().any(|i| i.phase == Phase::Stopping && !lost(&i));
            match active.as_slice() {
                [] => {
                    settling += 1;
                    create.push((*slot, if leaving { self.now + STOPS } else { memory.not_before }));
                }
                [one] if one.made_of != made_of => outdated.push((*slot, one.id)),
                [one] => settling += u32::from(!one.ready),
                [older @ .., newest] if newest.ready => stop.extend(older.iter().map(|i| i.id)),
                _ => settling += 1,
            }
        }
        let at_once = if workload.update.parallelism == 0 { u32::MAX } else { workload.update.parallelism };
        let start_first = workload.update.start_first;
        if updating && outdated.is_empty() && settling == 0 && stop.is_empty() {
            self.update_over(id);
        } else if updating && !outdated.is_empty() && workload.batch_at <= self.now {
            let batch = at_once.saturating_sub(settling) as usize;
            for (slot, old) in outdated.into_iter().take(batch) {
                if start_first { create.push((slot, self.now)) } else { stop.push(old) }
            }
            if batch > 0
                && let Some(workload) = self.workloads.get_mut(&id)
            {
                workload.batch_at = self.now + workload.update.delay.0;
                let at = workload.batch_at;
                self.plan(at, Due::Reconcile(id));
            }
        }
        stop.into_iter().for_each(|instance| self.stop(instance));
        for (slot, not_before) in create {
            if let Some(slot) = self.workloads.get_mut(&id).and_then(|w| w.slots.get_mut(&slot)) {
                slot.not_before = not_before.max(slot.not_before);
            }
            self.create(id, slot);
        }
    }

    /// Adds the lowest free slots, or takes away those whose task does not run or whose node carries most.
    fn fit_slots(&mut self, id: WorkloadId) {
        let Some(workload) = self.workloads.get(&id) else { return };
        let have = workload.slots.len() as u32;
        let wanted = workload.desired;
        let free: Vec<u32> = (1..).filter(|s| !workload.slots.contains_key(s)).take(wanted.saturating_sub(have) as usize).collect();
        let crowd = |slot: u32| {
            let task = self.instances_of(workload).find(|i| i.slot == slot && i.active());
            let here = task.map_or(usize::MAX, |t| self.instances_of(workload).filter(|i| i.active() && i.host == t.host).count());
            let ready = task.is_some_and(|t| t.ready);
            (!ready, here, slot)
        };
        let mut by_crowd: Vec<u32> = workload.slots.keys().copied().collect();
        by_crowd.sort_by_key(|slot| std::cmp::Reverse(crowd(*slot)));
        let gone: Vec<u32> = by_crowd.into_iter().take(have.saturating_sub(wanted) as usize).collect();
        let stop: Vec<InstanceId> =
            self.instances_of(workload).filter(|i| gone.contains(&i.slot) && i.active()).map(|i| i.id).collect();
        if let Some(workload) = self.workloads.get_mut(&id) {
            for slot in free {
                workload.slots.insert(slot, Default::default());
            }
            gone.iter().for_each(|slot| {
                workload.slots.remove(slot);
            });
        }
        stop.into_iter().for_each(|instance| self.stop(instance));
    }

    fn update_over(&mut self, id: WorkloadId) {
        let Some(workload) = self.workloads.get_mut(&id) else { return };
        let words = if workload.rollout == RolloutState::RollingBack { "rollback completed" } else { "update completed" };
        workload.rollout = RolloutState::Stable;
        workload.note = Some(words.into());
        self.changed.workloads.insert(id);
        self.tell_workload(id, Severity::Normal, "update", words.to_owned());
    }

    /// A task of an update failed: what the service's failure action says.
    pub(super) fn update_failed(&mut self, id: WorkloadId, failed: InstanceId) {
        let now = self.now;
        let Some(workload) = self.workloads.get_mut(&id) else { return };
        let Some(instance) = self.instances.get(&failed) else { return };
        let early = instance.runs.last().is_none_or(|run| now - run.from < MONITOR);
        if self.kind != ClusterKind::Swarm
            || workload.rollout != RolloutState::Progressing
            || instance.made_of != workload.definition.hash()
            || !early
        {
            return;
        }
        let cause = format!("due to failure or early termination of task {}", instance.key);
        let words = match workload.update.on_failure {
            OnFailure::Continue => return,
            OnFailure::Pause => {
                workload.rollout = RolloutState::Paused;
                format!("update paused {cause}")
            }
            OnFailure::Rollback => {
                let Some((_, previous)) = workload.history.pop() else { return };
                workload.define((*previous).clone(), now);
                workload.rollout = RolloutState::RollingBack;
                format!("update rolled back {cause}")
            }
        };
        workload.note = Some(words.as_str().into());
        self.touch_workload(id);
        self.tell_workload(id, Severity::Warning, "update", words);
    }
}
