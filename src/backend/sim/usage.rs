//! What instances and hosts use: a daily wave, smooth noise and spikes, drawn from the seed and the moment alone, so that the
//! last ten minutes are known at the opening.

use super::chance::{mix, of_text, smooth, unit};
use super::parts::{Fault, Instance, Moment, Phase, Workload};
use super::platform::Platform;
use super::scenario::Profile;
use crate::model::{Delta, Kind, Series, Usage};

/// Time between measurements.
pub(super) const SWEEP: i64 = 10_000;

impl Platform {
    /// Work that comes in for a workload, in units of what one task sets aside.
    pub(super) fn demand(&self, workload: &Workload, at: Moment) -> f64 {
        let seed = mix(self.seed, of_text(&workload.key));
        let seconds = (self.epoch.0.saturating_add(at)) as f64 / 1_000.0;
        let day = ((seconds / 86_400.0) * std::f64::consts::TAU - 2.2).sin();
        let slow = smooth(seed, seconds / 240.0);
        let quick = smooth(mix(seed, 1), seconds / 25.0);
        // a spike every few minutes: a minute of twice the work
        let minute = (seconds / 60.0) as u64;
        let spike = if unit(mix(seed, minute)) > 0.88 { 0.35 * (seconds % 60.0 / 60.0 * std::f64::consts::PI).sin() } else { 0.0 };
        let level = 0.34 + 0.10 * day + 0.26 * slow + 0.12 * quick + spike;
        level * f64::from(workload.size.max(1))
    }

    /// The measurements of the sweeps in `after..=until`, at most as many as a series holds.
    pub(super) fn sweeps(&self, after: Moment, until: Moment) -> Vec<Delta> {
        let last = until.div_euclid(SWEEP) * SWEEP;
        let first = (after.div_euclid(SWEEP) * SWEEP + SWEEP).max(last - SWEEP * (Series::CAPACITY as i64 - 1));
        let mut out = Vec::new();
        let mut at = first;
        while at <= last {
            out.extend(self.sweep(at));
            at += SWEEP;
        }
        out
    }

    fn sweep(&self, at: Moment) -> [Delta; 2] {
        let mut tasks = Vec::new();
        let mut nodes: std::collections::BTreeMap<_, Usage> = Default::default();
        for workload in self.workloads.values() {
            let running: Vec<&Instance> = self.instances_of(workload).filter(|i| runs_at(i, at)).collect();
            let share = self.demand(workload, at) / running.len().max(1) as f64;
            for instance in running {
                let usage = self.instance_usage(workload, instance, share, at);
                if let Some(host) = instance.host {
                    let sum = nodes.entry(host).or_default();
                    *sum = sum.plus(usage);
                }
                if !self.hidden(instance) {
                    tasks.push((instance.key.clone(), usage));
                }
            }
        }
        let rows = self.hosts.iter().filter(|(_, host)| !host.silent).map(|(id, host)| {
            // the kubelet, the engine and the kernel have their part
            let own = smooth(of_text(&host.key), at as f64 / 40_000.0);
            let base = Usage { cpu_m: 90 + (own * 120.0) as u32, mem: 700 << 20, net: Some((4_000, 4_000)) };
            (host.key.clone(), nodes.get(id).copied().unwrap_or_default().plus(base))
        });
        let at_stamp = self.stamp(at);
        [
            Delta::Usage { of: Kind::Node, at: at_stamp, rows: rows.collect() },
            Delta::Usage { of: Kind::Task, at: at_stamp, rows: tasks },
        ]
    }

    fn hidden(&self, instance: &Instance) -> bool {
        instance.host.and_then(|h| self.hosts.get(&h)).is_some_and(|h| h.silent)
    }

    fn instance_usage(&self, workload: &Workload, instance: &Instance, share: f64, at: Moment) -> Usage {
        let own = mix(self.seed, instance.id.0);
        let seconds = (self.epoch.0.saturating_add(at)) as f64 / 1_000.0;
        let requests = instance.definition.requests;
        let wobble = 0.8 + 0.4 * smooth(own, seconds / 18.0);
        let cpu = (requests.cpu_m.max(40) as f64 * share * wobble).max(1.0);
        let room = requests.mem.max(24 << 20) as f64;
        let fill = 0.62 + 0.2 * smooth(mix(own, 2), seconds / 300.0) + 0.06 * share.min(2.0);
        let mut mem = room * fill;
        let since = instance.runs.iter().rev().find(|run| run.from <= at).map_or(at, |run| run.from);
        if let Some(window) = workload.fault_of(instance.slot, at)
            && let Fault::Leak { full_after } = window.fault
        {
            let grown = (at - since.max(window.from)) as f64 / full_after.max(1) as f64;
            let limit = instance.definition.limits.mem.max(requests.mem) as f64;
            mem += (limit - mem).max(0.0) * grown.min(1.0);
        }
        let (per_core, back) = match workload.profile {
            Profile::Proxy => (9_000.0, 1.0),
            Profile::Http => (2_600.0, 3.0),
            Profile::Cache | Profile::Queue => (4_000.0, 1.4),
            Profile::Database => (1_800.0, 2.2),
            Profile::Worker | Profile::Batch => (700.0, 0.6),
            Profile::Agent => (250.0, 2.0),
        };
        let received = cpu * per_core;
        Usage { cpu_m: cpu as u32, mem: mem as u64, net: Some((received as u32, (received * back) as u32)) }
    }
}

fn runs_at(instance: &Instance, at: Moment) -> bool {
    instance.phase != Phase::Pending && instance.runs.iter().any(|run| run.from <= at && run.until.is_none_or(|until| until > at))
}
