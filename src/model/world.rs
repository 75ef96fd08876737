//! The picture the store publishes: immutable, cheap to clone, shared by every reader.

use super::{
    ActionKind, Answer, Cluster, ClusterId, Event, Finding, Join, Key, Keyed, Kind, KindSync, Node, ObjectRef, Operation,
    Resources, Series, Service, Survey, Table, Tail, TailId, Task, Text,
};
use crate::util::time::Timestamp;
use std::sync::Arc;

/// Everything known at one moment.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Counts publishes; a picture with a higher number is newer.
    pub revision: u64,
    /// Clusters in the order they are shown.
    pub clusters: Vec<Arc<ClusterState>>,
    /// Operations of this process, oldest first.
    pub operations: Vec<Arc<Operation>>,
    /// Open log views.
    pub tails: Vec<Arc<Tail>>,
    /// The last whole object fetched.
    pub document: Option<Arc<Document>>,
    /// Things to read once, oldest first; the last hundred.
    pub notices: Vec<Arc<Notice>>,
}

/// What is known of one cluster.
#[derive(Clone, Debug)]
pub struct ClusterState {
    /// Its own row.
    pub cluster: Cluster,
    /// How complete each table is, by [`Kind::index`].
    pub sync: [KindSync; 4],
    /// Nodes.
    pub nodes: Table<Node>,
    /// Services.
    pub services: Table<Service>,
    /// Tasks.
    pub tasks: Table<Task>,
    /// Events, the newest two thousand.
    pub events: Table<Event>,
    /// Derived: what is wrong, by [`Finding::key_of`].
    pub findings: Table<Finding>,
    /// Derived: what tasks make of each node, by node key.
    pub node_loads: Table<NodeLoad>,
    /// Derived: what tasks make of each service, by service key.
    pub service_loads: Table<ServiceLoad>,
    /// Derived: services that were seen to fall short, by service key.
    pub shortfalls: Table<Shortfall>,
    /// Measurements by node key.
    pub node_usage: Table<Series>,
    /// Measurements by task key.
    pub task_usage: Table<Series>,
    /// Sums of the tasks' measurements by service key.
    pub service_usage: Table<Series>,
    /// Why there are no measurements, where there are none.
    pub no_usage: Option<Text>,
    /// What the platform said of rights when it was asked, newest last; of the objects asked about last.
    pub rights: Vec<Arc<Rights>>,
    /// What the platform said before actions, of those asked about last.
    pub surveys: Vec<Arc<Survey>>,
    /// What lets a machine join the swarm, as long as somebody looks at it.
    pub join: Option<Arc<Join>>,
}

/// What a platform said when it was asked, before anything was done, which actions on an object it would refuse. It may
/// have changed its mind since: its answer to the action itself is what counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// The object's table.
    pub kind: Kind,
    /// The object.
    pub key: Key,
    /// What it would refuse, and why in words.
    pub denied: Vec<(ActionKind, Text)>,
}

/// What the live tasks make of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeLoad {
    /// The node.
    pub key: Key,
    /// Keys of the tasks placed there that have not ended.
    pub tasks: Vec<Key>,
    /// What the scheduler has set aside for them.
    pub reserved: Resources,
}

impl Keyed for NodeLoad {
    fn key(&self) -> &Key {
        &self.key
    }
}

/// Which tasks a service has, so that a reader finds them without reading all tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceLoad {
    /// The service.
    pub key: Key,
    /// Keys of its tasks, also of those that have ended.
    pub tasks: Arc<Vec<Key>>,
    /// Restarts of its live tasks, summed.
    pub restarts: u32,
    /// How many of its live tasks have come back more than once ([`Task::comes_back`]).
    pub coming_back: u32,
    /// How many of its live tasks are limited in memory.
    pub limited: u32,
}

/// Fewer tasks of a service are ready than are wanted. Not of one that was short when it was first seen: nobody knows since
/// when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// The service.
    pub key: Key,
    /// When it was seen to begin.
    pub since: Timestamp,
}

impl Keyed for Shortfall {
    fn key(&self) -> &Key {
        &self.key
    }
}

impl Keyed for ServiceLoad {
    fn key(&self) -> &Key {
        &self.key
    }
}

/// A whole object as text, or why it could not be fetched.
#[derive(Clone, Debug)]
pub struct Document {
    /// Which object.
    pub object: ObjectRef,
    /// When it was fetched.
    pub at: Timestamp,
    /// Its lines (YAML), each cleaned.
    pub lines: Result<Vec<Text>, Text>,
}

/// Something to read once.
#[derive(Clone, Debug)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// Whether it is a warning (else an information).
    pub warning: bool,
    /// In words.
    pub text: Text,
}

impl World {
    /// The cluster of this name.
    pub fn cluster(&self, id: &ClusterId) -> Option<&Arc<ClusterState>> {
        self.clusters.iter().find(|c| c.cluster.id == *id)
    }

    /// The open log view of this number.
    pub fn tail(&self, id: TailId) -> Option<&Arc<Tail>> {
        self.tails.iter().find(|t| t.id == id)
    }
}

impl ClusterState {
    /// An empty picture of a cluster.
    pub fn new(cluster: Cluster) -> Self {
        Self {
            cluster,
            sync: Default::default(),
            nodes: Table::default(),
            services: Table::default(),
            tasks: Table::default(),
            events: Table::default(),
            findings: Table::default(),
            node_loads: Table::default(),
            service_loads: Table::default(),
            shortfalls: Table::default(),
            node_usage: Table::default(),
            task_usage: Table::default(),
            service_usage: Table::default(),
            no_usage: None,
            rights: Vec::new(),
            surveys: Vec::new(),
            join: None,
        }
    }

    /// How complete the table of `kind` is.
    pub fn sync_of(&self, kind: Kind) -> &KindSync {
        &self.sync[kind.index()]
    }

    /// The tasks of a service, also those that have ended.
    pub fn tasks_of<'a>(&'a self, service: &str) -> impl Iterator<Item = &'a Arc<Task>> {
        self.service_loads.get(service).into_iter().flat_map(|load| load.tasks.iter()).filter_map(|key| self.tasks.get(key))
    }

    /// The tasks placed on a node that have not ended.
    pub fn tasks_on<'a>(&'a self, node: &str) -> impl Iterator<Item = &'a Arc<Task>> {
        self.node_loads.get(node).into_iter().flat_map(|load| load.tasks.iter()).filter_map(|key| self.tasks.get(key))
    }

    /// How many tasks are placed on a node and have not ended.
    pub fn load_of(&self, node: &str) -> usize {
        self.node_loads.get(node).map_or(0, |load| load.tasks.len())
    }

    /// Why the platform would refuse this action on an object, as far as it was asked.
    pub fn denied(&self, kind: Kind, key: &Key, action: ActionKind) -> Option<&Text> {
        let rights = self.rights.iter().find(|rights| rights.kind == kind && rights.key == *key)?;
        rights.denied.iter().find(|(denied, _)| *denied == action).map(|(_, why)| why)
    }

    /// What the platform said before this action on an object.
    pub fn survey(&self, key: &Key, action: ActionKind) -> &Answer {
        let survey = self.surveys.iter().find(|survey| survey.key == *key && survey.action == action);
        survey.map_or(&Answer::Asking, |survey| &survey.answer)
    }

    /// What is wrong with an object, if anything is.
    pub fn finding_of(&self, kind: Kind, key: &Key) -> Option<&Arc<Finding>> {
        self.findings.get(&Finding::key_of(Some((kind, key))))
    }

    /// The name on screen of a node that a task refers to; its key where the node is not known.
    pub fn node_name<'a>(&'a self, key: &'a Key) -> &'a str {
        self.nodes.get(key).map_or(key.as_str(), |node| node.name.as_str())
    }
}
