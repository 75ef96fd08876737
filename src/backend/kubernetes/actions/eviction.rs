//! Asking a pod to go, with the leave of its disruption budget.

use crate::backend::kubernetes::failure::Failure;
use crate::backend::kubernetes::http::{Api, Write};
use crate::backend::kubernetes::index::Place;
use crate::backend::kubernetes::paths;
use serde_json::{Value, json};
use std::time::Duration;

/// How long to wait before asking again, as `kubectl drain` does.
pub(super) const AGAIN: Duration = Duration::from_secs(5);

/// What a server says of a pod that it evicts never, because more than one budget has it (Kubernetes, `pod/rest/eviction.go`).
const SEVERAL: &str = "more than one PodDisruptionBudget";
/// And of a budget whose controller is behind.
const UNSETTLED: [&str; 2] = ["disruptions allowed is negative", "DisruptedPods map too big"];

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
            Some(429) => Ok(Evicted::NotNow(overloaded(&failure), again(&failure))),
            // however often it is asked
            _ if failure.message.contains(SEVERAL) => Err(failure),
            // its state is not settled, somebody else wrote it just now, or the server could not finish
            Some(403) if UNSETTLED.iter().any(|words| failure.message.contains(words)) => Ok(not_yet(&failure)),
            Some(409 | 500 | 502..=504) => Ok(not_yet(&failure)),
            _ => Err(failure),
        },
    }
}

fn not_yet(failure: &Failure) -> Evicted {
    Evicted::NotNow(format!("could not be evicted yet: {}", failure.message), again(failure))
}

/// In words, that a server has too much to do.
pub(super) fn overloaded(failure: &Failure) -> String {
    format!("the server is overloaded: {}", failure.message)
}

/// How long to wait before a server is asked again that has too much to do.
pub(super) fn again(failure: &Failure) -> Duration {
    failure.retry_after.unwrap_or(AGAIN).clamp(Duration::from_secs(1), Duration::from_secs(60))
}

/// `The disruption budget web needs 3 healthy pods and has 3 currently`: `budget web (needs 3 healthy pods and has 3 currently)`.
fn budget(failure: &Failure) -> String {
    let cause = failure.causes.iter().find(|(reason, _)| reason == "DisruptionBudget").map_or("", |(_, message)| message);
    match cause.strip_prefix("The disruption budget ").and_then(|rest| rest.split_once(' ')) {
        Some((name, rule)) => format!("budget {name} ({})", rule.trim_end_matches('.')),
        None => format!("a disruption budget ({})", failure.message),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::backend::kubernetes::scripted::server;

    /// What an answer of the server to an eviction is taken for.
    async fn taken_for(code: u16, body: &str) -> (String, String) {
        let (api, asked) = server(vec![(code, body.to_owned())]).await;
        let place = Place { namespace: "shop".into(), name: "web-0".into() };
        let words = match evict(&api, &place, "the-uid").await {
            Ok(Evicted::Taken) => "taken".to_owned(),
            Ok(Evicted::Gone) => "gone".to_owned(),
            Ok(Evicted::NotNow(why, wait)) => format!("{why}, again in {} s", wait.as_secs()),
            Err(failure) => format!("failed: {}", failure.message),
        };
        let asked = asked.lock().join("\n");
        (words, asked)
    }

    #[tokio::test]
    async fn every_answer_to_an_eviction_is_understood() {
        let budget = r#"{"details":{"causes":[{"reason":"DisruptionBudget","message":"The disruption budget web needs 2 healthy pods and has 2 currently"}]}}"#;
        let going = r#"{"message":"no","details":{"causes":[{"reason":"NamespaceTerminating"}]}}"#;
        let uid = r#"{"message":"the UID in the precondition (a) does not match the UID in record (b)"}"#;
        for (code, body, want) in [
            (201, "{}", "taken"),
            (404, r#"{"message":"not found"}"#, "gone"),
            (409, uid, "gone"),
            (409, r#"{"message":"try again"}"#, "could not be evicted yet: try again, again in 5 s"),
            (
                403,
                r#"{"message":"pdb disruptions allowed is negative"}"#,
                "could not be evicted yet: pdb disruptions allowed is negative, again in 5 s",
            ),
            (504, r#"{"message":"conflicts"}"#, "could not be evicted yet: conflicts, again in 5 s"),
            (403, going, "gone"),
            (403, r#"{"message":"may not"}"#, "failed: may not"),
            (429, budget, "waits for budget web (needs 2 healthy pods and has 2 currently), again in 5 s"),
            (429, r#"{"message":"busy","details":{"retryAfterSeconds":9}}"#, "the server is overloaded: busy, again in 9 s"),
            (500, r#"{"message":"etcd"}"#, "could not be evicted yet: etcd, again in 5 s"),
            (
                500,
                r#"{"message":"This pod has more than one PodDisruptionBudget"}"#,
                "failed: This pod has more than one PodDisruptionBudget",
            ),
        ] {
            assert_eq!(taken_for(code, body).await.0, want);
        }
    }

    #[tokio::test]
    async fn an_eviction_says_which_pod_it_means() {
        let (_, asked) = taken_for(201, "{}").await;
        let (path, body) = asked.split_once(' ').unwrap();
        assert_eq!(path, "/api/v1/namespaces/shop/pods/web-0/eviction");
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["deleteOptions"], json!({ "preconditions": { "uid": "the-uid" } }));
    }
}
