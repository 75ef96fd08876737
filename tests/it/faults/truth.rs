//! What is so at the server: all objects with all their versions, the changes in order, and the rows they come to.

use super::objects::{Resource, uid};
use crate::oracle::kubernetes::{self, Objects};
use crate::oracle::rows::Rows;
use quarterdeck::model::Kind;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An object as it was from a version on; none where it was gone.
type Version = (u64, Option<Arc<Value>>);

/// A change as a watch tells of it.
#[derive(Clone)]
pub struct Change {
    pub version: u64,
    pub resource: Resource,
    pub word: &'static str,
    pub object: Arc<Value>,
    pub at: Instant,
}

pub struct Truth {
    /// The version of the newest change.
    pub version: u64,
    /// What happened before is forgotten: watches and pages of older versions are told so.
    pub compacted: u64,
    held: BTreeMap<(Resource, String), Vec<Version>>,
    log: Vec<Change>,
    pub rows: Rows,
    last: u64,
}

impl Truth {
    pub fn new() -> Self {
        Self { version: 100, compacted: 0, held: BTreeMap::new(), log: Vec::new(), rows: Rows::default(), last: 0 }
    }

    /// A number that was never given before, not even before a restore.
    pub fn mark(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub fn put(&mut self, resource: Resource, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let versions = self.held.entry((resource, uid(&object).to_owned())).or_default();
        let word = if versions.last().is_some_and(|(_, held)| held.is_some()) { "MODIFIED" } else { "ADDED" };
        let object = Arc::new(object);
        versions.push((self.version, Some(Arc::clone(&object))));
        self.tell(resource, word, object);
    }

    pub fn remove(&mut self, resource: Resource, uid: &str) {
        let Some(versions) = self.held.get_mut(&(resource, uid.to_owned())) else { return };
        let Some((_, Some(held))) = versions.last() else { return };
        let mut object = Value::clone(held);
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        versions.push((self.version, None));
        self.tell(resource, "DELETED", Arc::new(object));
    }

    fn tell(&mut self, resource: Resource, word: &'static str, object: Arc<Value>) {
        let mut rows = std::mem::take(&mut self.rows);
        kubernetes::follow(&mut rows, self, resource, &object, word == "DELETED");
        self.rows = rows;
        self.log.push(Change { version: self.version, resource, word, object, at: Instant::now() });
    }

    /// What was is forgotten: only what is so now is kept, and of the changes those of the last while, for watches that stand
    /// and have not been told of them yet.
    pub fn forget(&mut self, untold: Duration) {
        self.compacted = self.version;
        self.log.retain(|change| change.at.elapsed() < untold);
        for versions in self.held.values_mut() {
            versions.drain(..versions.len().saturating_sub(1));
        }
        self.held.retain(|_, versions| versions.iter().any(|(_, object)| object.is_some()));
    }

    /// All objects as they were at a version.
    pub fn at(&self, resource: Resource, version: u64) -> Vec<Arc<Value>> {
        let of = self.held.range((resource, String::new())..).take_while(|((of, _), _)| *of == resource);
        of.filter_map(|(_, versions)| versions.iter().rev().find(|(from, _)| *from <= version)?.1.clone()).collect()
    }

    /// Changes of a resource after a version.
    pub fn since(&self, resource: Resource, version: u64) -> Vec<Change> {
        let from = self.log.partition_point(|change| change.version <= version);
        self.log[from..].iter().filter(|change| change.resource == resource).cloned().collect()
    }

    /// Everything is again as it was at a version: the server was restored from an older copy.
    pub fn restore(&mut self, version: u64) {
        self.version = version;
        self.log.retain(|change| change.version <= version);
        for versions in self.held.values_mut() {
            versions.retain(|(from, _)| *from <= version);
        }
        self.held.retain(|_, versions| !versions.is_empty());
        let mut rows = std::mem::take(&mut self.rows);
        Kind::ALL.into_iter().for_each(|kind| rows.renew(kind, kubernetes::expected(self, kind)));
        self.rows = rows;
    }
}

impl Objects for Truth {
    fn now(&self, resource: Resource) -> Vec<Arc<Value>> {
        self.at(resource, self.version)
    }

    fn get(&self, resource: Resource, uid: &str) -> Option<Arc<Value>> {
        self.held.get(&(resource, uid.to_owned()))?.last()?.1.clone()
    }
}
