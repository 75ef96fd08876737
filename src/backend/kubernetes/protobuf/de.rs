//! Messages as serde sees them: maps whose keys are the names of their fields.

use super::Unreadable;
use super::shapes::{Field, Shape};
use super::wire::{Fields, Value};
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// A message.
pub(in super::super) struct Message<'a> {
    fields: Fields<'a>,
    shape: &'static [Field],
    /// The field whose name was told last.
    next: Option<(&'static Field, Value<'a>)>,
}

impl<'a> Message<'a> {
    /// The message in these bytes.
    pub fn new(bytes: &'a [u8], shape: &'static [Field]) -> Self {
        Self { fields: Fields(bytes), shape, next: None }
    }
}

macro_rules! forward {
    () => {
        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
            tuple_struct map struct enum identifier
        }
    };
}

impl<'de> Deserializer<'de> for Message<'de> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_map(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_unit()
    }

    forward!();
}

impl<'de> MapAccess<'de> for Message<'de> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unreadable> {
        while let Some((number, value)) = self.fields.next()? {
            if let Some(field) = self.shape.iter().find(|field| field.number == number) {
                self.next = Some((field, value));
                return seed.deserialize(BorrowedStrDeserializer::new(field.name)).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unreadable> {
        let (field, value) = self.next.take().ok_or_else(|| Unreadable::new("a value was asked for without a name"))?;
        seed.deserialize(Part { shape: &field.shape, value, more: &mut self.fields, number: field.number })
    }
}

/// The value of a field; of a list or map the first element, and where there may be more.
struct Part<'a, 'f> {
    shape: &'static Shape,
    value: Value<'a>,
    more: &'f mut Fields<'a>,
    number: u64,
}

impl<'de> Deserializer<'de> for Part<'de, '_> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.shape {
            Shape::List(of) => visitor.visit_seq(Elements { of, first: Some(self.value), more: self.more, number: self.number }),
            Shape::Map(of) => {
                let elements = Elements { of, first: Some(self.value), more: self.more, number: self.number };
                visitor.visit_map(Entries { elements, value: None })
            }
            shape => single(shape, self.value, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        if matches!(self.shape, Shape::List(_) | Shape::Map(_)) {
            while self.more.next_of(self.number)?.is_some() {}
        }
        visitor.visit_unit()
    }

    forward!();
}

/// An element of a list, or a value of a map.
struct Element<'a> {
    shape: &'static Shape,
    value: Value<'a>,
}

impl<'de> Deserializer<'de> for Element<'de> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        single(self.shape, self.value, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_unit()
    }

    forward!();
}

/// A value that is neither list nor map.
fn single<'de, V: Visitor<'de>>(shape: &'static Shape, value: Value<'de>, visitor: V) -> Result<V::Value, Unreadable> {
    match shape {
        Shape::Text => text(value.bytes()?, visitor),
        Shape::Number => visitor.visit_i64(value.number()?),
        Shape::Flag => visitor.visit_bool(value.number()? != 0),
        Shape::Message(shape) => visitor.visit_map(Message::new(value.bytes()?, shape)),
        Shape::Quantity => text(inner(value, 1)?.map_or(Ok(&[][..]), Value::bytes)?, visitor),
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
        Shape::Json => {
            let raw = inner(value, 1)?.map_or(Ok(&b"{}"[..]), Value::bytes)?;
            serde_json::Deserializer::from_slice(raw).deserialize_any(visitor).map_err(serde::de::Error::custom)
        }
        Shape::List(_) | Shape::Map(_) => Err(Unreadable::new("there are no lists of lists")),
    }
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
struct Elements<'a, 'f> {
    of: &'static Shape,
    first: Option<Value<'a>>,
    more: &'f mut Fields<'a>,
    number: u64,
}

impl<'a> Elements<'a, '_> {
    fn next(&mut self) -> Result<Option<Value<'a>>, Unreadable> {
        match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => self.more.next_of(self.number),
        }
    }
}

impl<'de> SeqAccess<'de> for Elements<'de, '_> {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unreadable> {
        let Some(value) = self.next()? else { return Ok(None) };
        seed.deserialize(Element { shape: self.of, value }).map(Some)
    }
}

/// The entries of a map: messages of 1 key, 2 value.
struct Entries<'a, 'f> {
    elements: Elements<'a, 'f>,
    value: Option<Value<'a>>,
}

impl<'de> MapAccess<'de> for Entries<'de, '_> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unreadable> {
        let Some(entry) = self.elements.next()? else { return Ok(None) };
        self.value = Some(inner(entry, 2)?.unwrap_or(Value::Bytes(&[])));
        let key = inner(entry, 1)?.map_or(Ok(&[][..]), Value::bytes)?;
        seed.deserialize(String::from_utf8_lossy(key).into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unreadable> {
        let value = self.value.take().ok_or_else(|| Unreadable::new("a value was asked for without a key"))?;
        seed.deserialize(Element { shape: self.elements.of, value })
    }
}
