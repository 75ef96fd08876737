//! Names of objects as they stand in words.

use crate::model::{ClusterState, Key, Kind, Text};

/// `shop/web`, `eu-b-07`, `shop/web-7d9f-x2x9k`; none where the row is gone.
pub fn name(state: &ClusterState, kind: Kind, key: &Key) -> Option<Text> {
    Some(match kind {
        Kind::Node => state.nodes.get(key)?.name.clone(),
        Kind::Service => state.services.get(key).map(|s| qualified(&s.namespace, &s.name))?,
        Kind::Task => state.tasks.get(key).map(|t| qualified(&t.namespace, &t.name))?,
        Kind::Event => state.events.get(key)?.object.clone(),
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

fn qualified(namespace: &Text, name: &Text) -> Text {
    match prefix(namespace, name) {
        Some(namespace) => Text::from(format!("{namespace}/{name}")),
        None => name.clone(),
    }
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
