//! What the simulated platforms report: each in its own words, repeats counted as the platform counts them.

use super::chance;
use super::parts::{Host, InstanceId, WorkloadId};
use super::platform::Platform;
use crate::model::{ClusterKind, Event, Key, Kind, Severity, Text};

/// Events kept; platforms forget theirs after an hour.
const KEPT: usize = 400;

/// What happened to an instance.
pub(super) enum Told {
    NoRoom(String),
    Scheduled,
    Pulling,
    Pulled,
    PullFailed,
    PullBackOff,
    Started,
    Unready,
    Ended { exit: i32 },
    BackOff,
    Killing,
}

impl Platform {
    /// Reports what happened to an instance.
    pub(super) fn tell(&mut self, id: InstanceId, told: Told) {
        let Some(instance) = self.instances.get(&id) else { return };
        let Some(workload) = self.workloads.get(&instance.workload) else { return };
        let image = &instance.definition.image;
        let host = instance.host.and_then(|h| self.hosts.get(&h)).map_or("", |h| h.name.as_str());
        let pod = format!("{}/{}", workload.namespace, instance.name);
        let kubernetes = self.kind == ClusterKind::Kubernetes;
        let (severity, reason, message) = match told {
            // Swarm reports nothing of tasks; an engine reports its containers
            Told::NoRoom(message) if kubernetes => (Severity::Warning, "FailedScheduling", message),
            Told::Scheduled if kubernetes => (Severity::Normal, "Scheduled", format!("Successfully assigned {pod} to {host}")),
            Told::Pulling if kubernetes => (Severity::Normal, "Pulling", format!("Pulling image \"{image}\"")),
            Told::Pulled if kubernetes => (Severity::Normal, "Pulled", format!("Successfully pulled image \"{image}\"")),
            Told::PullFailed if kubernetes => {
                let message = format!("Failed to pull image \"{image}\": rpc error: code = NotFound desc = {image}: not found");
                (Severity::Warning, "Failed", message)
            }
            Told::PullBackOff if kubernetes => (Severity::Warning, "BackOff", format!("Back-off pulling image \"{image}\"")),
            Told::Started if kubernetes => (Severity::Normal, "Started", format!("Started container {}", workload.name)),
            Told::Unready if kubernetes => {
                (Severity::Warning, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503".to_owned())
            }
            Told::BackOff if kubernetes => {
                let message = format!("Back-off restarting failed container {} in pod {}", workload.name, instance.name);
                (Severity::Warning, "BackOff", message)
            }
            Told::Killing if kubernetes => (Severity::Normal, "Killing", format!("Stopping container {}", workload.name)),
            Told::Started => (Severity::Normal, "start", format!("container {} ({image})", instance.name)),
            Told::Ended { exit: 137 } if !kubernetes => {
                (Severity::Warning, "oom", format!("container {} ({image})", instance.name))
            }
            Told::Ended { exit } if !kubernetes => {
                let severity = if matches!(exit, 0 | 143) { Severity::Normal } else { Severity::Warning };
                (severity, "die", format!("container {} ({image}) exit code {exit}", instance.name))
            }
            _ => return,
        };
        let word = if kubernetes { "pod" } else { "container" };
        let object = format!("{word} {}", instance.name);
        let (about, namespace) = (Some((Kind::Task, instance.key.clone())), workload.namespace.clone());
        self.report(severity, about, object, namespace, reason, message);
    }

    /// Reports about a workload.
    pub(super) fn tell_workload(&mut self, id: WorkloadId, severity: Severity, reason: &str, message: String) {
        let Some(workload) = self.workloads.get(&id) else { return };
        let object =
            format!("{} {}", if self.kind == ClusterKind::Kubernetes { workload.kind.word() } else { "service" }, workload.name);
        let (about, namespace) = (Some((Kind::Service, workload.key.clone())), workload.namespace.clone());
        self.report(severity, about, object, namespace, reason, message);
    }

    /// Reports about a host.
    pub(super) fn tell_host(&mut self, host: &Host, severity: Severity, reason: &str, message: String) {
        let about = Some((Kind::Node, host.key.clone()));
        self.report(severity, about, format!("node {}", host.name), Text::default(), reason, message);
    }

    fn report(
        &mut self,
        severity: Severity,
        about: Option<(Kind, Key)>,
        object: String,
        namespace: Text,
        reason: &str,
        message: String,
    ) {
        let at = self.stamp(self.now);
        // Kubernetes counts repeats on one event; an engine's events are one each
        let repeat = if self.kind == ClusterKind::Kubernetes { 0 } else { self.now as u64 };
        let what = about.as_ref().map_or(0, |(_, key)| chance::of_text(key));
        let number = [chance::of_text(reason), chance::of_text(&message), repeat].iter().fold(what, |h, n| chance::mix(h, *n));
        let key = Key::from(chance::uuid(number).as_str());
        self.changed.events.insert(key.clone());
        if let Some(event) = self.events.get_mut(&key) {
            event.at = at;
            event.count += 1;
            return;
        }
        let event = Event {
            key: key.clone(),
            at,
            severity,
            about,
            object: object.into(),
            namespace,
            reason: reason.into(),
            message: message.into(),
            count: 1,
        };
        self.events.insert(key, event);
        if self.events.len() > KEPT
            && let Some(oldest) = self.events.values().min_by_key(|e| (e.at, e.key.clone())).map(|e| e.key.clone())
        {
            self.events.remove(&oldest);
            self.changed.events.remove(&oldest);
            self.changed.gone_events.push(oldest);
        }
    }
}
