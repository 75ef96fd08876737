//! Messages as serde sees them: maps whose keys are the names of their fields.
//!
//! One type is what is read, one what is read into a map and one what is read into a list, and each asks a visitor for what
//! its type can be and no more: the code of each kind is compiled once for each combination.

use super::Unreadable;
use super::shapes::{Field, Shape};
use super::wire::{Fields, Value};
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// What a value holds.
#[derive(Clone, Copy)]
enum Holds {
    Fields(&'static [Field]),
    Shape(&'static Shape),
}

/// A value. Of a list or map in a message it is the first element, and the others are in the rest of the message, under the
/// same number.
pub(in super::super) struct Part<'a, 'm> {
    holds: Holds,
    value: Value<'a>,
    rest: Option<(&'m mut Fields<'a>, u64)>,
}

impl<'a, 'm> Part<'a, 'm> {
    /// The message in these bytes.
    pub fn message(bytes: &'a [u8], fields: &'static [Field]) -> Self {
        Self { holds: Holds::Fields(fields), value: Value::Bytes(bytes), rest: None }
    }

    fn single(shape: &'static Shape, value: Value<'a>) -> Self {
        Self { holds: Holds::Shape(shape), value, rest: None }
    }

    /// As a map; none if it is something else.
    fn pairs(self) -> Result<Option<Pairs<'a, 'm>>, Unreadable> {
        let fields = match self.holds {
            Holds::Fields(fields) => fields,
            Holds::Shape(Shape::Message(fields)) => *fields,
            Holds::Shape(Shape::Map(of)) => {
                return Ok(Some(Pairs::Entries { elements: Elements::new(of, self.value, self.rest)?, value: None }));
            }
            Holds::Shape(_) => return Ok(None),
        };
        Ok(Some(Pairs::Fields { rest: Fields(self.value.bytes()?), fields, at: 0, next: None }))
    }

    fn visit_pairs<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_map(self.pairs()?.ok_or_else(|| Unreadable::new("it is neither a message nor a map"))?)
    }

    fn visit_list<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.holds {
            Holds::Shape(Shape::List(of)) => visitor.visit_seq(Elements::new(of, self.value, self.rest)?),
            _ => Err(Unreadable::new("it is no list")),
        }
    }

    fn visit_scalar<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        let value = self.value;
        let Holds::Shape(shape) = self.holds else { return Err(Unreadable::new("it is a message")) };
        match shape {
            Shape::Text => text(value.bytes()?, visitor),
            Shape::Number => visitor.visit_i64(value.number()?),
            Shape::Flag => visitor.visit_bool(value.number()? != 0),
            Shape::Quantity => text(inner(value, 1)?.map_or(Ok(&[][..]), Value::bytes)?, visitor),
            Shape::Json => text(inner(value, 1)?.map_or(Ok(&b"{}"[..]), Value::bytes)?, visitor),
            Shape::Time => {
                let seconds = inner(value, 1)?.map_or(Ok(0), Value::number)?;
                let nanos = inner(value, 2)?.map_or(Ok(0), Value::number)?;
                match (seconds, nanos) {
                    // how a time that is none is written
                    (0, 0) => visitor.visit_none(),
                    _ => visitor.visit_i128(i128::from(seconds) * 1_000 + i128::from(nanos / 1_000_000)),
                }
            }
            Shape::IntOrText => match inner(value, 1)?.map_or(Ok(0), Value::number)? {
                0 => visitor.visit_i64(inner(value, 2)?.map_or(Ok(0), Value::number)?),
                _ => text(inner(value, 3)?.map_or(Ok(&[][..]), Value::bytes)?, visitor),
            },
            Shape::Message(_) | Shape::List(_) | Shape::Map(_) => Err(Unreadable::new("it is no single value")),
        }
    }
}

macro_rules! scalars {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            self.visit_scalar(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Part<'de, '_> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.holds {
            Holds::Fields(_) | Holds::Shape(Shape::Message(_) | Shape::Map(_)) => self.visit_pairs(visitor),
            Holds::Shape(Shape::List(_)) => self.visit_list(visitor),
            Holds::Shape(_) => self.visit_scalar(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.visit_pairs(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        self.visit_pairs(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.visit_list(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        if let (Holds::Shape(Shape::List(_) | Shape::Map(_)), Some((rest, number))) = (self.holds, self.rest) {
            while rest.next_of(number)?.is_some() {}
        }
        visitor.visit_unit()
    }

    scalars! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char
        deserialize_str deserialize_string
    }

    forward_to_deserialize_any! { bytes byte_buf unit unit_struct tuple tuple_struct enum identifier }
}

fn inner<'a>(value: Value<'a>, number: u64) -> Result<Option<Value<'a>>, Unreadable> {
    Fields(value.bytes()?).find(number)
}

fn text<'de, V: Visitor<'de>>(bytes: &'de [u8], visitor: V) -> Result<V::Value, Unreadable> {
    match std::str::from_utf8(bytes) {
        Ok(text) => visitor.visit_borrowed_str(text),
        Err(_) => visitor.visit_str(&String::from_utf8_lossy(bytes)),
    }
}

/// The elements of a list, which stand one behind the other.
struct Elements<'a, 'm> {
    of: &'static Shape,
    first: Option<Value<'a>>,
    rest: &'m mut Fields<'a>,
    number: u64,
}

impl<'a, 'm> Elements<'a, 'm> {
    fn new(of: &'static Shape, first: Value<'a>, rest: Option<(&'m mut Fields<'a>, u64)>) -> Result<Self, Unreadable> {
        let (rest, number) = rest.ok_or_else(|| Unreadable::new("there are no lists of lists"))?;
        Ok(Self { of, first: Some(first), rest, number })
    }

    fn next(&mut self) -> Result<Option<Value<'a>>, Unreadable> {
        match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => self.rest.next_of(self.number),
        }
    }
}

impl<'de> SeqAccess<'de> for Elements<'de, '_> {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unreadable> {
        let Some(value) = self.next()? else { return Ok(None) };
        seed.deserialize(Part::single(self.of, value)).map(Some)
    }
}

/// What is read into a map.
enum Pairs<'a, 'm> {
    /// A message, where its last field is among those that have names, and the field whose name was told last.
    Fields { rest: Fields<'a>, fields: &'static [Field], at: usize, next: Option<(&'static Field, Value<'a>)> },
    /// The entries of a map, which are messages of 1 key, 2 value; and the value whose key was told last.
    Entries { elements: Elements<'a, 'm>, value: Option<Value<'a>> },
}

impl<'a> Pairs<'a, '_> {
    fn next_name(&mut self) -> Result<Option<&'a str>, Unreadable> {
        match self {
            Self::Fields { rest, fields, at, next } => {
                while let Some((number, value)) = rest.next()? {
                    // both are in the order of their numbers, as a rule
                    if fields.get(*at).is_none_or(|field| field.number > number) {
                        *at = 0;
                    }
                    while fields.get(*at).is_some_and(|field| field.number < number) {
                        *at += 1;
                    }
                    if let Some(field) = fields.get(*at).filter(|field| field.number == number) {
                        *next = Some((field, value));
                        return Ok(Some(field.name));
                    }
                }
                Ok(None)
            }
            Self::Entries { elements, value } => {
                let Some(entry) = elements.next()? else { return Ok(None) };
                *value = Some(inner(entry, 2)?.unwrap_or(Value::Bytes(&[])));
                let key = inner(entry, 1)?.map_or(Ok(&[][..]), Value::bytes)?;
                std::str::from_utf8(key).map(Some).map_err(|_| Unreadable::new("the key of a map is no text"))
            }
        }
    }

    fn value(&mut self) -> Option<Part<'a, '_>> {
        match self {
            Self::Fields { rest, next, .. } => {
                let (field, value) = next.take()?;
                Some(Part { holds: Holds::Shape(&field.shape), value, rest: Some((rest, field.number)) })
            }
            Self::Entries { elements, value } => Some(Part::single(elements.of, value.take()?)),
        }
    }
}

impl<'de> MapAccess<'de> for Pairs<'de, '_> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unreadable> {
        let Some(name) = self.next_name()? else { return Ok(None) };
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unreadable> {
        seed.deserialize(self.value().ok_or_else(|| Unreadable::new("a value was asked for without a name"))?)
    }
}
