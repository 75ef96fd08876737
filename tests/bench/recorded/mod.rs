//! A running pod as a real API server sent it, in both of its forms, with 16 addresses in its environment and what managed
//! its fields. Whatever differs from pod to pod is written with so many digits always, so that another pod is the same bytes
//! with other digits in some places: a server of thousands of them costs next to nothing.

#![allow(dead_code, reason = "each bench needs a part")]

use std::fmt::Write;

/// As JSON.
const JSON: &[u8] = include_bytes!("pod.json");
/// As Protocol Buffers (`v1.Pod`, without its envelope).
const PROTOBUF: &[u8] = include_bytes!("pod.pb");

/// A form an object is sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON.
    Json,
    /// Protocol Buffers.
    Protobuf,
}

/// Which pod.
#[derive(Clone, Copy, Debug)]
pub struct Pod {
    /// Its number, below 100,000.
    pub number: u32,
    /// Number of its Deployment, below 10,000.
    pub deployment: u32,
    /// Number of its node, below 10,000.
    pub node: u32,
    /// How often it was changed, below 9,000: its containers were started anew as often, and a thousand times before.
    pub changes: u32,
}

#[derive(Clone, Copy)]
enum Spot {
    Name,
    Uid,
    Deployment,
    Owner,
    Node,
    Version,
    Restarts,
}

/// What stands in these places in the recorded pod, and from where in it the digits are others.
const SPOTS: [(&[u8], usize, Spot); 6] = [
    (b"bc-00000", 3, Spot::Name),
    (b"00000003-9d1c-4f4e-a8b0-000000000000", 24, Spot::Uid),
    (b"crowd-0000", 6, Spot::Deployment),
    (b"00000002-9d1c-4f4e-a8b0-000000000000", 24, Spot::Owner),
    (b"node-0000", 5, Spot::Node),
    (b"1000000000", 0, Spot::Version),
];

/// The recorded pod in one form.
#[derive(Clone)]
pub struct Recorded {
    form: Form,
    bytes: &'static [u8],
    spots: Vec<(usize, Spot)>,
}

impl Recorded {
    /// In this form.
    pub fn new(form: Form) -> Self {
        let (bytes, restarts): (_, (&[u8], usize)) = match form {
            Form::Json => (JSON.trim_ascii_end(), (b"\"restartCount\":1000", 15)),
            Form::Protobuf => (PROTOBUF, (b"\x28\xe8\x07", 1)),
        };
        let all = SPOTS.iter().copied().chain([(restarts.0, restarts.1, Spot::Restarts)]);
        let spots = all.flat_map(|(marker, from, spot)| {
            let found = move |at: &usize| bytes[*at..].starts_with(marker);
            (0..bytes.len()).filter(found).map(move |at| (at + from, spot))
        });
        Self { form, bytes, spots: spots.collect() }
    }

    /// Writes a pod.
    pub fn put(&self, pod: Pod, out: &mut Vec<u8>) {
        let (from, mut digits) = (out.len(), String::new());
        out.extend_from_slice(self.bytes);
        for (at, spot) in &self.spots {
            digits.clear();
            let _ = match spot {
                Spot::Name => write!(digits, "{:05}", pod.number),
                Spot::Uid => write!(digits, "{:012x}", pod.number),
                Spot::Deployment => write!(digits, "{:04}", pod.deployment),
                Spot::Owner => write!(digits, "{:012x}", pod.deployment),
                Spot::Node => write!(digits, "{:04}", pod.node),
                Spot::Version => write!(digits, "{:010}", 1_000_000_000 + u64::from(pod.changes) * 100_000 + u64::from(pod.number)),
                Spot::Restarts => write!(digits, "{:04}", 1_000 + pod.changes),
            };
            let to = &mut out[from + at..];
            match (self.form, spot) {
                (Form::Protobuf, Spot::Restarts) => {
                    let count = 1_000 + pod.changes;
                    to[..2].copy_from_slice(&[count as u8 & 0x7f | 0x80, (count >> 7) as u8]);
                }
                _ => to[..digits.len()].copy_from_slice(digits.as_bytes()),
            }
        }
    }

    /// Writes a line of a watch that tells of a change of a pod, or the frame that is the same in the other form.
    pub fn changed(&self, pod: Pod, out: &mut Vec<u8>) {
        let mut object = Vec::new();
        self.put(pod, &mut object);
        match self.form {
            Form::Json => {
                out.extend_from_slice(br#"{"type":"MODIFIED","object":"#);
                out.extend_from_slice(&object);
                out.extend_from_slice(b"}\n");
            }
            Form::Protobuf => {
                let extension = part(1, &envelope("Pod", &object));
                let event = [part(1, b"MODIFIED"), part(2, &extension)].concat();
                out.extend_from_slice(&(event.len() as u32).to_be_bytes());
                out.extend_from_slice(&event);
            }
        }
    }

    /// A page of a list of pods.
    pub fn page(&self, pods: impl Iterator<Item = Pod>, next: &str) -> Vec<u8> {
        match self.form {
            Form::Json => {
                let mut out = format!(r#"{{"kind":"PodList","metadata":{{"resourceVersion":"1","continue":"{next}"}},"items":["#);
                let mut items = Vec::new();
                for pod in pods {
                    items.extend_from_slice(if items.is_empty() { b"" } else { b"," });
                    self.put(pod, &mut items);
                }
                out.push_str(std::str::from_utf8(&items).unwrap());
                out.push_str("]}");
                out.into_bytes()
            }
            Form::Protobuf => {
                let meta = [part(2, b"1"), part(3, next.as_bytes())].concat();
                let (mut list, mut object) = (part(1, &meta), Vec::new());
                for pod in pods {
                    object.clear();
                    self.put(pod, &mut object);
                    list.extend(part(2, &object));
                }
                envelope("PodList", &list)
            }
        }
    }
}

/// An object by itself (`runtime.Unknown`).
fn envelope(kind: &str, object: &[u8]) -> Vec<u8> {
    let kind = [part(1, b"v1"), part(2, kind.as_bytes())].concat();
    [b"k8s\0".to_vec(), part(1, &kind), part(2, object)].concat()
}

/// A field of a message: its number and its bytes.
fn part(number: u8, bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut length) = (vec![number << 3 | 2], bytes.len());
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(bytes);
    out
}
