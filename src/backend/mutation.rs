//! Objects with something odd in them, for tests: any part of a real one is missing, null, negative, huge, of another kind,
//! many times there, or nested deep.

use proptest::prelude::*;
use serde_json::{Value, json};

/// What is done to an object: to which of its parts, and what.
#[derive(Clone, Debug)]
pub(in crate::backend) struct Mutation(Vec<(prop::sample::Index, Change)>);

#[derive(Clone, Debug)]
enum Change {
    Gone,
    Now(Value),
    Times(usize),
    Deep(usize),
    Long(usize),
}

/// Any mutation.
pub(in crate::backend) fn mutations() -> impl Strategy<Value = Mutation> {
    let value = prop_oneof![
        Just(Value::Null),
        Just(json!(-1)),
        Just(json!(u64::MAX)),
        Just(json!(i64::MIN)),
        Just(json!(u32::MAX)),
        Just(json!(1e308)),
        Just(json!(-0.5)),
        Just(json!(true)),
        Just(json!("")),
        Just(json!("\u{1b}[2J\u{202e}no suitable node (")),
        Just(json!("9999-99-99T99:99:99Z")),
        Just(json!("-262143-01-01T00:00:00Z")),
        Just(json!([])),
        Just(json!([null, 7, "x", {}])),
        Just(json!({})),
        Just(json!({ "": null, "State": 7, "name": [] })),
    ];
    let change = prop_oneof![
        2 => Just(Change::Gone),
        6 => value.prop_map(Change::Now),
        1 => (2_usize..200).prop_map(Change::Times),
        1 => (1_usize..120).prop_map(Change::Deep),
        1 => (1_usize..200_000).prop_map(Change::Long),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), change), 1..4).prop_map(Mutation)
}

impl Mutation {
    /// The same object, mutated.
    pub(in crate::backend) fn of(&self, object: &Value) -> Value {
        let mut object = object.clone();
        for (at, change) in &self.0 {
            let mut places = Vec::new();
            collect(&object, &mut String::new(), &mut places);
            if !places.is_empty() {
                change.to(&mut object, at.get::<String>(&places));
            }
        }
        object
    }
}

/// The addresses of all parts of a value.
fn collect(value: &Value, at: &mut String, places: &mut Vec<String>) {
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, part)| (name.replace('~', "~0").replace('/', "~1"), part)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(n, part)| (n.to_string(), part)).collect(),
        _ => Vec::new(),
    };
    for (name, part) in parts {
        let length = at.len();
        at.push('/');
        at.push_str(&name);
        places.push(at.clone());
        collect(part, at, places);
        at.truncate(length);
    }
}

impl Change {
    fn to(&self, object: &mut Value, place: &str) {
        let (parent, name) = place.rsplit_once('/').unwrap();
        let name = name.replace("~1", "/").replace("~0", "~");
        match (self, object.pointer_mut(parent).unwrap()) {
            (Self::Gone, Value::Object(fields)) => drop(fields.remove(&name)),
            (Self::Gone, Value::Array(items)) => drop(items.remove(name.parse().unwrap())),
            _ => {}
        }
        let Some(part) = object.pointer_mut(place).filter(|_| !matches!(self, Self::Gone)) else { return };
        *part = match self {
            Self::Gone => return,
            Self::Now(value) => value.clone(),
            Self::Times(times) => Value::Array(vec![part.take(); *times]),
            Self::Deep(levels) => {
                (0..*levels).fold(part.take(), |inner, n| if n % 2 == 0 { json!([inner]) } else { json!({ "a": inner }) })
            }
            Self::Long(length) => Value::from("é\u{7}x".repeat(length / 4 + 1)),
        };
    }
}
