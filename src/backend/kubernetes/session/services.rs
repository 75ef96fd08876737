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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::convert::service;
    use super::super::super::raw::Deployment;
    use super::*;
    use serde_json::{Value, json};

    const OTHERS: [Feed; 5] = [Feed::StatefulSets, Feed::DaemonSets, Feed::ReplicaSets, Feed::Jobs, Feed::CronJobs];

    fn put(services: &mut Services, name: &str) -> Vec<Delta> {
        let mut raw: Deployment = serde_json::from_value(json!({
            "metadata": { "name": name, "namespace": "shop", "uid": name },
            "spec": { "template": { "metadata": { "labels": { "app": name } } } }
        }))
        .unwrap();
        let row = service::deployment(&raw, &mut Names::default());
        services.upsert(Feed::Deployments, row, &mut raw.spec.template)
    }

    fn words(deltas: &[Delta]) -> Vec<String> {
        let word = |delta: &Delta| match delta {
            Delta::Service(Change::Begin) => "begin".to_owned(),
            Delta::Service(Change::Upsert(row)) => format!("+{}", row.name),
            Delta::Service(Change::Remove(key)) => format!("-{key}"),
            Delta::Service(Change::End) => "end".to_owned(),
            Delta::Service(Change::Failed(why) | Change::Narrowed(why)) => why.to_string(),
            other => format!("{other:?}"),
        };
        deltas.iter().map(word).collect()
    }

    /// All but the last of the feeds.
    fn listed() -> Services {
        let mut services = Services::new(Shared::default());
        assert!(JOINED.iter().all(|what| services.unknown(what, None).is_empty()));
        assert_eq!(words(&services.begin(Feed::Deployments)), ["begin"]);
        put(&mut services, "web");
        put(&mut services, "api");
        assert!(services.end(Feed::Deployments, None).is_empty());
        for feed in OTHERS.iter().take(4) {
            assert!(services.begin(*feed).is_empty());
            assert!(services.end(*feed, None).is_empty());
        }
        services
    }

    fn row(deltas: &[Delta]) -> &Service {
        match deltas.first() {
            Some(Delta::Service(Change::Upsert(row))) => row,
            other => unreachable!("no row: {other:?}"),
        }
    }

    #[test]
    fn the_tables_list_ends_with_the_last_kind_and_a_later_relist_takes_away_only_its_own() {
        let mut services = listed();
        assert_eq!(words(&services.end(Feed::CronJobs, None)), ["end"]);
        assert!(services.begin(Feed::Deployments).is_empty());
        assert!(put(&mut services, "web").is_empty(), "nothing about it changed");
        assert_eq!(words(&services.end(Feed::Deployments, None)), ["-api"]);
    }

    #[test]
    fn the_table_is_whole_when_what_it_is_joined_with_is() {
        let mut services = Services::new(Shared::default());
        services.begin(Feed::Deployments);
        put(&mut services, "web");
        for feed in OTHERS.into_iter().chain([Feed::Deployments]) {
            assert!(services.end(feed, None).is_empty());
        }
        assert!(services.unknown(BUDGETS, None).is_empty());
        assert!(services.unknown(REVISIONS, Some("refused".into())).is_empty());
        assert_eq!(words(&services.unknown(AUTOSCALERS, None)), ["refused"]);
    }

    #[test]
    fn a_kind_that_cannot_be_read_is_said_once_the_others_are_listed_and_taken_back_when_it_can() {
        let mut services = listed();
        assert_eq!(words(&services.failed(Feed::CronJobs, "cannot list cronjobs".into())), ["cannot list cronjobs"; 2]);
        assert!(services.failed(Feed::CronJobs, "cannot list cronjobs".into()).is_empty());
        services.begin(Feed::CronJobs);
        assert_eq!(words(&services.end(Feed::CronJobs, None)), ["end"]);
    }

    #[test]
    fn namespaces_that_are_not_all_are_said_once_for_all_kinds_and_taken_back_when_all_are_read() {
        let mut services = listed();
        services.begin(Feed::CronJobs);
        let only = || Some("only namespace shop".into());
        assert_eq!(words(&services.end(Feed::CronJobs, only())), ["only namespace shop"]);
        services.begin(Feed::Jobs);
        assert_eq!(words(&services.end(Feed::Jobs, only())), ["only namespace shop"]);
        services.begin(Feed::Jobs);
        assert!(services.end(Feed::Jobs, only()).is_empty(), "nothing new");
        services.begin(Feed::Jobs);
        services.end(Feed::Jobs, None);
        services.begin(Feed::CronJobs);
        assert_eq!(words(&services.end(Feed::CronJobs, None)), ["end"]);
    }

    #[test]
    fn budgets_or_autoscalers_that_cannot_be_read_are_said_for_previews_leave_them_out() {
        let mut services = listed();
        assert!(services.unknown("autoscalers", Some("autoscalers are not known".into())).is_empty(), "not listed yet");
        assert_eq!(words(&services.end(Feed::CronJobs, None)), ["autoscalers are not known"]);
        assert!(services.unknown("autoscalers", Some("autoscalers are not known".into())).is_empty(), "no news");
        assert_eq!(words(&services.unknown("autoscalers", None)), ["end"]);
        assert!(services.unknown("autoscalers", None).is_empty());
    }

    #[test]
    fn the_tightest_budget_that_selects_the_tasks_counts() {
        let mut services = listed();
        let mut budget = |name: &str, namespace: &str, app: &str, allowed: u32| {
            let raw: Value = json!({
                "metadata": { "name": name, "namespace": namespace, "uid": name },
                "spec": { "maxUnavailable": "25%", "selector": { "matchLabels": { "app": app } } },
                "status": { "disruptionsAllowed": allowed }
            });
            services.budget(serde_json::from_value(raw).unwrap(), &mut Names::default())
        };
        assert!(budget("elsewhere", "other", "web", 0).is_empty());
        assert_eq!(row(&budget("loose", "shop", "web", 3)).budget.as_ref().unwrap().allowed, 3);
        let tight = budget("tight", "shop", "web", 1);
        let held = row(&tight).budget.as_ref().unwrap();
        assert_eq!((held.name.as_str(), held.allowed, held.rule.as_str()), ("tight", 1, "max unavailable 25%"));
        assert_eq!(held.beside.as_deref(), Some("loose"), "the server evicts nothing that two of them cover");
        let left = services.no_budget(&"tight".into());
        let held = row(&left).budget.as_ref().unwrap();
        assert_eq!((held.name.as_str(), held.beside.as_deref()), ("loose", None));
    }

    #[test]
    fn the_previous_definition_is_the_second_newest_and_goes_with_its_holder() {
        let mut services = listed();
        let (web, old, new) = (Key::from("web"), Key::from("rs-1"), Key::from("rs-2"));
        assert_eq!(row(&services.define(&web, &old, 9, "web:1".into(), None)).previous, None);
        let deltas = services.define(&web, &new, 10, "web:2".into(), Some(Timestamp(5)));
        assert_eq!(row(&deltas).previous.as_deref(), Some("revision 9 · image web:1"));
        assert_eq!(row(&deltas).changed, Some(Timestamp(5)));
        let nine = model::Earlier { revision: 9, image: "web:1".into(), made: None };
        assert_eq!(*row(&deltas).earlier, [nine]);
        // a roll back: the old holder becomes the newest
        let back = services.define(&web, &old, 11, "web:1".into(), None);
        assert_eq!(row(&back).previous.as_deref(), Some("revision 10 · image web:2"));
        assert_eq!(row(&services.undefine(&new)).previous, None);
        // the same number twice, in whatever order they become known: the newer one is the present
        services.undefine(&old);
        for [first, second] in [["rs-3", "rs-4"], ["rs-4", "rs-3"]] {
            for holder in [first, second] {
                let made = if holder == "rs-3" { 6 } else { 7 };
                services.define(&web, &holder.into(), 12, holder.into(), Some(Timestamp(made)));
            }
            let held = services.workloads[&web].sent.as_ref().unwrap();
            assert_eq!((held.previous.as_deref(), held.changed), (Some("revision 12 · image rs-3"), Some(Timestamp(7))));
            services.undefine(&"rs-3".into());
            services.undefine(&"rs-4".into());
        }
    }
}
