//! What the services table tells, step by step.

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
