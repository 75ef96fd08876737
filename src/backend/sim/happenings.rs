//! What the scenario says happens: begins, ends, comes again on another target by chance.

use super::chance;
use super::parts::{Definition, Fault, FaultWindow, HostId, InstanceId, Moment, WorkloadId};
use super::platform::{Cut, Due, Platform};
use super::story::HappeningPlan;

impl HappeningPlan {
    /// How long it lasts, if it ends by itself.
    fn lasts(&self) -> Option<i64> {
        let spans = [
            self.node_silent.as_ref().map(|p| p.lasts),
            self.node_pressure.as_ref().map(|p| p.lasts),
            self.memory_leak.as_ref().map(|p| p.lasts),
            self.crash.as_ref().map(|p| p.lasts),
            self.unready.as_ref().map(|p| p.lasts),
            self.label.as_ref().map(|p| p.lasts),
            self.link_cut.as_ref().map(|p| p.lasts),
        ];
        spans.into_iter().flatten().map(|span| span.0).next()
    }

    fn fault(&self) -> Option<(Fault, u32)> {
        if let Some(leak) = &self.memory_leak {
            Some((Fault::Leak { full_after: leak.full_after.0 }, leak.tasks))
        } else if let Some(crash) = &self.crash {
            Some((Fault::Crash { after: crash.after.0, exit: crash.exit, says: crash.says.as_str().into() }, crash.tasks))
        } else {
            self.unready.as_ref().map(|unready| (Fault::Unready, unready.tasks))
        }
    }
}

impl Platform {
    /// What the happening is on, this time: the first named at first, then any of them.
    fn target<'a>(&self, plan: &'a HappeningPlan, index: usize, times: u32) -> Option<&'a str> {
        let pick = if times == 0 { 0 } else { chance::mix(chance::mix(self.seed, index as u64), u64::from(times)) };
        let at = pick.checked_rem(plan.on.len() as u64)? as usize;
        plan.on.get(at).map(|name| name.get_ref().as_str())
    }

    fn host_named(&self, name: &str) -> Option<HostId> {
        self.hosts.iter().find(|(_, h)| h.name.as_str() == name).map(|(id, _)| *id)
    }

    fn workload_named(&self, name: &str) -> Option<WorkloadId> {
        self.workloads.values().find(|w| w.full_name() == name).map(|w| w.id)
    }

    /// A happening begins.
    pub(super) fn happening_begins(&mut self, index: usize, times: u32) {
        let Some(plan) = self.happenings.get(index).cloned() else { return };
        if let Some(lasts) = plan.lasts() {
            self.plan(self.now + lasts, Due::HappeningEnds(index, times));
        }
        if let Some(every) = plan.every {
            let next = plan.at.get_ref().0 + every.0 * i64::from(times + 1) + self.dice.between(-plan.jitter.0, plan.jitter.0);
            self.plan(next, Due::Happening(index, times + 1));
        }
        if let Some(cut) = &plan.link_cut {
            self.cut = Some(Cut { since: self.now, until: self.now + cut.lasts.0, reason: cut.reason.as_str().into() });
            return;
        }
        let Some(target) = self.target(&plan, index, times) else { return };
        if let Some(host) = self.host_named(target) {
            if plan.node_silent.is_some() {
                self.host_silent(host);
            } else if let Some(pressure) = &plan.node_pressure {
                self.host_pressure(host, Some(&pressure.what));
            } else if let Some(label) = &plan.label {
                self.host_label(host, &label.key, Some(&label.value));
            }
        }
        let Some(workload) = self.workload_named(target) else { return };
        if let Some(rollout) = &plan.rollout {
            self.roll_out(workload, &rollout.image);
        } else if let Some(scale) = &plan.scale {
            self.scale(workload, scale.tasks);
        } else if let Some((fault, slots)) = plan.fault() {
            let until = self.now + plan.lasts().unwrap_or(0);
            self.fault_begins(workload, FaultWindow { fault, from: self.now, until, slots });
        }
    }

    /// A happening ends.
    pub(super) fn happening_ends(&mut self, index: usize, times: u32) {
        let Some(plan) = self.happenings.get(index).cloned() else { return };
        if plan.link_cut.is_some() {
            self.cut = None;
            return;
        }
        let Some(target) = self.target(&plan, index, times) else { return };
        if let Some(host) = self.host_named(target) {
            if plan.node_silent.is_some() {
                self.host_back(host);
            } else if plan.node_pressure.is_some() {
                self.host_pressure(host, None);
            } else if let Some(label) = &plan.label {
                self.host_label(host, &label.key, None);
            }
        }
        if let (Some(workload), Some((fault, slots))) = (self.workload_named(target), plan.fault()) {
            for id in self.in_slots(workload, slots) {
                self.lift_fault(id, &fault);
            }
        }
    }

    fn in_slots(&self, workload: WorkloadId, slots: u32) -> Vec<InstanceId> {
        let Some(workload) = self.workloads.get(&workload) else { return Vec::new() };
        self.instances_of(workload).filter(|i| i.active() && i.slot <= slots).map(|i| i.id).collect()
    }

    fn fault_begins(&mut self, id: WorkloadId, window: FaultWindow) {
        let (fault, slots) = (window.fault.clone(), window.slots);
        let Some(workload) = self.workloads.get_mut(&id) else { return };
        workload.faults.push(window);
        if workload.faults.len() > 8 {
            workload.faults.remove(0);
        }
        for instance in self.in_slots(id, slots) {
            self.apply_fault(instance, &fault);
            self.plan_run(instance);
        }
    }

    /// A new image for a workload.
    pub(super) fn roll_out(&mut self, id: WorkloadId, image: &str) {
        let now = self.now;
        let Some(workload) = self.workloads.get_mut(&id) else { return };
        if workload.definition.image.as_str() == image {
            return;
        }
        let definition = Definition { image: image.into(), ..Definition::clone(&workload.definition) };
        workload.define(definition, now);
        self.rollout_began(id);
    }

    /// How long before the opening the story begins.
    pub(super) fn story_begins(plans: &[HappeningPlan]) -> Moment {
        plans.iter().map(|plan| plan.at.get_ref().0).min().unwrap_or(0).min(0)
    }
}
