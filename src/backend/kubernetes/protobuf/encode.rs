//! The other way: what a server would send for an object, as far as its fields are read. For servers of tests and benches.

use super::MAGIC;
use super::shapes::{self, Field, Shape};
use crate::backend::kubernetes::raw::{self, Listed};
use serde_json::Value;

/// What comes in the place of a `page` of the list at `path`, given as JSON; none for a kind that is not followed.
pub fn page(path: &str, page: &Value) -> Option<Vec<u8>> {
    Some(envelope(page, of(path)?.1))
}

/// What comes in the place of a `page` of nothing but metadata.
pub fn marks(page: &Value) -> Vec<u8> {
    envelope(page, shapes::MARKS)
}

/// What comes in the place of a `line` of the watch at `path`, given as JSON; none for a kind that is not followed.
pub fn frame(path: &str, line: &Value) -> Option<Vec<u8>> {
    let kind = line["type"].as_str()?;
    let shape = match kind {
        "BOOKMARK" => shapes::BOOKMARK,
        "ERROR" => shapes::STATUS,
        _ => of(path)?.0,
    };
    let (mut event, mut extension) = (Vec::new(), Vec::new());
    bytes(1, kind.as_bytes(), &mut event);
    bytes(1, &envelope(&line["object"], shape), &mut extension);
    bytes(2, &extension, &mut event);
    Some([&u32::try_from(event.len()).ok()?.to_be_bytes(), event.as_slice()].concat())
}

/// What comes in the place of a `Status`, given as JSON.
pub fn status(status: &Value) -> Vec<u8> {
    envelope(status, shapes::STATUS)
}

/// The shapes of the objects and lists at `path`, in all namespaces or in one.
fn of(path: &str) -> Option<(&'static [Field], &'static [Field])> {
    fn shapes<T: Listed>() -> (&'static str, &'static [Field], &'static [Field]) {
        (T::PATH, T::SHAPE, T::PAGE)
    }
    let kinds = [
        shapes::<raw::RawPod>(),
        shapes::<raw::RawNode>(),
        shapes::<raw::RawEvent>(),
        shapes::<raw::Deployment>(),
        shapes::<raw::StatefulSet>(),
        shapes::<raw::DaemonSet>(),
        shapes::<raw::ReplicaSet>(),
        shapes::<raw::ControllerRevision>(),
        shapes::<raw::Job>(),
        shapes::<raw::CronJob>(),
        shapes::<raw::DisruptionBudget>(),
        shapes::<raw::Autoscaler>(),
    ];
    let name = path.rsplit('/').next()?;
    kinds.into_iter().find(|(path, ..)| path.rsplit('/').next() == Some(name)).map(|(_, object, page)| (object, page))
}

/// What comes in the place of an object of this shape, given as JSON.
pub(in super::super) fn envelope(object: &Value, shape: &[Field]) -> Vec<u8> {
    let mut raw = Vec::new();
    message(object, shape, &mut raw);
    let mut envelope = MAGIC.to_vec();
    bytes(2, &raw, &mut envelope);
    envelope
}

fn message(object: &Value, shape: &[Field], out: &mut Vec<u8>) {
    for field in shape {
        match (&field.shape, &object[field.name]) {
            (_, Value::Null) => {}
            (Shape::List(of), Value::Array(items)) => items.iter().for_each(|item| value(field.number, item, of, out)),
            (Shape::Map(of), Value::Object(entries)) => {
                for (key, held) in entries {
                    let mut entry = Vec::new();
                    bytes(1, key.as_bytes(), &mut entry);
                    value(2, held, of, &mut entry);
                    bytes(field.number, &entry, out);
                }
            }
            (shape, held) => value(field.number, held, shape, out),
        }
    }
}

fn value(number: u64, held: &Value, shape: &Shape, out: &mut Vec<u8>) {
    let mut inner = Vec::new();
    match shape {
        Shape::Text => return bytes(number, held.as_str().unwrap_or_default().as_bytes(), out),
        Shape::Number => return varint(number, held.as_i64().unwrap_or_default(), out),
        Shape::Flag => return varint(number, held.as_bool().unwrap_or_default().into(), out),
        Shape::Quantity => bytes(1, held.as_str().unwrap_or_default().as_bytes(), &mut inner),
        Shape::Time => {
            let time: jiff::Timestamp = held.as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
            varint(1, time.as_second(), &mut inner);
            varint(2, time.subsec_nanosecond().into(), &mut inner);
        }
        Shape::IntOrText => {
            varint(1, held.is_string().into(), &mut inner);
            varint(2, held.as_i64().unwrap_or_default(), &mut inner);
            bytes(3, held.as_str().unwrap_or_default().as_bytes(), &mut inner);
        }
        Shape::Json => bytes(1, held.to_string().as_bytes(), &mut inner),
        Shape::Message(shape) => message(held, shape, &mut inner),
        Shape::List(_) | Shape::Map(_) => {}
    }
    bytes(number, &inner, out);
}

fn bytes(number: u64, bytes: &[u8], out: &mut Vec<u8>) {
    plain(number << 3 | 2, out);
    plain(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn varint(number: u64, value: i64, out: &mut Vec<u8>) {
    plain(number << 3, out);
    plain(value.cast_unsigned(), out);
}

fn plain(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
