//! ReplicaSets that were left behind by their Deployment, or taken over by one. Their pods do not change themselves: they are
//! read again for what they belong to now, and until that is done rows of tasks are not told as right.

use super::super::paths::escape;
use super::super::raw::{Meta, RawPod};
use super::services::uid;
use super::{Session, Step};
use crate::model::Key;
use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How long a read may take, for which all steps wait; and how long after one that failed it is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// A list of pods, whole.
#[derive(serde::Deserialize)]
struct Pods {
    items: Vec<RawPod>,
}

/// ReplicaSets whose pods are still to be read.
#[derive(Default)]
pub(super) struct Handovers {
    /// Which they are, and the paths to their pods.
    left: VecDeque<(Key, String)>,
    /// When they are tried again.
    again: Option<Instant>,
}

impl Handovers {
    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// All pods are about to be listed anew.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Waits until they are to be tried again; for ever if there are none.
    pub async fn due(&self) {
        match self.again {
            Some(again) => sleep_until(again).await,
            None => pending().await,
        }
    }
}

impl Session<'_> {
    pub(super) async fn handed_over(&mut self, set: &Meta) {
        let Some(hash) = set.labels.get("pod-template-hash") else { return };
        let selector = escape(&format!("pod-template-hash={hash}"));
        self.handovers.left.push_back((uid(set), format!("/api/v1/namespaces/{}/pods?labelSelector={selector}", set.namespace)));
        self.read_handed_over().await;
    }

    /// Reads those pods, as far as they can be read.
    pub(super) async fn read_handed_over(&mut self) {
        self.handovers.again = None;
        // what was asked for before these steps is older than they are, so the steps wait for it
        while let Some((set, path)) = self.handovers.left.pop_front() {
            match self.api.get_within::<Pods>(&path, AGAIN).await {
                Ok(pods) => {
                    for pod in pods.items.into_iter().filter(|pod| pod.metadata.controller().is_some_and(|o| o.uid == *set)) {
                        self.pod(Step::Item(pod)).await;
                    }
                }
                // pods that may not be read are not shown
                Err(failure) if failure.status() == Some(403) => {}
                Err(failure) => {
                    tracing::debug!(%path, why = failure.message, "pods of a replicaset that was handed over");
                    self.handovers.left.push_back((set, path));
                    self.handovers.again = Some(Instant::now() + AGAIN);
                    break;
                }
            }
        }
        self.pods_stand().await;
    }
}
