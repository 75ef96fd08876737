//! Simulated objects as their platforms would print them.

use super::chance;
use super::parts::{Host, Instance, Workload};
use super::platform::Platform;
use crate::backend::BackendError;
use crate::model::{ClusterKind, Kind, NodeState, ObjectRef, Resources};
use std::fmt::Write;

/// Indented lines of YAML.
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, depth: usize, text: impl AsRef<str>) -> &mut Self {
        // writing to a String cannot fail
        let _ = writeln!(self.0, "{:1$}{2}", "", depth * 2, text.as_ref());
        self
    }

    fn field(&mut self, depth: usize, key: &str, value: impl std::fmt::Display) -> &mut Self {
        self.line(depth, format!("{key}: {value}"))
    }
}

impl Platform {
    /// The object as YAML.
    pub(super) fn inspect(&self, object: &ObjectRef) -> Result<String, BackendError> {
        let gone = || BackendError::NotFound(format!("{} {} no longer exists", object.kind.word(), object.key));
        let mut page = Page::default();
        let kubernetes = self.kind == ClusterKind::Kubernetes;
        match object.kind {
            Kind::Node => {
                let host = self.hosts.values().find(|h| h.key == object.key).ok_or_else(gone)?;
                if kubernetes { self.node_yaml(&mut page, host) } else { self.engine_yaml(&mut page, host) }
            }
            Kind::Service => {
                let workload = self.workloads.values().find(|w| w.key == object.key).ok_or_else(gone)?;
                if kubernetes { self.workload_yaml(&mut page, workload) } else { self.service_yaml(&mut page, workload) }
            }
            Kind::Task => {
                let instance = self.instances.values().find(|i| i.key == object.key).ok_or_else(gone)?;
                let workload = self.workloads.get(&instance.workload).ok_or_else(gone)?;
                if kubernetes {
                    self.pod_yaml(&mut page, instance, workload)
                } else {
                    self.task_yaml(&mut page, instance, workload)
                }
            }
            Kind::Event => {
                let event = self.events.get(&object.key).ok_or_else(gone)?;
                page.field(0, "object", &event.object).field(0, "reason", &event.reason).field(0, "count", event.count);
                page.field(0, "message", format!("{:?}", event.message.as_str()));
            }
        }
        Ok(page.0)
    }

    fn node_yaml(&self, page: &mut Page, host: &Host) {
        page.field(0, "apiVersion", "v1").field(0, "kind", "Node").line(0, "metadata:");
        page.field(1, "name", &host.name).field(1, "uid", &host.uid).line(1, "labels:");
        page.field(2, "kubernetes.io/hostname", &host.name);
        for (key, value) in &host.all_labels(self.kind) {
            page.field(2, key, format!("{:?}", value.as_str()));
        }
        page.line(0, "spec:").field(1, "unschedulable", host.availability != crate::model::Availability::Active);
        for (n, taint) in host.taints.iter().enumerate() {
            if n == 0 {
                page.line(1, "taints:");
            }
            page.field(1, "- key", &taint.key).field(2, "value", &taint.value).field(2, "effect", taint.effect.word());
        }
        page.line(0, "status:").line(1, "allocatable:");
        amounts(page, 2, host.allocatable);
        page.field(2, "pods", host.max_tasks.unwrap_or(110)).line(1, "addresses:");
        page.field(1, "- type", "InternalIP").field(2, "address", &host.address).line(1, "conditions:");
        let ready = if host.state == NodeState::Ready { "\"True\"" } else { "Unknown" };
        page.field(1, "- type", "Ready").field(2, "status", ready);
        page.field(2, "message", host.why.as_deref().unwrap_or("kubelet is posting ready status"));
        for pressure in &host.pressure {
            page.field(1, "- type", format!("{pressure:?}")).field(2, "status", "\"True\"");
        }
        page.line(1, "nodeInfo:").field(2, "kubeletVersion", &self.version);
    }

    fn workload_yaml(&self, page: &mut Page, workload: &Workload) {
        let row = self.service(workload);
        let (api, kind) = match workload.kind.word() {
            "deployment" => ("apps/v1", "Deployment"),
            "statefulset" => ("apps/v1", "StatefulSet"),
            "daemonset" => ("apps/v1", "DaemonSet"),
            "cronjob" => ("batch/v1", "CronJob"),
            _ => ("batch/v1", "Job"),
        };
        page.field(0, "apiVersion", api).field(0, "kind", kind).line(0, "metadata:").field(1, "name", &workload.name);
        page.field(1, "namespace", &workload.namespace).field(1, "uid", &workload.key).field(1, "generation", workload.generation);
        page.line(1, "annotations:").field(2, "deployment.kubernetes.io/revision", format!("\"{}\"", workload.revision));
        page.line(0, "spec:").field(1, "replicas", workload.desired).line(1, "selector:").line(2, "matchLabels:");
        page.field(3, "app", &workload.name).line(1, "strategy:").line(2, "rollingUpdate:");
        page.field(3, "maxSurge", workload.surge.words()).field(3, "maxUnavailable", workload.unavailable.words());
        page.line(1, "template:").line(2, "spec:").line(3, "containers:");
        container(
            page,
            3,
            &workload.name,
            workload.definition.image.as_str(),
            workload.definition.requests,
            workload.definition.limits,
        );
        page.line(0, "status:").field(1, "observedGeneration", workload.observed).field(1, "replicas", row.current);
        page.field(1, "readyReplicas", row.ready).field(1, "updatedReplicas", row.updated);
    }

    fn pod_yaml(&self, page: &mut Page, instance: &Instance, workload: &Workload) {
        page.field(0, "apiVersion", "v1").field(0, "kind", "Pod").line(0, "metadata:").field(1, "name", &instance.name);
        page.field(1, "namespace", &workload.namespace).field(1, "uid", &instance.key).line(1, "labels:");
        page.field(2, "app", &workload.name);
        page.field(2, "pod-template-hash", chance::word(instance.made_of, 10, chance::SUFFIX)).line(0, "spec:");
        if let Some(host) = instance.host.and_then(|h| self.hosts.get(&h)) {
            page.field(1, "nodeName", &host.name);
        }
        page.line(1, "containers:");
        let definition = &instance.definition;
        container(page, 1, &workload.name, definition.image.as_str(), definition.requests, definition.limits);
        page.line(1, "env:");
        // a real backend masks values of secrets: so does this one
        page.field(1, "- name", "DATABASE_PASSWORD").field(2, "value", "\"••••••\"");
        page.line(0, "status:").field(1, "phase", instance.phase.state().word()).field(1, "ready", instance.ready);
        page.field(1, "restartCount", instance.restarts);
        if let Some(why) = &instance.why {
            page.field(1, "message", format!("{:?}", why.as_str()));
        }
    }

    fn engine_yaml(&self, page: &mut Page, host: &Host) {
        page.field(0, "ID", &host.uid).line(0, "Description:").field(1, "Hostname", &host.name).line(1, "Resources:");
        page.field(2, "NanoCPUs", host.allocatable.cpu_m * 1_000_000).field(2, "MemoryBytes", host.allocatable.mem);
        page.line(0, "Spec:").field(1, "Availability", host.availability.word()).field(1, "Role", &host.role).line(1, "Labels:");
        for (key, value) in
            host.labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).chain(host.zone.as_deref().map(|z| ("zone", z)))
        {
            page.field(2, key, value);
        }
        page.line(0, "Status:").field(1, "State", host.state.word()).field(1, "Addr", &host.address);
    }

    fn service_yaml(&self, page: &mut Page, workload: &Workload) {
        page.field(0, "ID", &workload.key).line(0, "Spec:").field(1, "Name", &workload.name).line(1, "TaskTemplate:");
        page.field(2, "ForceUpdate", workload.definition.forced).line(2, "ContainerSpec:");
        page.field(3, "Image", &workload.definition.image);
        if let Some(constraint) = &workload.definition.constraint {
            page.line(2, "Placement:").line(3, "Constraints:").line(3, format!("- {}", constraint.words()));
        }
        page.line(1, "Mode:").line(2, format!("{}:", workload.kind.word())).field(3, "Replicas", workload.desired);
        page.line(1, "UpdateConfig:").field(2, "Parallelism", workload.update.parallelism);
        page.field(2, "Order", if workload.update.start_first { "start-first" } else { "stop-first" });
        if let Some(note) = &workload.note {
            page.line(0, "UpdateStatus:").field(1, "Message", note);
        }
    }

    fn task_yaml(&self, page: &mut Page, instance: &Instance, workload: &Workload) {
        page.field(0, "ID", &instance.key).field(0, "Name", &instance.name).field(0, "ServiceID", &workload.key);
        page.field(0, "Slot", instance.slot);
        if let Some(host) = instance.host.and_then(|h| self.hosts.get(&h)) {
            page.field(0, "NodeID", &host.key);
        }
        page.field(0, "DesiredState", if instance.wanted { "running" } else { "shutdown" });
        page.line(0, "Spec:").field(1, "Image", &instance.definition.image);
        page.line(0, "Status:").field(1, "State", instance.phase.state().word());
        if let Some(why) = &instance.why {
            page.field(1, "Err", format!("{:?}", why.as_str()));
        }
    }
}

fn amounts(page: &mut Page, depth: usize, of: Resources) {
    page.field(depth, "cpu", format!("{}m", of.cpu_m)).field(depth, "memory", format!("{}Mi", of.mem >> 20));
}

fn container(page: &mut Page, depth: usize, name: &str, image: &str, requests: Resources, limits: Resources) {
    page.field(depth, "- name", name).field(depth + 1, "image", image).line(depth + 1, "resources:").line(depth + 2, "requests:");
    amounts(page, depth + 3, requests);
    if limits.mem > 0 {
        page.line(depth + 2, "limits:").field(depth + 3, "memory", format!("{}Mi", limits.mem >> 20));
    }
}
