//! Paths of lists and of single objects.

use super::index::Place;
use crate::model::{Key, ServiceKind};

/// The path of a kind's list in one namespace, from its path over all.
pub(super) fn narrowed(path: &str, namespace: &str) -> String {
    let (group, plural) = path.rsplit_once('/').unwrap_or_default();
    format!("{group}/namespaces/{}/{plural}", escape(namespace))
}

/// Path of a node.
pub(super) fn node(name: &Key) -> String {
    format!("/api/v1/nodes/{name}")
}

/// Path of a pod.
pub(super) fn pod(place: &Place) -> String {
    format!("/api/v1/namespaces/{}/pods/{}", place.namespace, place.name)
}

/// Path of a workload; none for kinds of other platforms.
pub(super) fn workload(kind: ServiceKind, place: &Place) -> Option<String> {
    let (group, plural) = resource(kind)?;
    Some(format!("/apis/{group}/namespaces/{}/{plural}/{}", place.namespace, place.name))
}

/// Group with version, and resource, of a workload; none for kinds of other platforms.
pub(super) fn resource(kind: ServiceKind) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        ServiceKind::Deployment => ("apps/v1", "deployments"),
        ServiceKind::StatefulSet => ("apps/v1", "statefulsets"),
        ServiceKind::DaemonSet => ("apps/v1", "daemonsets"),
        ServiceKind::ReplicaSet => ("apps/v1", "replicasets"),
        ServiceKind::Job => ("batch/v1", "jobs"),
        ServiceKind::CronJob => ("batch/v1", "cronjobs"),
        _ => return None,
    })
}

/// Percent-encodes a query value (RFC 3986): everything but unreserved characters.
pub(super) fn escape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for byte in raw.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
