//! Delete a workload, with its tasks or without.

use super::{Act, CONFLICTS};
use crate::backend::BackendError;
use crate::backend::kubernetes::http::Write;
use crate::model::{Expect, Propagation};
use serde_json::{Value, json};

impl Act<'_> {
    pub(super) async fn delete_service(&self, propagation: Propagation) -> Result<Expect, BackendError> {
        let policy = match propagation {
            Propagation::Background => "Background",
            Propagation::Foreground => "Foreground",
            Propagation::Orphan => "Orphan",
        };
        let expect = Expect::Deleted { service: self.intent.object.key.clone(), tasks: propagation != Propagation::Orphan };
        let mut conflicts = 0;
        loop {
            let (_, target) = self.service().await?;
            if target.value.pointer("/metadata/deletionTimestamp").is_some() {
                return Err(self.changed("someone deleted it already; it is still going"));
            }
            let body = json!({
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "propagationPolicy": policy,
                "preconditions": { "uid": target.text("/metadata/uid"), "resourceVersion": target.version() }
            });
            match self.api.write::<Value>(Write::Delete, &target.path, &body).await {
                Ok(_) => return Ok(expect),
                // its status moved on: what the operator saw is held against it again before the next try
                Err(failure) if failure.status() == Some(409) && conflicts < CONFLICTS => conflicts += 1,
                Err(failure) => return Err(self.fail(failure)),
            }
        }
    }
}
