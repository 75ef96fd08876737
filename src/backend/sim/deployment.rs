//! What Kubernetes' controllers do: Deployments within surge and unavailable, StatefulSets in order, DaemonSets node by
//! node, Jobs and CronJobs, the autoscaler, and when a rollout is over or given up.

use super::chance;
use super::parts::{InstanceId, Workload, WorkloadId};
use super::placement::suits;
use super::platform::{Due, Platform};
use crate::model::{Key, RolloutState, ServiceKind, Severity};
use crate::util::humanize::age_of;
use std::collections::BTreeSet;
use std::time::Duration;

/// Finished Jobs a CronJob keeps (`successfulJobsHistoryLimit`).
const JOBS_KEPT: usize = 3;

/// An active instance as a controller weighs it.
#[derive(Clone, Copy)]
struct Seen {
    id: InstanceId,
    slot: u32,
    new: bool,
    ready: bool,
}

impl Platform {
    /// The workload's controller looks at it.
    pub(super) fn reconcile(&mut self, id: WorkloadId) {
        let Some(workload) = self.workloads.get_mut(&id) else { return };
        workload.queued = false;
        if workload.observed != workload.generation {
            workload.observed = workload.generation;
            self.changed.workloads.insert(id);
        }
        match workload.kind {
            ServiceKind::Deployment | ServiceKind::ReplicaSet => self.reconcile_deployment(id),
            ServiceKind::StatefulSet => self.reconcile_ordered(id),
            ServiceKind::DaemonSet | ServiceKind::Global => self.reconcile_per_node(id),
            ServiceKind::Replicated => self.reconcile_slots(id),
            ServiceKind::Job => self.reconcile_job(id),
            ServiceKind::CronJob | ServiceKind::SwarmJob | ServiceKind::Compose | ServiceKind::Container => {}
        }
        self.judge_rollout(id);
    }

    fn active_of(&self, workload: &Workload) -> Vec<Seen> {
        let made_of = workload.definition.hash();
        // of a held Deployment no task is too old
        let held = workload.held && workload.kind == ServiceKind::Deployment;
        self.instances_of(workload)
            .filter(|i| i.active())
            .map(|i| Seen { id: i.id, slot: i.slot, new: held || i.made_of == made_of, ready: i.ready })
            .collect()
    }

    fn reconcile_deployment(&mut self, id: WorkloadId) {
        let Some(workload) = self.workloads.get(&id) else { return };
        let wanted = workload.desired;
        let surge = workload.surge.of(wanted, true);
        let unavailable = match workload.unavailable.of(wanted, false) {
            // both zero would never get anywhere: Kubernetes takes one
            0 if surge == 0 => 1,
            n => n,
        };
        let mut seen = self.active_of(workload);
        let count = |of: &dyn Fn(&Seen) -> bool| seen.iter().filter(|s| of(s)).count() as u32;
        let (total, new, ready) = (seen.len() as u32, count(&|s| s.new), count(&|s| s.ready));
        let new_unready = count(&|s| s.new && !s.ready);
        let add = wanted.saturating_sub(new).min((wanted + surge).saturating_sub(total));
        let taken: BTreeSet<u32> = seen.iter().map(|s| s.slot).collect();
        let free: Vec<u32> = (1..).filter(|slot| !taken.contains(slot)).take(add as usize).collect();
        // the newest go first, those that are not ready before those that are
        seen.sort_by_key(|s| (s.ready, std::cmp::Reverse(s.id)));
        let surplus = seen.iter().filter(|s| s.new).take(new.saturating_sub(wanted) as usize);
        let least = wanted.saturating_sub(unavailable);
        let room = total.saturating_sub(least + new_unready);
        let broken = seen.iter().filter(|s| !s.new && !s.ready).take(room as usize);
        let left = room.saturating_sub(broken.clone().count() as u32).min(ready.saturating_sub(least));
        let old = seen.iter().filter(|s| !s.new && s.ready).take(left as usize);
        let go: Vec<InstanceId> = surplus.chain(broken).chain(old).map(|s| s.id).collect();
        go.into_iter().for_each(|instance| self.stop(instance));
        for slot in free {
            self.create(id, slot);
        }
    }

    /// StatefulSet: made in order, each after the one before is ready; replaced and removed from the last one back.
    fn reconcile_ordered(&mut self, id: WorkloadId) {
        let Some(workload) = self.workloads.get(&id) else { return };
        let wanted = workload.desired;
        let seen = self.active_of(workload);
        let present: BTreeSet<u32> = self.instances_of(workload).map(|i| i.slot).collect();
        if let Some(slot) = (1..=wanted).find(|slot| !present.contains(slot)) {
            if seen.iter().filter(|s| s.slot < slot).all(|s| s.ready) {
                self.create(id, slot);
            }
            return;
        }
        let leaving = present.len() > seen.len();
        let last = |of: &dyn Fn(&&Seen) -> bool| seen.iter().filter(of).max_by_key(|s| s.slot).map(|s| s.id);
        let go = match last(&|s| s.slot > wanted) {
            Some(surplus) => Some(surplus),
            None if seen.iter().all(|s| s.ready || !s.new) => last(&|s| !s.new),
            None => None,
        };
        if let Some(go) = go.filter(|_| !leaving) {
            self.stop(go);
        }
    }

    /// DaemonSet and Swarm global service: one on each node that suits, replaced one node at a time.
    fn reconcile_per_node(&mut self, id: WorkloadId) {
        let Some(workload) = self.workloads.get(&id) else { return };
        let swarm = workload.kind == ServiceKind::Global;
        let hosts: Vec<_> = self
            .hosts
            .iter()
            .filter(|(_, host)| suits(host, workload) && (!swarm || self.swarm_takes(host)))
            .map(|(host, _)| *host)
            .collect();
        let taken: BTreeSet<_> = self
            .instances_of(workload)
            .filter(|i| if swarm { i.active() && !self.host_down(i.host) } else { !i.phase.ended() })
            .filter_map(|i| i.host)
            .collect();
        let strays: Vec<InstanceId> = self
            .instances_of(workload)
            .filter(|i| i.active() && i.host.is_some_and(|h| !hosts.contains(&h)))
            .map(|i| i.id)
            .collect();
        let seen = self.active_of(workload);
        let waiting = hosts.len().saturating_sub(seen.iter().filter(|s| s.ready).count());
        let most = workload.unavailable.of(hosts.len() as u32, true).max(1) as usize;
        let held = workload.rollout == RolloutState::Paused;
        let replace: Vec<InstanceId> = seen
            .iter()
            .filter(|s| !s.new && !held)
            .filter(|s| !s.ready || waiting < most)
            .take(most.saturating_sub(waiting).max(1))
            .map(|s| s.id)
            .collect();
        let missing: Vec<_> = hosts.iter().filter(|h| !taken.contains(h)).copied().collect();
        let wanted = hosts.len() as u32;
        if workload.desired != wanted {
            self.changed.workloads.insert(id);
        }
        if let Some(workload) = self.workloads.get_mut(&id) {
            workload.desired = wanted;
            hosts.iter().for_each(|h| {
                workload.slots.entry(h.0 + 1).or_default();
            });
        }
        strays.into_iter().chain(replace).for_each(|instance| self.stop(instance));
        for host in missing {
            if let Some(made) = self.add_instance(id, host.0 + 1) {
                if let Some(instance) = self.instances.get_mut(&made) {
                    instance.host = Some(host);
                }
                self.place(made);
            }
        }
    }

    fn reconcile_job(&mut self, id: WorkloadId) {
        let Some(workload) = self.workloads.get(&id) else { return };
        if workload.instances.is_empty() && !workload.held {
            self.create(id, 1);
        }
    }

    /// A CronJob's hour has come.
    pub(super) fn cron(&mut self, id: WorkloadId) {
        let Some((every, held)) = self.workloads.get(&id).and_then(|w| Some((w.every?, w.held))) else { return };
        self.plan(self.now + every, Due::Cron(id));
        if held {
            return;
        }
        self.make_job(id, &format!("{}", self.stamp(self.now).0 / 60_000));
        let finished: Vec<WorkloadId> =
            self.workloads.values().filter(|w| w.owner == Some(id) && w.rollout == RolloutState::Stable).map(|w| w.id).collect();
        for old in finished.iter().take(finished.len().saturating_sub(JOBS_KEPT)) {
            let instances = self.workloads.get(old).map(|w| w.instances.clone()).unwrap_or_default();
            instances.into_iter().for_each(|i| self.remove(i));
            if let Some(gone) = self.workloads.remove(old) {
                self.changed.workloads.remove(old);
                self.changed.gone_workloads.push(gone.key);
            }
        }
    }

    /// A Job of a CronJob's template, named after it and `suffix`.
    pub(super) fn make_job(&mut self, id: WorkloadId, suffix: &str) -> Option<Key> {
        let workload = self.workloads.get(&id)?;
        let mut job = workload.clone();
        job.id = WorkloadId(u32::try_from(self.next_id).unwrap_or(u32::MAX) + 1_000_000);
        job.key = Key::from(chance::uuid(chance::mix(self.seed, u64::from(job.id.0))).as_str());
        job.name = format!("{}-{suffix}", workload.name).into();
        job.kind = ServiceKind::Job;
        job.owner = Some(id);
        job.desired = 1;
        (job.created, job.changed, job.generation, job.observed) = (self.now, self.now, 1, 0);
        job.instances.clear();
        (job.queued, job.held) = (false, false);
        job.start_rollout(RolloutState::Progressing, self.now);
        let (made, key, name) = (job.id, job.key.clone(), job.name.clone());
        self.workloads.insert(made, job);
        self.tell_workload(id, Severity::Normal, "SuccessfulCreate", format!("Created job {name}"));
        self.touch_workload(made);
        Some(key)
    }

    /// Whether a rollout got further, or is over.
    fn judge_rollout(&mut self, id: WorkloadId) {
        let now = self.now;
        let Some(workload) = self.workloads.get(&id) else { return };
        if matches!(workload.rollout, RolloutState::Stable | RolloutState::Paused) || workload.kind == ServiceKind::Replicated {
            return;
        }
        let done = if workload.kind == ServiceKind::Job {
            self.instances_of(workload).any(|i| i.phase == super::parts::Phase::Succeeded)
        } else {
            let seen = self.active_of(workload);
            seen.len() as u32 == workload.desired && seen.iter().all(|s| s.new && s.ready)
        };
        let ready = self.active_of(workload).iter().filter(|s| s.new && s.ready).count() as u32;
        let Some(workload) = self.workloads.get_mut(&id) else { return };
        if ready > workload.best {
            workload.best = ready;
            workload.progress_at = now;
        }
        if done {
            workload.rollout = RolloutState::Stable;
            workload.note = None;
            self.changed.workloads.insert(id);
        }
    }

    /// A rollout has had its time: it is given up if it got no further in all of it.
    pub(super) fn deadline(&mut self, id: WorkloadId, generation: u64) {
        let now = self.now;
        let Some(workload) = self.workloads.get_mut(&id) else { return };
        if workload.generation != generation || workload.rollout != RolloutState::Progressing {
            return;
        }
        let until = workload.progress_at + workload.deadline;
        if now < until {
            self.plan(until, Due::Deadline(id, generation));
            return;
        }
        workload.rollout = RolloutState::Failed;
        let waited = age_of(Duration::from_millis(workload.deadline.unsigned_abs()));
        let words = format!("revision {} made no progress for {waited}", workload.revision);
        workload.note = Some(words.into());
        let name = format!("{}-{}", workload.name, chance::word(workload.definition.hash(), 10, chance::SUFFIX));
        self.changed.workloads.insert(id);
        self.tell_workload(
            id,
            Severity::Warning,
            "ProgressDeadlineExceeded",
            format!("ReplicaSet \"{name}\" has timed out progressing."),
        );
    }

    /// The autoscaler looks: so many tasks that each has about 70 % of what it set aside; down only after five minutes.
    pub(super) fn autoscale(&mut self, id: WorkloadId) {
        let now = self.now;
        let Some(workload) = self.workloads.get(&id) else { return };
        let Some(bounds) = workload.autoscale else { return };
        let need = (self.demand(workload, now) / 0.7).ceil() as u32;
        let to = need.clamp(bounds.min, bounds.max);
        let from = workload.desired;
        let settled = workload.rollout == RolloutState::Stable && (to > from || now - workload.scaled_at > 300_000);
        self.plan(now + 30_000, Due::Autoscale(id));
        if to == from || !settled {
            return;
        }
        let direction = if to > from { "above" } else { "below" };
        self.scale(id, to);
        if let Some(workload) = self.workloads.get_mut(&id) {
            workload.scaled_at = now;
        }
        let message = format!("New size: {to}; reason: cpu resource utilization (percentage of request) {direction} target");
        self.tell_workload(id, Severity::Normal, "SuccessfulRescale", message);
    }

    /// Writes a new number of tasks.
    pub(super) fn scale(&mut self, id: WorkloadId, to: u32) {
        let now = self.now;
        if let Some(workload) = self.workloads.get_mut(&id) {
            workload.desired = to;
            workload.start_rollout(RolloutState::Progressing, now);
        }
        self.rollout_began(id);
    }

    /// A rollout began: its controller looks, and its deadline runs.
    pub(super) fn rollout_began(&mut self, id: WorkloadId) {
        self.touch_workload(id);
        if let Some(workload) = self.workloads.get(&id)
            && workload.kind == ServiceKind::Deployment
        {
            let (at, generation) = (self.now + workload.deadline, workload.generation);
            self.plan(at, Due::Deadline(id, generation));
        }
    }
}
