//! The wire format of Protocol Buffers (protobuf.dev, "Encoding"): fields, each a number and a value, one behind the other.
//!
//! The program is built to be small; what runs once for each of the hundreds of fields of a pod is asked to be inlined.

use super::Unreadable;

/// A value as it is on the wire.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    /// A number, or a flag.
    Varint(u64),
    /// Text, bytes, or a message.
    Bytes(&'a [u8]),
    /// A number of fixed width: nothing that is read here is one.
    Fixed,
}

impl<'a> Value<'a> {
    /// The bytes.
    #[inline]
    pub fn bytes(self) -> Result<&'a [u8], Unreadable> {
        if let Self::Bytes(bytes) = self { Ok(bytes) } else { Err(Unreadable::new("a number stands where text is due")) }
    }

    /// The number, signed as all of Kubernetes' are.
    #[inline]
    pub fn number(self) -> Result<i64, Unreadable> {
        if let Self::Varint(number) = self {
            Ok(number.cast_signed())
        } else {
            Err(Unreadable::new("text stands where a number is due"))
        }
    }
}

/// The fields of a message that are still to be read.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// The next field: its number and value.
    #[inline]
    pub fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, Unreadable> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            other => return Err(Unreadable(format!("wire type {other} is unknown"))),
        };
        Ok(Some((tag >> 3, value)))
    }

    /// The next field, if it has this number: an element more of a list or a map.
    #[inline]
    pub fn next_of(&mut self, number: u64) -> Result<Option<Value<'a>>, Unreadable> {
        let mut ahead = *self;
        match ahead.next()? {
            Some((found, value)) if found == number => {
                *self = ahead;
                Ok(Some(value))
            }
            _ => Ok(None),
        }
    }

    /// The last field with this number, whatever else there is.
    pub fn find(mut self, number: u64) -> Result<Option<Value<'a>>, Unreadable> {
        let mut last = None;
        while let Some((found, value)) = self.next()? {
            if found == number {
                last = Some(value);
            }
        }
        Ok(last)
    }

    /// Nearly all numbers, lengths and tags are of one byte.
    #[inline]
    fn varint(&mut self) -> Result<u64, Unreadable> {
        match self.0 {
            [byte @ 0..0x80, rest @ ..] => {
                self.0 = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Unreadable> {
        let mut number = 0;
        for (at, byte) in self.0.iter().take(10).enumerate() {
            number |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                self.0 = self.0.get(at + 1..).unwrap_or_default();
                return Ok(number);
            }
        }
        Err(Unreadable::new("it ends within a number"))
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(|| Unreadable::new("it ends within a field"))?;
        self.0 = rest;
        Ok(taken)
    }
}
