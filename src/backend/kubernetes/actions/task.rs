//! Delete and reschedule one pod.

use super::eviction::{Evicted, evict};
use super::{Act, Target};
use crate::backend::BackendError;
use crate::backend::kubernetes::http::Write;
use crate::backend::kubernetes::index::PodEntry;
use crate::model::{Expect, Kind};
use serde_json::{Value, json};

impl Act<'_> {
    /// Within the pod's own grace period if no other one is given; 0 does not wait for its node either.
    pub(super) async fn delete_task(&self, grace: Option<u32>) -> Result<Expect, BackendError> {
        let (entry, target) = self.pod().await?;
        let body = deletion(&self.intent.bound.uid, grace);
        match self.api.write::<Value>(Write::Delete, &target.path, &body).await {
            Ok(_) => Ok(self.replaced(entry)),
            Err(failure) if failure.status() == Some(404) => Ok(self.replaced(entry)),
            Err(failure) => Err(self.fail(failure)),
        }
    }

    /// Evicts, which respects budgets; the scheduler finds the new task its place.
    pub(super) async fn reschedule(&self) -> Result<Expect, BackendError> {
        let (entry, target) = self.pod().await?;
        match owner(&target) {
            Owner::Nobody => return Err(self.unsupported("no service would make it again; delete it if that is meant")),
            Owner::EveryNode => return Err(self.unsupported("its daemonset runs one on each node: it would come back here")),
            Owner::Kubelet => return Err(self.unsupported("it is a static pod: it belongs to its node")),
            Owner::Service => {}
        }
        loop {
            match evict(self.api, &entry.place, &self.intent.bound.uid).await.map_err(|failure| self.fail(failure))? {
                Evicted::Taken | Evicted::Gone => {
                    self.report(1, 1, "told to go");
                    return Ok(self.replaced(entry));
                }
                Evicted::NotNow(why, wait) => {
                    self.report(0, 1, &why);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    fn replaced(&self, entry: PodEntry) -> Expect {
        let task = self.intent.object.key.clone();
        match entry.service {
            Some(service) => Expect::Replaced { task, service: Some(service) },
            None => Expect::Gone { kind: Kind::Task, key: task },
        }
    }
}

/// What is sent to delete the pod with this uid.
fn deletion(uid: &str, grace: Option<u32>) -> Value {
    let mut body = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": uid } });
    if let Some(seconds) = grace {
        body["gracePeriodSeconds"] = json!(seconds);
    }
    body
}

/// Who makes a pod again when it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A controller, elsewhere.
    Service,
    /// A DaemonSet, on the same node.
    EveryNode,
    /// The kubelet of its node: a static pod.
    Kubelet,
    /// Nobody.
    Nobody,
}

fn owner(pod: &Target) -> Owner {
    if pod.value.pointer("/metadata/annotations/kubernetes.io~1config.mirror").is_some() {
        return Owner::Kubelet;
    }
    let owners = pod.value.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let controller = owners.into_iter().flatten().find(|o| o.get("controller") == Some(&Value::Bool(true)));
    match controller.and_then(|o| o.get("kind")).and_then(Value::as_str) {
        Some("DaemonSet") => Owner::EveryNode,
        Some("Node") => Owner::Kubelet,
        Some(_) => Owner::Service,
        None => Owner::Nobody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grace_is_sent_only_where_one_was_chosen() {
        let own = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": "u" } });
        assert_eq!(deletion("u", None), own);
        for seconds in [0, 30] {
            let mut chosen = own.clone();
            chosen["gracePeriodSeconds"] = json!(seconds);
            assert_eq!(deletion("u", Some(seconds)), chosen);
        }
    }
}
