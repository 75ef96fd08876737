//! Reads answers. An object of a shape nobody foresaw hides no other, and says of itself what could not be read.

use crate::backend::{salvage, secret};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// An object of a list, or one that is read by itself.
pub trait Object: DeserializeOwned {
    /// Remembers what of it could not be read, in words.
    fn lacks(&mut self, odd: String);
}

macro_rules! objects {
    ($($name:ident),*) => {$(
        impl Object for super::$name {
            fn lacks(&mut self, odd: String) {
                self.odd = Some(odd);
            }
        }
    )*};
}

objects!(Node, Service, Task, Container, ContainerDetail, Info, Happened, Stats);

/// All objects of a list. One that says not even which it is has no row, and a line in our own log.
///
/// # Errors
/// Where the answer is no list.
pub fn all<T: Object>(json: &[u8]) -> Result<Vec<T>, serde_json::Error> {
    let text = String::from_utf8_lossy(json);
    if let Ok(all) = serde_json::from_str(&text) {
        return Ok(all);
    }
    let raw: Option<Vec<&RawValue>> = serde_json::from_str(&text)?;
    Ok(raw.into_iter().flatten().filter_map(|raw| logged(salvage(raw.get()))).collect())
}

/// An object by itself.
///
/// # Errors
/// Where nothing can be made of the answer.
pub fn one<T: Object>(json: &[u8]) -> Result<T, serde_json::Error> {
    salvage(&String::from_utf8_lossy(json))
}

fn salvage<T: Object>(json: &str) -> Result<T, serde_json::Error> {
    let (mut object, odd) = salvage::read::<T>(json)?;
    odd.into_iter().for_each(|odd| object.lacks(odd));
    Ok(object)
}

fn logged<T>(object: Result<T, serde_json::Error>) -> Option<T> {
    object.inspect_err(|err| tracing::warn!(err = secret::unread(err), "an object was left out: it could not be read")).ok()
}
