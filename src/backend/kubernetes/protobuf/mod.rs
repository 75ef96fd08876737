//! Objects as Kubernetes' own components exchange them: as Protocol Buffers, which a server writes in a fraction of the time
//! and in half the bytes (Kubernetes docs, "API concepts": Kubernetes Protobuf encoding).
//!
//! The wire names no fields, it numbers them. [`shapes`] gives those that are read the names they have in JSON, so that both
//! forms are read into the same types, by serde. What has no name there is stepped over without a look at it.

mod de;
pub mod encode;
pub(super) mod shapes;
mod wire;

pub(super) use de::Part;
use serde::Deserialize;
use serde::de as serde_de;
use std::fmt;
use wire::Fields;

/// What is asked for: lists and watches as Protocol Buffers, or as JSON where a server has them in no other form.
pub(super) const ACCEPT: &str = "application/vnd.kubernetes.protobuf,application/json";
/// The same for lists of nothing but metadata.
pub(super) const ACCEPT_MARKS: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,\
    application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
/// What a server calls them.
pub(super) const CONTENT_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// How every object begins that stands by itself.
const MAGIC: &[u8] = b"k8s\0";

/// Why bytes are no object.
#[derive(Debug)]
pub(super) struct Unreadable(String);

impl Unreadable {
    /// For this reason.
    pub fn new(why: &str) -> Self {
        Self(why.to_owned())
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

impl serde_de::Error for Unreadable {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self(why.to_string())
    }
}

/// Whether these bytes are an object in this form.
pub(super) fn is(body: &[u8]) -> bool {
    body.starts_with(MAGIC)
}

/// The message in an envelope (`runtime.Unknown`: 1 type, 2 raw).
pub(super) fn opened<'a>(body: &'a [u8], shape: &'static [shapes::Field]) -> Result<Part<'a, 'a>, Unreadable> {
    let envelope = body.strip_prefix(MAGIC).ok_or_else(|| Unreadable::new("it does not begin as an object does"))?;
    let raw = Fields(envelope).find(2)?.map_or(Ok(&[][..]), wire::Value::bytes)?;
    Ok(Part::message(raw, shape))
}

/// The object in an envelope.
pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a [u8], shape: &'static [shapes::Field]) -> Result<T, Unreadable> {
    T::deserialize(opened(body, shape)?)
}

/// A frame of a watch (`metav1.WatchEvent`: 1 type, 2 object): what happened, and the envelope of the object.
pub(super) fn told(frame: &[u8]) -> Result<(&[u8], &[u8]), Unreadable> {
    let kind = Fields(frame).find(1)?.map_or(Ok(&[][..]), wire::Value::bytes)?;
    let object = Fields(frame).find(2)?.map_or(Ok(&[][..]), wire::Value::bytes)?;
    let raw = Fields(object).find(1)?.map_or(Ok(&[][..]), wire::Value::bytes)?;
    Ok((kind, raw))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::backend::kubernetes::decode::{self, Line};
    use crate::backend::kubernetes::raw::{ControllerRevision, DisruptionBudget, Listed, RawEvent, RawPod};
    use serde_json::{Value, json};

    /// Both forms of an object are read into the same.
    fn same<T: Listed + fmt::Debug>(object: &Value) -> T {
        let page = json!({ "metadata": { "resourceVersion": "7", "continue": "next" }, "items": [object, object] });
        let plain = decode::page::<T>(page.to_string().as_bytes(), &mut |_| {}).unwrap();
        let body = encode::page(T::PATH, &page).unwrap();
        let mut heads = Vec::new();
        let read = decode::page::<T>(&body, &mut |meta| heads.push(meta.clone())).unwrap();
        assert_eq!(format!("{:#?}", read.items), format!("{:#?}", plain.items));
        assert_eq!((heads.as_slice(), &read.meta), (&[plain.meta][..], &read.meta));
        read.items.into_iter().flatten().next().unwrap()
    }

    fn pod() -> Value {
        json!({
            "metadata": {
                "name": "web-1", "namespace": "shop", "uid": "u", "resourceVersion": "12", "generation": 3,
                "creationTimestamp": "2026-01-02T03:04:05Z", "labels": { "pod-template-hash": "abc", "other": "x" },
                "annotations": { "kubernetes.io/config.mirror": "m", "other": "x" }, "finalizers": ["a", "b"],
                "ownerReferences": [{ "kind": "ReplicaSet", "uid": "r", "controller": true }, { "kind": "Node", "uid": "n" }],
            },
            "spec": {
                "nodeName": "n1", "terminationGracePeriodSeconds": 30, "nodeSelector": { "a": "b", "c": "" },
                "containers": [
                    { "name": "main", "image": "web:1", "startupProbe": {}, "resources": { "requests": { "cpu": "100m" } } },
                    { "name": "side", "image": "log:2", "resources": { "limits": { "memory": "64Mi", "cpu": "1" } } },
                ],
                "readinessGates": [{}, {}],
            },
            "status": {
                "phase": "Running", "startTime": "2026-01-02T03:04:06.5Z",
                "conditions": [{ "type": "Ready", "status": "False", "lastTransitionTime": "2026-01-02T03:04:07Z" }],
                "containerStatuses": [{
                    "name": "main", "ready": true, "started": false, "restartCount": 4,
                    "state": { "running": { "startedAt": "1969-12-31T23:59:59Z" } },
                    "lastState": { "terminated": { "exitCode": -1, "signal": 9, "reason": "OOMKilled" } },
                }],
            },
        })
    }

    #[test]
    fn both_forms_are_read_into_the_same() {
        let pod = same::<RawPod>(&pod());
        assert_eq!(pod.status.container_statuses[0].last_state.terminated.as_ref().unwrap().exit_code, -1);
        assert_eq!(pod.metadata.creation_timestamp.0.unwrap().0, 1_767_323_045_000);
        assert_eq!(pod.spec.readiness_gates.len(), 2);
        same::<DisruptionBudget>(&json!({
            "metadata": { "name": "b" },
            "spec": {
                "minAvailable": "25%", "maxUnavailable": 2,
                "selector": { "matchExpressions": [{ "key": "a", "operator": "In", "values": ["x", "y"] }] },
            },
        }));
        let data = json!({ "spec": { "template": { "spec": { "containers": [{ "name": "c", "image": "i:1" }] } } } });
        same::<ControllerRevision>(&json!({ "metadata": { "name": "r" }, "revision": 4, "data": data }));
        let event = json!({
            "metadata": { "name": "e", "labels": { "a": "b", "c": "d" } }, "count": 7, "type": "Warning",
            "eventTime": "2026-01-02T03:04:05.123456Z", "series": { "count": 9, "lastObservedTime": "2026-01-02T03:04:05.999999Z" },
        });
        same::<RawEvent>(&event);
    }

    #[test]
    fn what_is_not_read_is_stepped_over_and_a_time_that_is_none_is_none() {
        let of = |fields: &[u8]| [MAGIC, &[0x12, fields.len() as u8], fields].concat();
        // 9: a number, 17: eight bytes, 18: four, 19: text, 1: metadata of 1 name, 8 a zero time
        let odd = b"\x48\x05\x89\x01abcdefgh\x95\x01abcd\x9a\x01\x02hi\x0a\x0a\x0a\x02ab\x42\x04\x08\x00\x10\x00";
        let pod: RawPod = read(&of(odd), shapes::POD).unwrap();
        assert_eq!((pod.metadata.name.as_str(), pod.metadata.creation_timestamp.0), ("ab", None));
        let wrong = read::<RawPod>(&of(b"\x08\x05"), shapes::POD).unwrap_err();
        assert_eq!(wrong.to_string(), "a number stands where text is due");
    }

    #[test]
    fn what_is_cut_off_anywhere_is_an_error_and_nothing_worse() {
        let page = json!({ "metadata": { "resourceVersion": "7" }, "items": [pod()] });
        let body = encode::page(RawPod::PATH, &page).unwrap();
        let whole = |body: &[u8]| decode::page::<RawPod>(body, &mut |_| {}).is_ok();
        assert!(whole(&body));
        // the envelope says how long it is
        assert!((MAGIC.len() + 1..body.len()).all(|end| !whole(&body[..end])));
        for at in MAGIC.len()..body.len() {
            for bit in 0..8 {
                let mut odd = body.clone();
                odd[at] ^= 1 << bit;
                let _ = decode::page::<RawPod>(&odd, &mut |_| {});
            }
        }
    }

    #[test]
    fn frames_tell_what_lines_tell() {
        for (kind, object) in [("ADDED", pod()), ("BOOKMARK", json!({ "metadata": { "resourceVersion": "20" } }))] {
            let line = json!({ "type": kind, "object": object });
            let frame = encode::frame(RawPod::PATH, &line).unwrap();
            assert_eq!(u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize, frame.len() - 4);
            let read = decode::frame::<RawPod>(&frame[4..]).unwrap();
            let plain = decode::line::<RawPod>(line.to_string().as_bytes()).unwrap().unwrap();
            assert_eq!(format!("{read:?}"), format!("{plain:?}"));
        }
        let gone =
            json!({ "type": "ERROR", "object": { "code": 410, "message": "too old", "details": { "retryAfterSeconds": 3 } } });
        let frame = encode::frame(RawPod::PATH, &gone).unwrap();
        let Line::Error(status) = decode::frame::<RawPod>(&frame[4..]).unwrap() else { panic!() };
        assert_eq!((status.code, status.message.as_str()), (410, "too old"));
        assert!(decode::frame::<RawPod>(b"{}").is_err());
    }
}
