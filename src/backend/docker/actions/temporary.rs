//! What an operation adds to a service for the time being: more tasks, nodes to avoid, zones to spread over. It is written
//! down on the service itself, in labels, which change no task, in the same update: whoever goes on after a crash finds what
//! was added and does not add it again, whoever cancels it takes back exactly that, and what somebody else has set
//! meanwhile is left as it is.
//!
//! Whose it is says the end of each label: the ID of the node that is evacuated, of the task that is moved, of the service
//! that is spread anew.

use super::surplus;
use super::write::{Target, Update, at, read, write};
use crate::backend::BackendError;
use crate::backend::docker::client::Docker;
use crate::backend::docker::transport::http::Http;
use crate::backend::docker::wire;
use crate::model::Intent;
use serde_json::{Map, Value, json};
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The number of tasks a service wants, while it has more.
const WANTS: &str = "quarterdeck.evacuation.wants";
/// How many more it has.
const MORE: &str = "quarterdeck.evacuation.of.";
/// How many of them ran before.
const HAD: &str = "quarterdeck.evacuation.had.";
/// The IDs of nodes that it must avoid, with commas between.
const AVOIDS: &str = "quarterdeck.avoids.";
/// The node label whose values it is spread over before all else.
const SPREADS: &str = "quarterdeck.spreads.";
/// How long tasks that do not run may take to go before those that do; less than anybody waits who takes back.
const GIVE_WAY: Duration = Duration::from_secs(20);
/// Pause between looks at them.
const LOOK: Duration = Duration::from_secs(1);
/// The tasks that the swarm wants: {"desired-state":["running","ready"]}
const WANTED: &str = "/tasks?filters=%7B%22desired-state%22%3A%5B%22running%22%2C%22ready%22%5D%7D";

/// How many tasks the service wants, if it has more of them because of this.
pub fn wanted(labels: &wire::Labels, whose: &str) -> Option<u32> {
    labels.get(&format!("{MORE}{whose}"))?;
    labels.get(WANTS)?.parse().ok()
}

/// How many tasks of the service ran before it got more of them because of this.
pub fn had(labels: &wire::Labels, whose: &str) -> Option<u32> {
    labels.get(&format!("{HAD}{whose}"))?.parse().ok()
}

/// The nodes that the service avoids because of this.
pub fn avoided<'a>(labels: &'a wire::Labels, whose: &str) -> impl Iterator<Item = &'a str> {
    labels.get(&format!("{AVOIDS}{whose}")).into_iter().flat_map(|nodes| nodes.split(',')).filter(|node| !node.is_empty())
}

/// Whether the service has anything because of this.
pub fn has(labels: &wire::Labels, whose: &str) -> bool {
    [MORE, AVOIDS, SPREADS].iter().any(|name| labels.contains_key(&format!("{name}{whose}")))
}

/// How many tasks a service has by its definition.
pub fn replicas(service: &wire::Service) -> u32 {
    service.spec.value.mode.replicated.as_ref().and_then(|mode| mode.replicas).unwrap_or(1)
}

/// The same number, for words.
pub fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// How many tasks the service has by its definition. Where somebody has set another number since tasks were added, that is what
/// it wants by now, and none of it was added.
fn settled(spec: &mut Value) -> u64 {
    let held = at(spec, &["Mode", "Replicated", "Replicas"]).as_u64().unwrap_or(1);
    let labels = at(spec, &["Labels"]);
    let all = labels.as_object().into_iter().flat_map(Map::keys);
    let more: Vec<String> = all.filter(|name| name.starts_with(MORE)).cloned().collect();
    let added = more.iter().filter_map(|name| parsed(&labels[name])).fold(0, u64::saturating_add);
    if parsed(&labels[WANTS]).map(|wants| wants.saturating_add(added)) != Some(held) {
        *at(labels, &[WANTS]) = json!(held.to_string());
        more.iter().for_each(|name| *at(labels, &[name]) = json!("0"));
    }
    held
}

/// So many tasks more.
pub fn more(spec: &mut Value, whose: &str, n: u32) {
    let held = settled(spec);
    let mine = at(spec, &["Labels", &format!("{MORE}{whose}")]);
    *mine = json!(parsed(mine).unwrap_or(0).saturating_add(n.into()).to_string());
    *at(spec, &["Mode", "Replicated", "Replicas"]) = json!(held.saturating_add(n.into()));
}

/// The number in a label.
fn parsed(label: &Value) -> Option<u64> {
    label.as_str()?.parse().ok()
}

/// So many tasks of it run as yet.
pub fn runs(spec: &mut Value, whose: &str, n: u32) {
    *at(spec, &["Labels", &format!("{HAD}{whose}")]) = json!(n.to_string());
}

/// As many as there were before, unless somebody else has set another number meanwhile.
fn fewer(spec: &mut Value, whose: &str) {
    let held = settled(spec);
    let none = &mut Map::new();
    let labels = at(spec, &["Labels"]).as_object_mut().unwrap_or(none);
    let mine = labels.remove(&format!("{MORE}{whose}")).as_ref().and_then(parsed).unwrap_or(0);
    if !labels.keys().any(|name| name.starts_with(MORE)) {
        labels.remove(WANTS);
    }
    if mine > 0 {
        *at(spec, &["Mode", "Replicated", "Replicas"]) = json!(held.saturating_sub(mine));
    }
}

fn constraint(node: &str) -> Value {
    json!(format!("node.id!={node}"))
}

/// Keeps the service off these nodes, too. One that it must avoid by its own definition is not ours to allow again.
pub fn avoid(spec: &mut Value, whose: &str, nodes: &[&str]) {
    let list = at(spec, &["TaskTemplate", "Placement", "Constraints"]);
    let held = list.as_array().cloned().unwrap_or_default();
    let new: Vec<&str> = nodes.iter().copied().filter(|node| !held.contains(&constraint(node))).collect();
    *list = Value::Array(held.into_iter().chain(new.iter().map(|node| constraint(node))).collect());
    let label = at(spec, &["Labels", &format!("{AVOIDS}{whose}")]);
    let before = label.as_str().unwrap_or_default().split(',').filter(|node| !node.is_empty());
    *label = json!(before.chain(new).collect::<Vec<_>>().join(","));
}

/// Spreads the service over the values of a node label before all else, as it may do by its own definition.
pub fn spread_first(spec: &mut Value, whose: &str, label: &str) {
    let list = at(spec, &["TaskTemplate", "Placement", "Preferences"]);
    let held = list.as_array().cloned().unwrap_or_default();
    if held.first() == Some(&preference(label)) {
        return;
    }
    *list = Value::Array(std::iter::once(preference(label)).chain(held).collect());
    *at(spec, &["Labels", &format!("{SPREADS}{whose}")]) = json!(label);
}

fn preference(label: &str) -> Value {
    json!({ "Spread": { "SpreadDescriptor": format!("node.labels.{label}") } })
}

/// Takes back all of it; others' changes stay.
fn clean(spec: &mut Value, whose: &str) {
    fewer(spec, whose);
    let none = &mut Map::new();
    let labels = at(spec, &["Labels"]).as_object_mut().unwrap_or(none);
    labels.remove(&format!("{HAD}{whose}"));
    let avoids = labels.remove(&format!("{AVOIDS}{whose}"));
    let spreads = labels.remove(&format!("{SPREADS}{whose}"));
    for node in avoids.as_ref().and_then(Value::as_str).into_iter().flat_map(|nodes| nodes.split(',')) {
        take_out(spec, "Constraints", &constraint(node));
    }
    if let Some(label) = spreads.as_ref().and_then(Value::as_str) {
        take_out(spec, "Preferences", &preference(label));
    }
}

/// Takes one rule out of the placement, and leaves no empty list.
fn take_out(spec: &mut Value, list: &str, rule: &Value) {
    let Some(placement) = spec.pointer_mut("/TaskTemplate/Placement").and_then(Value::as_object_mut) else { return };
    let Some(Value::Array(all)) = placement.get_mut(list) else { return };
    if let Some(held) = all.iter().position(|held| held == rule) {
        all.remove(held);
    }
    if all.is_empty() {
        placement.remove(list);
    }
}

/// Carries out `work`, and then takes back what it has added, however it ended. Work that is dropped on the way leaves it:
/// whoever drops it has it taken back, or gone on with.
///
/// # Errors
/// Why `work` failed, and what of it is still there then.
///
/// What `work` came to comes with [`Back::ended`].
pub async fn for_now<T>(
    docker: &Docker,
    intent: &Intent,
    whose: &str,
    work: impl Future<Output = Result<T, BackendError>>,
) -> Result<(T, String), BackendError> {
    match (work.await, back(&docker.http, intent, whose).await) {
        (Ok(done), Ok(back)) => Ok((done, back.ended)),
        (Err(error), Ok(back)) => Err(error.and(&back.ended)),
        // as one that got no answer it is offered to be gone on with, or cancelled: else nobody would take back the rest
        (done, Err(left)) => {
            let before = done.err().map(|error| format!("{error}. And ")).unwrap_or_default();
            Err(BackendError::Unreachable(format!(
                "{before}what was added to services for the time being could not all be taken back ({left}): resume or cancel \
                 this; it is on their labels quarterdeck.*.{whose}"
            )))
        }
    }
}

/// What was taken back.
pub struct Back {
    /// The names of the services that had it.
    pub names: Vec<String>,
    /// That tasks that ran may have ended by that, to go behind other words; empty where none did.
    pub ended: String,
}

/// Takes back what was added, so that no task that runs ends for one that does not, where that can be done.
///
/// # Errors
/// Why it could not be taken back from all; from those that could it was.
pub async fn back(http: &Http, intent: &Intent, whose: &str) -> Result<Back, BackendError> {
    let doing = format!("taking back what was added for {}", intent.name);
    let services: Vec<wire::Service> = http.get("/services").await.map_err(|e| e.during(&doing, http.endpoint()))?;
    let (mut names, mut left) = (Vec::new(), Vec::new());
    // by the labels of this alone: also where somebody has taken away the number that goes with them
    let services: Vec<&wire::Service> = services.iter().filter(|service| has(&service.spec.value.labels, whose)).collect();
    let costly = give_way(http, intent, whose, &services).await;
    for service in services {
        let name = &service.spec.value.name;
        match change(http, intent, &service.id, |spec| clean(spec, whose)).await {
            Ok(()) => names.push(name.clone()),
            // what was added went with it
            Err(BackendError::NotFound(_)) => {}
            Err(error) => left.push(format!("{name}: {error}")),
        }
    }
    let ended = match costly.is_empty() {
        true => String::new(),
        false => format!("; of {} the swarm may have ended tasks that ran, and kept some that do not run yet", costly.join(", ")),
    };
    if left.is_empty() { Ok(Back { names, ended }) } else { Err(BackendError::Unreachable(left.join("; ") + &ended)) }
}

/// Lets tasks that do not run go before those that do when the number goes back: nodes that have only such tasks of a service are
/// avoided until they have left them, of which what runs elsewhere takes no notice. Returns the names of the services where that
/// was in vain. What cannot be read or written is told when it is taken back.
async fn give_way(http: &Http, intent: &Intent, whose: &str, services: &[&wire::Service]) -> Vec<String> {
    let began = Instant::now();
    loop {
        let tasks: Vec<wire::Task> = http.get(WANTED).await.unwrap_or_default();
        let mut costly = Vec::new();
        for service in services {
            let of: Vec<&wire::Task> = tasks.iter().filter(|task| task.service_id == service.id).collect();
            let target = Target { table: "services", id: service.id.clone() };
            let Ok(mut after) = read(http, &target).await else { continue };
            clean(&mut after.spec, whose);
            if !surplus::costs(&of, usize::try_from(settled(&mut after.spec)).unwrap_or(usize::MAX)) {
                continue;
            }
            costly.push(service.spec.value.name.clone());
            let idle: Vec<&str> = surplus::idle(&of).into_iter().collect();
            if !idle.is_empty() {
                let _ = change(http, intent, &service.id, |spec| avoid(spec, whose, &idle)).await;
            }
        }
        if costly.is_empty() || began.elapsed() > GIVE_WAY {
            return costly;
        }
        sleep(LOOK).await;
    }
}

/// Changes the spec of a service, whatever it is by now.
pub async fn change(http: &Http, intent: &Intent, service: &str, patch: impl Fn(&mut Value)) -> Result<(), BackendError> {
    let target = Target { table: "services", id: service.to_owned() };
    let doing = match intent.action {
        crate::model::Action::Evacuate => "evacuating",
        crate::model::Action::Rebalance => "rebalancing",
        _ => "rescheduling",
    };
    let update = Update { intent, target: &target, doing, rev: None, query: "" };
    write(http, &update, |_, spec| {
        patch(spec);
        Ok(())
    })
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn spec(replicas: u64) -> Value {
        json!({
            "Name": "web",
            "Labels": { "team": "shop" },
            "TaskTemplate": { "Placement": {} },
            "Mode": { "Replicated": { "Replicas": replicas } }
        })
    }

    fn held(spec: &Value) -> u64 {
        spec["Mode"]["Replicated"]["Replicas"].as_u64().unwrap()
    }

    #[test]
    fn what_was_added_is_taken_back_in_any_order_and_leaves_nothing() {
        for order in [["a", "b"], ["b", "a"]] {
            let mut changed = spec(3);
            more(&mut changed, "a", 2);
            more(&mut changed, "b", 1);
            runs(&mut changed, "a", 3);
            avoid(&mut changed, "a", &["n1"]);
            avoid(&mut changed, "a", &["n1", "n2"]);
            avoid(&mut changed, "b", &["n3"]);
            spread_first(&mut changed, "a", "zone");
            assert_eq!((held(&changed), &changed["Labels"][WANTS]), (6, &json!("3")));
            let placement = &changed["TaskTemplate"]["Placement"];
            assert_eq!(placement["Constraints"], json!(["node.id!=n1", "node.id!=n2", "node.id!=n3"]));
            assert_eq!(placement["Preferences"][0]["Spread"]["SpreadDescriptor"], "node.labels.zone");
            order.iter().for_each(|whose| clean(&mut changed, whose));
            assert_eq!(changed, spec(3));
        }
        let mut bare = json!({ "Mode": { "Replicated": { "Replicas": 1 } } });
        more(&mut bare, "a", 1);
        clean(&mut bare, "a");
        assert_eq!(held(&bare), 1);
    }

    #[test]
    fn what_is_the_services_own_or_somebody_elses_stays() {
        let mut changed = spec(3);
        more(&mut changed, "a", 2);
        changed["Mode"]["Replicated"]["Replicas"] = json!(10);
        clean(&mut changed, "a");
        assert_eq!(changed, spec(10));
        // and another one adds to that: what it adds is counted from there
        for order in [["a", "b"], ["b", "a"]] {
            let mut changed = spec(3);
            more(&mut changed, "a", 2);
            changed["Mode"]["Replicated"]["Replicas"] = json!(10);
            more(&mut changed, "b", 4);
            assert_eq!((held(&changed), &changed["Labels"][WANTS]), (14, &json!("10")));
            order.iter().for_each(|whose| clean(&mut changed, whose));
            assert_eq!(changed, spec(10));
        }
        // a number that is by chance what one of two would leave
        let mut changed = spec(3);
        more(&mut changed, "a", 2);
        more(&mut changed, "b", 1);
        changed["Mode"]["Replicated"]["Replicas"] = json!(4);
        ["a", "b"].iter().for_each(|whose| clean(&mut changed, whose));
        assert_eq!(changed, spec(4));
        // a stack was deployed again: the labels are gone with what they speak of
        let mut deployed = spec(3);
        clean(&mut deployed, "a");
        assert_eq!(deployed, spec(3));
        let mut own = spec(3);
        own["TaskTemplate"]["Placement"] = json!({
            "Constraints": ["node.id!=n1", "node.role==worker"],
            "Preferences": [preference("zone"), preference("rack")]
        });
        let mut changed = own.clone();
        avoid(&mut changed, "a", &["n1", "n2"]);
        spread_first(&mut changed, "a", "zone");
        assert_eq!(changed["TaskTemplate"]["Placement"]["Constraints"].as_array().unwrap().len(), 3);
        clean(&mut changed, "a");
        assert_eq!(changed, own);
        // spread over racks first: zones come before them for the time being, and not twice
        own["TaskTemplate"]["Placement"]["Preferences"] = json!([preference("rack"), preference("zone")]);
        let mut changed = own.clone();
        spread_first(&mut changed, "a", "zone");
        assert_eq!(changed["TaskTemplate"]["Placement"]["Preferences"][0], preference("zone"));
        clean(&mut changed, "a");
        assert_eq!(changed, own);
        // somebody has taken the constraint away by hand
        let mut changed = spec(3);
        avoid(&mut changed, "a", &["n1"]);
        changed["TaskTemplate"]["Placement"] = json!({});
        clean(&mut changed, "a");
        assert_eq!(changed, spec(3));
    }
}
