//! Rows of a cluster of any size, for the benches of the store and of lists.

use quarterdeck::backend::sim::PICTURE_EPOCH;
use quarterdeck::model::{
    Availability, Key, Node, NodeState, Resources, Rollout, Service, ServiceKind, Task, TaskState, Text, UpdateStrategy,
};

/// How large the cluster is: tasks are spread evenly over services and nodes.
pub struct Crowd {
    pub nodes: u32,
    pub services: u32,
    pub tasks: u32,
}

/// A platform's unique id of the `n`th object of a kind.
pub fn uid(kind: u32, n: u32) -> Key {
    Key::new(&format!("{kind:08x}-9d1c-4f4e-a8b0-{n:012x}"))
}

impl Crowd {
    /// A row as a watch decodes it: every text its own allocation, the worst case.
    pub fn task(&self, n: u32) -> Task {
        let service = n % self.services;
        Task {
            key: uid(3, n),
            name: format!("service-{service:04}-7d9f8b6c5d-x{n:05}").into(),
            namespace: format!("team-{:03}", service / 20).into(),
            service: Some(uid(2, service)),
            controller: Some("ReplicaSet".into()),
            node: Some(Key::new(&format!("node-a-{:04}", n % self.nodes))),
            state: TaskState::Running,
            ready: true,
            wanted: true,
            why: None,
            stuck: false,
            since: PICTURE_EPOCH,
            image: format!("registry.local/service-{service:04}:1.3").into(),
            restarts: 0,
            last_end: None,
            revision: Some("7d9f8b6c5d".into()),
            requests: Resources { cpu_m: 100, mem: 128 << 20 },
            limits: Resources { cpu_m: 0, mem: 256 << 20 },
            containers: vec![Text::from(format!("service-{service:04}"))].into_boxed_slice(),
            grace: Some(30),
            created: PICTURE_EPOCH,
        }
    }

    /// A service that is as wanted.
    pub fn service(&self, n: u32) -> Service {
        let tasks = self.tasks / self.services;
        Service {
            key: uid(2, n),
            spec_rev: 3,
            observed_rev: 3,
            name: format!("service-{n:04}").into(),
            namespace: format!("team-{:03}", n / 20).into(),
            kind: ServiceKind::Deployment,
            stack: None,
            image: format!("registry.local/service-{n:04}:1.3").into(),
            container: "main".into(),
            beside: Box::default(),
            desired: Some(tasks),
            ready: tasks,
            updated: tasks,
            current: tasks,
            rollout: Rollout::STABLE,
            strategy: UpdateStrategy::Rolling,
            revision: Some("3".into()),
            previous: Some("revision 2".into()),
            earlier: Box::default(),
            budget: None,
            autoscaler: None,
            suspended: false,
            placement: None,
            ports: None,
            created: PICTURE_EPOCH,
            changed: Some(PICTURE_EPOCH),
        }
    }

    /// A node that is ready.
    pub fn node(&self, n: u32) -> Node {
        let name = format!("node-a-{n:04}");
        Node {
            key: Key::new(&name),
            uid: uid(1, n),
            spec_rev: 1,
            name: name.into(),
            labels: Box::default(),
            taints: Box::default(),
            zone: Some("zone-a".into()),
            role: "worker".into(),
            state: NodeState::Ready,
            since: Some(PICTURE_EPOCH),
            why: None,
            availability: Availability::Active,
            pressure: Box::default(),
            allocatable: Resources { cpu_m: 64_000, mem: 256 << 30 },
            max_tasks: Some(250),
            version: "v1.33.4".into(),
            address: "10.20.0.11".into(),
            created: PICTURE_EPOCH,
        }
    }
}
