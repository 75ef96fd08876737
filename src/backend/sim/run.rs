//! The run of an instance's process: started, ready, troubled, ended, and what the platform does then.

use super::parts::{Fault, InstanceId, Phase, Run, WorkloadId};
use super::platform::Platform;
use super::reports::Told;
use crate::model::{ClusterKind, Text};
use crate::util::humanize::{age_of, bytes_of};
use std::time::Duration;

/// A run that lasted so long makes the platform forget earlier failures (kubelet: ten minutes).
const SETTLED: i64 = 600_000;
/// Longest wait between tries (kubelet: five minutes).
const LONGEST_BACKOFF: i64 = 300_000;
/// Ended Swarm tasks kept in a slot (`--task-history-limit` 5, with the one that runs).
const SLOT_HISTORY: usize = 4;

impl Platform {
    pub(super) fn started(&mut self, id: InstanceId) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let Some(workload) = self.workloads.get(&instance.workload) else { return };
        if instance.runs.len() == 5 {
            instance.runs.remove(0);
        }
        instance.runs.push(Run { from: now, until: None, exit: 0, reason: Text::default() });
        let warm_up = workload.warm_up + self.dice.between(0, workload.warm_up / 4);
        instance.ready_at = Some(now + warm_up);
        instance.ends_at =
            workload.kind.runs_to_completion().then(|| now + workload.takes + self.dice.between(0, workload.takes / 4));
        let fault = workload.fault_of(instance.slot, now).map(|f| f.fault.clone());
        self.set_phase(id, Phase::Running, Some("started, not ready yet".into()));
        self.tell(id, Told::Started);
        if let Some(fault) = fault {
            self.apply_fault(id, &fault);
        }
        self.plan_run(id);
    }

    /// A fault takes hold of a running instance.
    pub(super) fn apply_fault(&mut self, id: InstanceId, fault: &Fault) {
        let (now, share) = (self.now, self.dice.between(85, 115));
        let Some(instance) = self.instances.get_mut(&id).filter(|i| i.phase == Phase::Running) else { return };
        match fault {
            Fault::Leak { full_after } => instance.ends_at = Some(now + full_after * share / 100),
            Fault::Crash { after, .. } => instance.ends_at = Some(now + after * share / 100),
            Fault::Unready => {
                if std::mem::take(&mut instance.ready) {
                    instance.since = now;
                }
                instance.ready_at = None;
                instance.why = Some("readiness probe fails: HTTP 503".into());
                self.tell(id, Told::Unready);
                self.touch(id);
            }
        }
    }

    /// A fault lets go of an instance.
    pub(super) fn lift_fault(&mut self, id: InstanceId, fault: &Fault) {
        let soon = self.now + self.dice.between(1_000, 6_000);
        let Some(instance) = self.instances.get_mut(&id).filter(|i| i.phase == Phase::Running) else { return };
        match fault {
            Fault::Leak { .. } | Fault::Crash { .. } => instance.ends_at = None,
            Fault::Unready => instance.ready_at = Some(soon),
        }
        self.plan_run(id);
    }

    /// Plans what comes next for a running instance.
    pub(super) fn plan_run(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        instance.step += 1;
        let next = [instance.ready_at.filter(|_| !instance.ready), instance.ends_at].into_iter().flatten().min();
        if let Some(at) = next {
            self.plan_step(id, at);
        }
    }

    pub(super) fn run_on(&mut self, id: InstanceId) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(&id) else { return };
        if instance.ends_at.is_some_and(|at| at <= now) {
            self.ended(id);
            return;
        }
        if !instance.ready && instance.ready_at.is_some_and(|at| at <= now) {
            instance.ready = true;
            instance.since = now;
            instance.why = None;
            self.touch(id);
        }
        self.plan_run(id);
    }

    /// The process ended by itself or was killed.
    fn ended(&mut self, id: InstanceId) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let Some(workload) = self.workloads.get(&instance.workload) else { return };
        let (exit, reason) = match workload.fault_of(instance.slot, now).map(|f| &f.fault) {
            Some(Fault::Leak { .. }) => (137, oom_words(instance.definition.limits.mem)),
            Some(Fault::Crash { exit, .. }) => (*exit, format!("exit {exit}")),
            _ => (0, "exit 0".to_owned()),
        };
        let lasted = instance.started().map_or(0, |from| now - from);
        let to_completion = workload.kind.runs_to_completion();
        instance.ends_at = None;
        if let Some(run) = instance.runs.last_mut() {
            *run = Run { from: run.from, until: Some(now), exit, reason: reason.as_str().into() };
        }
        self.tell(id, Told::Ended { exit });
        if to_completion && exit == 0 {
            self.end_for_good(id, Phase::Succeeded, Text::default());
            return;
        }
        if self.kind == ClusterKind::Swarm {
            self.end_for_good(id, Phase::Failed, reason.into());
            return;
        }
        let Some(instance) = self.instances.get_mut(&id) else { return };
        instance.tries = if lasted >= SETTLED { 1 } else { instance.tries + 1 };
        instance.restarts += 1;
        // the first restart comes at once; from the second on the wait doubles
        let base = if self.kind == ClusterKind::Kubernetes { 10_000 } else { 1_000 };
        let wait = if instance.tries == 1 { 1_000 } else { backoff(base, instance.tries - 1) };
        let why = format!("restarting after {reason}, next try in up to {}", age_of(Duration::from_millis(wait.unsigned_abs())));
        let repeated = instance.tries > 1;
        self.set_phase(id, Phase::BackOff, Some(why.into()));
        if repeated {
            self.tell(id, Told::BackOff);
        }
        self.plan_step(id, now + wait);
    }

    /// An instance ends and does not come back; a Swarm slot gets another after the restart delay (5 s).
    pub(super) fn end_for_good(&mut self, id: InstanceId, phase: Phase, why: Text) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let (workload, slot, was_wanted) = (instance.workload, instance.slot, instance.wanted);
        instance.step += 1;
        if instance.started().is_some()
            && let Some(run) = instance.runs.last_mut()
        {
            run.until = Some(now);
        }
        if self.kind == ClusterKind::Swarm {
            instance.wanted = false;
        }
        let held = instance.clone();
        self.release(&held);
        self.set_phase(id, phase, (!why.is_empty()).then_some(why));
        if self.kind != ClusterKind::Swarm {
            return;
        }
        if let Some(slot) = self.workloads.get_mut(&workload).and_then(|w| w.slots.get_mut(&slot))
            && phase == Phase::Failed
            && was_wanted
        {
            slot.failures += 1;
            slot.not_before = now + 5_000;
        }
        if phase == Phase::Failed && was_wanted {
            self.update_failed(workload, id);
        }
        self.prune_slot(workload, slot);
    }

    fn prune_slot(&mut self, workload: WorkloadId, slot: u32) {
        let Some(workload) = self.workloads.get(&workload) else { return };
        let old: Vec<InstanceId> =
            self.instances_of(workload).filter(|i| i.slot == slot && i.phase.ended()).map(|i| i.id).collect();
        for id in old.iter().take(old.len().saturating_sub(SLOT_HISTORY)) {
            self.remove(*id);
        }
    }
}

/// Doubling waits up to the longest.
pub(super) fn backoff(base: i64, tries: u32) -> i64 {
    base.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(LONGEST_BACKOFF)
}

fn oom_words(limit: u64) -> String {
    if limit == 0 { "out of memory".to_owned() } else { format!("out of memory (limit {})", bytes_of(limit)) }
}
