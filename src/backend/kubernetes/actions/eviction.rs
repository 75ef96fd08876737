//! Asking a pod to go, with the leave of its disruption budget.

use crate::backend::kubernetes::failure::Failure;
use crate::backend::kubernetes::http::{Api, Write};
use crate::backend::kubernetes::index::Place;
use crate::backend::kubernetes::paths;
use serde_json::{Value, json};
use std::time::Duration;

/// How long to wait before asking again, as `kubectl drain` does.
pub(super) const AGAIN: Duration = Duration::from_secs(5);

/// What an eviction came to.
#[derive(Debug)]
pub(super) enum Evicted {
    /// The pod was told to go.
    Taken,
    /// It is gone already or on its way, or another pod has its name by now.
    Gone,
    /// Not now, and why in words; ask again after this long.
    NotNow(String, Duration),
}

/// Asks the pod with this uid to go.
pub(super) async fn evict(api: &Api, place: &Place, uid: &str) -> Result<Evicted, Failure> {
    // own request: the kube crate writes the options under a name that the server does not know, and so drops them
    let body = json!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": { "name": &*place.name, "namespace": &*place.namespace },
        "deleteOptions": { "preconditions": { "uid": uid } }
    });
    match api.write::<Value>(Write::Create, &format!("{}/eviction", paths::pod(place)), &body).await {
        Ok(_) => Ok(Evicted::Taken),
        Err(failure) if failure.is_budget() => Ok(Evicted::NotNow(format!("waits for {}", budget(&failure)), AGAIN)),
        Err(failure) => match failure.status() {
            Some(404) => Ok(Evicted::Gone),
            // it goes with its namespace, of itself
            _ if failure.is_namespace_going() => Ok(Evicted::Gone),
            // the uid is another one by now
            Some(409) if failure.message.contains("UID") => Ok(Evicted::Gone),
            Some(429) => {
                let wait = failure.retry_after.unwrap_or(AGAIN).clamp(Duration::from_secs(1), Duration::from_secs(60));
                Ok(Evicted::NotNow(format!("the server is overloaded: {}", failure.message), wait))
            }
            _ => Err(failure),
        },
    }
}

/// `The disruption budget web needs 3 healthy pods and has 3 currently`: `budget web (needs 3 healthy pods and has 3 currently)`.
fn budget(failure: &Failure) -> String {
    let cause = failure.causes.iter().find(|(reason, _)| reason == "DisruptionBudget").map_or("", |(_, message)| message);
    match cause.strip_prefix("The disruption budget ").and_then(|rest| rest.split_once(' ')) {
        Some((name, rule)) => format!("budget {name} ({})", rule.trim_end_matches('.')),
        None => format!("a disruption budget ({})", failure.message),
    }
}
