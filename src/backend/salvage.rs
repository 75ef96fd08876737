//! Reads an object of which some part has a shape that nobody foresaw: that part is left out, and it is said which.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Places that are named; of more there is only a count.
const NAMED: usize = 3;

/// One step from an object to a part of it.
#[derive(Clone)]
enum Step {
    Field(String),
    Item,
}

/// `json` as a `T`, or as much of it as can be read, and then words on what cannot.
///
/// # Errors
/// Where nothing can be made of it.
pub(super) fn read<T: DeserializeOwned>(json: &str) -> Result<(T, Option<String>), serde_json::Error> {
    let error = match serde_json::from_str(json) {
        Ok(whole) => return Ok((whole, None)),
        Err(error) => error,
    };
    // from text, as whole objects are: reading a second form would be there once more for each kind of object
    let reads = |json: &str| serde_json::from_str::<T>(json).is_ok();
    let mut wreck = Wreck { path: Vec::new(), identity: Map::new(), odd: Vec::new(), reads: &reads };
    let Some(Value::Object(kept)) = wreck.hold(json) else { return Err(error) };
    let identity = kept.iter().filter(|(name, value)| name.eq_ignore_ascii_case("id") && value.is_string());
    wreck.identity = identity.map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut whole = Value::Object(kept);
    without_nulls(&mut whole);
    if !wreck.keeps(&mut whole) {
        return Err(error);
    }
    Ok((serde_json::from_str(&whole.to_string()).map_err(|_| error)?, wreck.words()))
}

/// Go writes what is empty as null, or leaves it out.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// How deep it is looked for what can be held of a part that cannot be held as a whole.
const LEVELS: usize = 8;

struct Wreck<'r> {
    /// From the object to the part that is being looked at.
    path: Vec<Step>,
    /// The fields without which the object is none.
    identity: Map<String, Value>,
    odd: Vec<String>,
    /// Whether the object can be read so.
    reads: &'r dyn Fn(&str) -> bool,
}

impl Wreck<'_> {
    /// As much of `json` as can be held at all: what is nested too deep, or a number without end, takes nothing beside it
    /// with it.
    fn hold(&mut self, json: &str) -> Option<Value> {
        if let Ok(value) = serde_json::from_str(json) {
            return Some(value);
        }
        let fields = serde_json::from_str::<BTreeMap<String, &RawValue>>(json).ok().filter(|_| self.path.len() < LEVELS);
        let Some(fields) = fields else {
            self.odd.push(self.place());
            return None;
        };
        let mut kept = Map::new();
        for (name, raw) in fields {
            self.path.push(Step::Field(name.clone()));
            kept.extend(self.hold(raw.get()).map(|value| (name, value)));
            self.path.pop();
        }
        Some(Value::Object(kept))
    }

    /// Takes out of `value`, which stands at the path, what cannot be read. Returns whether anything of it may stay.
    fn keeps(&mut self, value: &mut Value) -> bool {
        if self.reads(value.clone()) {
            return true;
        }
        let hollow = match value {
            Value::Object(_) => Value::Object(Map::new()),
            Value::Array(_) => Value::Array(Vec::new()),
            _ => Value::Null,
        };
        if hollow.is_null() || !self.reads(hollow) {
            self.odd.push(self.place());
            return false;
        }
        let said = self.odd.len();
        match value {
            Value::Object(fields) => fields.retain(|name, field| {
                self.path.push(Step::Field(name.clone()));
                let keeps = self.keeps(field);
                self.path.pop();
                keeps
            }),
            Value::Array(items) => {
                self.path.push(Step::Item);
                items.retain_mut(|item| self.keeps(item));
                self.path.pop();
            }
            _ => {}
        }
        // what can be read one by one may make no sense together
        let sound = self.reads(value.clone());
        if !sound {
            self.odd.truncate(said);
            self.odd.push(self.place());
        }
        sound
    }

    /// Whether an object can be read of which there is this at the path, and nothing else.
    fn reads(&self, value: Value) -> bool {
        let mut whole = self.path.iter().rev().fold(value, |value, step| match step {
            Step::Field(name) => Value::Object(Map::from_iter([(name.clone(), value)])),
            Step::Item => Value::Array(vec![value]),
        });
        if let Value::Object(fields) = &mut whole {
            for (name, value) in &self.identity {
                fields.entry(name).or_insert_with(|| value.clone());
            }
        }
        (self.reads)(&whole.to_string())
    }

    fn place(&self) -> String {
        let mut place = String::new();
        for step in &self.path {
            match step {
                Step::Field(name) if place.is_empty() => place.push_str(name),
                Step::Field(name) => {
                    place.push('.');
                    place.push_str(name);
                }
                Step::Item => place.push_str("[]"),
            }
        }
        place
    }

    fn words(mut self) -> Option<String> {
        self.odd.dedup();
        let more = self.odd.len().saturating_sub(NAMED);
        self.odd.truncate(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!self.odd.is_empty()).then(|| format!("cannot read its {}{more}", self.odd.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Part {
        count: u32,
        names: Vec<String>,
        inner: Option<Box<Part>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Whole {
        id: String,
        #[serde(default)]
        part: Part,
    }

    fn whole(json: &str) -> (Whole, String) {
        let (whole, odd) = read(json).unwrap();
        (whole, odd.unwrap_or_default())
    }

    #[test]
    fn what_can_be_read_is_kept_and_what_cannot_is_named() {
        let part = |count, names: &[&str]| Part { count, names: names.iter().map(|n| (*n).to_owned()).collect(), inner: None };
        let (read, odd) = whole(r#"{"id":"a","part":{"count":-1,"names":["x",7,"y"],"inner":{"count":3,"names":{}}}}"#);
        let inner = Some(Box::new(part(3, &[])));
        assert_eq!(read, Whole { id: "a".into(), part: Part { inner, ..part(0, &["x", "y"]) } });
        assert_eq!(odd, "cannot read its part.count, part.inner.names, part.names[]");
        assert_eq!(whole(r#"{"id":"a","part":{"count":null,"names":null}}"#).1, "", "null is what is not there");
        let (read, odd) = whole(&format!(r#"{{"id":"a","part":{{"count":2}},"other":{}{}}}"#, "[".repeat(500), "]".repeat(500)));
        assert_eq!((read.part.count, odd.as_str()), (2, ""), "nobody asks for what is nested without end");
        let (read, odd) = whole(&format!(r#"{{"id":"a","part":{}0{}}}"#, r#"{"inner":"#.repeat(500), "}".repeat(500)));
        let mut levels = 0;
        let mut part = Some(&read.part);
        while let Some(inner) = part {
            levels += 1;
            part = inner.inner.as_deref();
        }
        assert_eq!((levels, odd.as_str()), (7, "cannot read its part.inner.inner.inner.inner.inner.inner.inner"));
        let many: String = (0..9).map(|n| format!(r#""{n}":[{n}],"#)).collect();
        assert_eq!(whole(&format!(r#"{{{many}"id":"a","part":7}}"#)).1, "cannot read its part", "what is not read cannot be odd");
    }

    #[test]
    fn what_has_no_identity_or_is_no_object_is_nothing() {
        for none in [r#"{"id":7,"part":{"count":-1}}"#, r#"{"part":{}}"#, "[]", "7", "null", "{"] {
            assert!(read::<Whole>(none).is_err(), "{none}");
        }
    }
}
