//! Names of objects as they stand in words.

use crate::model::{ClusterState, Key, Kind, Text};
use std::fmt;

/// A name as it stands in words, put together only when it is written: `shop/web`, `eu-b-07`, `shop/web-7d9f-x2x9k`.
pub struct Name<'a> {
    prefix: Option<&'a str>,
    name: Text,
}

impl Name<'_> {
    /// The name as a text of its own.
    pub fn text(self) -> Text {
        match self.prefix {
            Some(_) => Text::from(self.to_string()),
            None => self.name,
        }
    }
}

impl From<Text> for Name<'_> {
    fn from(name: Text) -> Self {
        Self { prefix: None, name }
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(prefix) = self.prefix {
            f.write_str(prefix)?;
            f.write_str("/")?;
        }
        f.write_str(&self.name)
    }
}

/// The name of an object; none where the row is gone.
pub fn name<'a>(state: &'a ClusterState, kind: Kind, key: &Key) -> Option<Name<'a>> {
    Some(match kind {
        Kind::Node => state.nodes.get(key)?.name.clone().into(),
        Kind::Service => state.services.get(key).map(|s| qualified(&s.namespace, &s.name))?,
        Kind::Task => state.tasks.get(key).map(|t| qualified(&t.namespace, &t.name))?,
        Kind::Event => state.events.get(key)?.object.clone().into(),
    })
}

/// The name without its namespace: what is copied, and what commands of the platform take.
pub fn plain(state: &ClusterState, kind: Kind, key: &Key) -> Option<Text> {
    Some(match kind {
        Kind::Node => state.nodes.get(key)?.name.clone(),
        Kind::Service => state.services.get(key)?.name.clone(),
        Kind::Task => state.tasks.get(key)?.name.clone(),
        Kind::Event => state.events.get(key)?.message.clone(),
    })
}

/// The namespace prefix shown before a name; none where the name already begins with it, as Swarm's stack services do.
pub fn prefix<'a>(namespace: &'a str, name: &str) -> Option<&'a str> {
    (!namespace.is_empty() && !name.strip_prefix(namespace).is_some_and(|rest| rest.starts_with(['_', '.', '/'])))
        .then_some(namespace)
}

fn qualified<'a>(namespace: &'a Text, name: &Text) -> Name<'a> {
    Name { prefix: prefix(namespace, name), name: name.clone() }
}

/// The namespace or stack of an object; none where the row is gone or its kind has none.
pub fn namespace(state: &ClusterState, kind: Kind, key: &Key) -> Option<Text> {
    match kind {
        Kind::Node => None,
        Kind::Service => state.services.get(key).map(|s| s.namespace.clone()),
        Kind::Task => state.tasks.get(key).map(|t| t.namespace.clone()),
        Kind::Event => state.events.get(key).map(|e| e.namespace.clone()),
    }
}
