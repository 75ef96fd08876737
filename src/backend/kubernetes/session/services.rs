//! The services table: workloads of six kinds, joined with what other objects say about them.

use super::super::convert::Names;
use super::super::index::{Place, Shared};
use super::super::raw::{Autoscaler, DisruptionBudget, Meta, Selector, Template};
use super::relist::Relist;
use crate::model::{self, Budget, Change, Delta, Key, Service, ServiceKind, Text};
use crate::util::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The kinds whose objects are rows of this table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Feed {
    Deployments,
    StatefulSets,
    DaemonSets,
    ReplicaSets,
    Jobs,
    CronJobs,
}

/// How many feeds there are.
const FEEDS: usize = 6;

/// What services are joined with, in words.
pub(super) const BUDGETS: &str = "disruption budgets";
pub(super) const AUTOSCALERS: &str = "autoscalers";
pub(super) const REVISIONS: &str = "earlier definitions";
const JOINED: [&str; 3] = [BUDGETS, AUTOSCALERS, REVISIONS];

/// Where a feed stands.
#[derive(Debug, Default)]
struct FeedState {
    keys: Relist,
    /// It was listed whole, or it is known that it cannot be, at least once.
    settled: bool,
    /// Why it cannot be read now.
    failed: Option<Text>,
    /// Which namespaces it was read in, if not in all.
    only: Option<Text>,
}

/// A definition a service had or has.
#[derive(Clone, Debug)]
struct Definition {
    revision: u64,
    image: Text,
    /// When this definition came into use; none when it came back by a roll back.
    since: Option<Timestamp>,
}

#[derive(Debug)]
struct Workload {
    row: Service,
    /// Labels of its pods: what budgets select by.
    labels: BTreeMap<String, String>,
    /// The row as it was sent last.
    sent: Option<Service>,
}

#[derive(Debug)]
struct BudgetRow {
    namespace: Text,
    budget: Budget,
    selector: Option<Selector>,
}

#[derive(Debug)]
struct AutoscalerRow {
    namespace: Text,
    kind: String,
    name: Text,
    scaler: model::Autoscaler,
}

/// See the module's description. Every method returns the deltas to send, in order.
#[derive(Default)]
pub(super) struct Services {
    index: Shared,
    feeds: [FeedState; FEEDS],
    begun: bool,
    workloads: HashMap<Key, Workload>,
    /// Past and present definitions by service, then by the object that holds them.
    definitions: HashMap<Key, HashMap<Key, Definition>>,
    budgets: HashMap<Key, BudgetRow>,
    autoscalers: HashMap<Key, AutoscalerRow>,
    /// What is joined with services and cannot be read, and why.
    unknown: BTreeMap<&'static str, Text>,
    /// What is joined with services and was listed, or is known to be unreadable, at least once.
    joined: BTreeSet<&'static str>,
}

impl Services {
    /// An empty table whose places go to `index`.
    pub fn new(index: Shared) -> Self {
        Self { index, ..Self::default() }
    }

    /// A list of one kind begins. The table's own list begins with the first of them.
    pub fn begin(&mut self, feed: Feed) -> Vec<Delta> {
        self.feeds[feed as usize].keys.begin();
        if std::mem::replace(&mut self.begun, true) { Vec::new() } else { vec![Delta::Service(Change::Begin)] }
    }

    /// A workload is new or different.
    pub fn upsert(&mut self, feed: Feed, row: Service, template: &mut Template) -> Vec<Delta> {
        let key = row.key.clone();
        self.feeds[feed as usize].keys.seen(&key);
        let place = Place { namespace: row.namespace.clone(), name: row.name.clone() };
        self.index.lock().services.insert(key.clone(), (row.kind, place));
        let labels = std::mem::take(&mut template.metadata.labels);
        let sent = self.workloads.remove(&key).and_then(|held| held.sent);
        self.workloads.insert(key.clone(), Workload { row, labels, sent });
        self.refresh(&key).into_iter().collect()
    }

    /// A workload is gone.
    pub fn remove(&mut self, feed: Feed, key: &Key) -> Vec<Delta> {
        self.feeds[feed as usize].keys.gone(key);
        self.forget(key).into_iter().collect()
    }

    /// The list of one kind is whole, or whole in some namespaces `only`: what it no longer has is gone. The table's list
    /// ends with the last of them.
    pub fn end(&mut self, feed: Feed, only: Option<Text>) -> Vec<Delta> {
        let state = &mut self.feeds[feed as usize];
        let news = state.failed.take().is_some() || state.only != only;
        state.only = only;
        let vanished = state.keys.end();
        let mut deltas: Vec<Delta> = vanished.iter().filter_map(|key| self.forget(key)).collect();
        deltas.extend(self.settle(feed, news));
        deltas
    }

    /// A kind cannot be read.
    pub fn failed(&mut self, feed: Feed, why: Text) -> Vec<Delta> {
        let state = &mut self.feeds[feed as usize];
        let news = state.failed.as_ref() != Some(&why);
        state.failed = Some(why);
        self.settle(feed, news)
    }

    /// Something that services are joined with cannot be read, or can again. Services are no less listed for it.
    pub fn unknown(&mut self, what: &'static str, why: Option<Text>) -> Vec<Delta> {
        let before = self.settled();
        self.joined.insert(what);
        let old_news = match why {
            Some(why) => self.unknown.insert(what, why.clone()).as_ref() == Some(&why),
            None => self.unknown.remove(what).is_none(),
        };
        if !self.settled() || before && old_news { Vec::new() } else { self.standing() }
    }

    /// What is not read of a kind, in words, if anything; none while it was neither listed nor is known to be unreadable.
    pub fn unread(&self, feed: Feed) -> Option<Option<&Text>> {
        let state = &self.feeds[feed as usize];
        state.settled.then(|| state.failed.as_ref().or(state.only.as_ref()))
    }

    /// Settles a feed, and says how the whole table stands when that is new.
    fn settle(&mut self, feed: Feed, news: bool) -> Vec<Delta> {
        let before = self.settled();
        self.feeds[feed as usize].settled = true;
        let now = self.settled();
        if !now || before && !news { Vec::new() } else { self.standing() }
    }

    /// How the whole table stands.
    fn standing(&mut self) -> Vec<Delta> {
        let mut deltas = Vec::new();
        if !std::mem::replace(&mut self.begun, true) {
            deltas.push(Delta::Service(Change::Begin));
        }
        let mut only: Vec<&str> = self.feeds.iter().filter_map(|f| f.only.as_deref()).collect();
        only.dedup();
        only.extend(self.unknown.values().map(Text::as_str));
        let why: Vec<&str> = self.feeds.iter().filter_map(|f| f.failed.as_deref()).chain(only.iter().copied()).collect();
        // rows of an earlier session that none of the lists had go away here
        if why.is_empty() {
            deltas.push(Delta::Service(Change::End));
            return deltas;
        }
        let why = Text::from(why.join("; "));
        deltas.push(Delta::Service(Change::Narrowed(why.clone())));
        if self.feeds.iter().any(|f| f.failed.is_some()) {
            deltas.push(Delta::Service(Change::Failed(why)));
        }
        deltas
    }

    /// Whether all lists came to an end, also those of what services are joined with: rows without that are not right.
    fn settled(&self) -> bool {
        self.feeds.iter().all(|f| f.settled) && JOINED.iter().all(|what| self.joined.contains(what))
    }

    fn forget(&mut self, key: &Key) -> Option<Delta> {
        self.index.lock().services.remove(key);
        self.definitions.remove(key);
        self.workloads.remove(key).map(|_| Delta::Service(Change::Remove(key.clone())))
    }

    /// Learns of a definition of `service`, held by the object `holder` (a ReplicaSet, a ControllerRevision).
    pub fn define(&mut self, service: &Key, holder: &Key, revision: u64, image: Text, since: Option<Timestamp>) -> Vec<Delta> {
        self.definitions.entry(service.clone()).or_default().insert(holder.clone(), Definition { revision, image, since });
        self.refresh(service).into_iter().collect()
    }

    /// An object that held a definition is gone.
    pub fn undefine(&mut self, holder: &Key) -> Vec<Delta> {
        let held: Vec<Key> = self.definitions.iter_mut().filter_map(|(key, of)| of.remove(holder).map(|_| key.clone())).collect();
        self.definitions.retain(|_, of| !of.is_empty());
        held.iter().filter_map(|key| self.refresh(key)).collect()
    }

    /// A budget is new or different.
    pub fn budget(&mut self, raw: DisruptionBudget, names: &mut Names) -> Vec<Delta> {
        let rule = match (&raw.spec.min_available, &raw.spec.max_unavailable) {
            (Some(min), _) => format!("min available {min}"),
            (None, Some(max)) => format!("max unavailable {max}"),
            (None, None) => "min available 1".to_owned(),
        };
        let budget = Budget {
            name: names.text(&raw.metadata.name),
            allowed: raw.status.disruptions_allowed,
            rule: names.text(&rule),
            beside: None,
        };
        let namespace = names.text(&raw.metadata.namespace);
        let row = BudgetRow { namespace: namespace.clone(), budget, selector: raw.spec.selector };
        self.budgets.insert(Key::new(&raw.metadata.uid), row);
        self.refresh_all(&namespace)
    }

    /// A budget is gone.
    pub fn no_budget(&mut self, key: &Key) -> Vec<Delta> {
        self.budgets.remove(key).map(|gone| self.refresh_all(&gone.namespace)).unwrap_or_default()
    }

    /// An autoscaler is new or different.
    pub fn autoscaler(&mut self, raw: &Autoscaler, names: &mut Names) -> Vec<Delta> {
        let (target, meta) = (&raw.spec.scale_target_ref, &raw.metadata);
        let (min, max) = (raw.spec.min_replicas.unwrap_or(1), raw.spec.max_replicas);
        let namespace = names.text(&meta.namespace);
        let row = AutoscalerRow {
            namespace: namespace.clone(),
            kind: target.kind.clone(),
            name: names.text(&target.name),
            scaler: model::Autoscaler { name: names.text(&meta.name), min, max },
        };
        self.autoscalers.insert(Key::new(&meta.uid), row);
        self.refresh_all(&namespace)
    }

    /// An autoscaler is gone.
    pub fn no_autoscaler(&mut self, key: &Key) -> Vec<Delta> {
        self.autoscalers.remove(key).map(|gone| self.refresh_all(&gone.namespace)).unwrap_or_default()
    }

    fn refresh_all(&mut self, namespace: &Text) -> Vec<Delta> {
        let keys: Vec<Key> =
            self.workloads.iter().filter(|(_, w)| w.row.namespace == *namespace).map(|(key, _)| key.clone()).collect();
        keys.iter().filter_map(|key| self.refresh(key)).collect()
    }

    /// The row of a service as it is now, if it differs from what was sent last.
    fn refresh(&mut self, key: &Key) -> Option<Delta> {
        let held = self.workloads.get(key)?;
        let mut row = held.row.clone();
        let mut definitions: Vec<&Definition> = self.definitions.get(key).map(|of| of.values().collect()).unwrap_or_default();
        // a controller that did not yet know of its last definition gives the next the same number: the newest is the present
        definitions.sort_unstable_by_key(|d| std::cmp::Reverse((d.revision, d.since.is_none(), d.since)));
        if let Some(present) = definitions.first() {
            row.revision = row.revision.or_else(|| Some(Text::from(present.revision.to_string())));
            row.changed = present.since;
        }
        row.previous = definitions.get(1).map(|d| Text::from(format!("revision {} · image {}", d.revision, d.image)));
        row.earlier = definitions
            .iter()
            .skip(1)
            .map(|d| model::Earlier { revision: d.revision, image: d.image.clone(), made: d.since })
            .collect();
        // of several budgets the tightest is told, and that it is not alone: the server evicts nothing that two of them cover
        let mut budgets: Vec<&Budget> = self
            .budgets
            .values()
            .filter(|b| b.namespace == row.namespace && b.selector.as_ref().is_some_and(|s| s.selects(&held.labels)))
            .map(|b| &b.budget)
            .collect();
        budgets.sort_unstable_by(|a, b| (a.allowed, &a.name).cmp(&(b.allowed, &b.name)));
        let beside = budgets.get(1).map(|second| second.name.clone());
        row.budget = budgets.first().map(|first| Budget { beside, ..Budget::clone(first) });
        row.autoscaler = self
            .autoscalers
            .values()
            .find(|a| a.namespace == row.namespace && a.name == row.name && target_kind(row.kind) == a.kind)
            .map(|a| a.scaler.clone());
        let held = self.workloads.get_mut(key)?;
        if held.sent.as_ref() == Some(&row) {
            return None;
        }
        held.sent = Some(row.clone());
        Some(Delta::Service(Change::Upsert(row)))
    }
}

fn target_kind(kind: ServiceKind) -> &'static str {
    match kind {
        ServiceKind::Deployment => "Deployment",
        ServiceKind::StatefulSet => "StatefulSet",
        ServiceKind::ReplicaSet => "ReplicaSet",
        _ => "",
    }
}

/// Key of an object: its uid.
pub(super) fn uid<L>(meta: &Meta<L>) -> Key {
    Key::new(&meta.uid)
}

#[cfg(test)]
mod tests;
