//! Where objects live: the names behind the keys, for requests about single objects.

use crate::model::{Key, ServiceKind, Text};
use std::collections::HashMap;
use std::sync::Arc;

/// Namespace and name of an object. Texts: what passed the sanitiser unchanged is the name itself, and a valid Kubernetes
/// name always does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Namespace.
    pub namespace: Text,
    /// Name.
    pub name: Text,
}

/// A pod, and who makes it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PodEntry {
    /// Where it is.
    pub place: Place,
    /// Its service, once known.
    pub service: Option<Key>,
}

/// All objects that can be addressed, as of the running session.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Pods by uid.
    pub pods: HashMap<Key, PodEntry>,
    /// Workloads by uid.
    pub services: HashMap<Key, (ServiceKind, Place)>,
    /// Events by uid.
    pub events: HashMap<Key, Place>,
}

/// An index that the session writes and actions read.
pub(super) type Shared = Arc<parking_lot::Mutex<Index>>;
