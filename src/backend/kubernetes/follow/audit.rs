//! Now and then what is held is compared with what the server has, at the very version that the watch has come to: a watch
//! that leaves something out (a proxy that dropped a line, a server that forgot one) looks the same as a quiet one.
//!
//! It costs the server a list, and the wire some hundred bytes an object: only metadata is asked for.

use super::super::decode::PageMeta;
use super::super::failure::Failure;
use super::super::http::{Api, Form};
use super::super::paths::escape;
use super::super::protobuf::{self, shapes};
use super::super::raw::{Listed, Meta, Str};
use super::Step;
use crate::backend::difference::counted;
use crate::model::Text;
use futures::future::BoxFuture;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

/// Rows of a page.
const PAGE: u32 = 500;

/// The versions of all objects of a place, by numbers that stand for their uids: 16 bytes an object, for there may be many.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks(HashMap<u64, u64>);

impl Marks {
    /// An object as it is now.
    pub fn put<L>(&mut self, meta: &Meta<L>) {
        self.0.insert(number(&meta.uid), number(&meta.resource_version));
    }

    /// What a watch told of.
    pub fn follow<T: Listed>(&mut self, step: &Step<T>) {
        match step {
            Step::Item(item) => self.put(item.meta()),
            Step::Gone(item) => drop(self.0.remove(&number(&item.meta().uid))),
            _ => {}
        }
    }
}

fn number(of: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Objects in which what is held differs from what the server has.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// The server has them, in this version.
    new: HashSet<(u64, u64)>,
    /// The server has them in another version: this one.
    changed: HashSet<(u64, u64)>,
    /// The server has them no more.
    gone: HashSet<u64>,
}

impl Difference {
    fn is_none(&self) -> bool {
        self.new.is_empty() && self.changed.is_empty() && self.gone.is_empty()
    }

    /// Whether all of it was found before.
    pub fn is_within(&self, known: &Self) -> bool {
        self.new.is_subset(&known.new) && self.changed.is_subset(&known.changed) && self.gone.is_subset(&known.gone)
    }

    /// What is told of it.
    pub fn words(&self, cluster: &str, kind: &str) -> Text {
        let counted = counted(self.new.len(), self.changed.len(), self.gone.len());
        Text::from(format!("{cluster}: the watch of {kind} had left something out ({counted}): all are listed anew"))
    }
}

type Comparing = BoxFuture<'static, Result<Difference, Failure>>;

/// The comparison of one place: waited for, then under way.
pub(super) struct Audit {
    at: Instant,
    under_way: Option<Comparing>,
}

impl Audit {
    /// The next one is due then.
    pub fn at(at: Instant) -> Self {
        Self { at, under_way: None }
    }

    /// Waits for its time, has `begin` start it, and returns what differs, if anything does. May be dropped and called again.
    pub async fn step(&mut self, begin: impl FnOnce() -> Comparing) -> Option<Difference> {
        if self.under_way.is_none() {
            sleep_until(self.at).await;
        }
        let found = self.under_way.get_or_insert_with(begin).await;
        match found {
            Ok(found) => (!found.is_none()).then_some(found),
            Err(failure) => {
                // it can wait: whatever is wrong with the server is the watch's to tell
                tracing::debug!(why = failure.message, "a comparison was given up");
                None
            }
        }
    }
}

#[derive(Deserialize)]
struct Page {
    metadata: PageMeta,
    items: Option<Vec<Object>>,
}

#[derive(Deserialize)]
struct Object {
    metadata: Mark,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mark {
    uid: Str,
    resource_version: Str,
}

/// The version that the server has come to, as the list at `path` says.
pub(in super::super) async fn version(api: &Api, form: Form, path: &str) -> Result<String, Failure> {
    Ok(page(api, form, &format!("{path}?limit=1")).await?.metadata.resource_version)
}

async fn page(api: &Api, form: Form, path: &str) -> Result<Page, Failure> {
    let body = api.marks(path, form).await?;
    if protobuf::is(&body) {
        return protobuf::read(&body, shapes::MARKS).map_err(|_| Failure::protobuf());
    }
    serde_json::from_slice(&body).map_err(|err| Failure::decode(err.to_string()))
}

/// Compares what was held at a version with what the server had then.
pub(super) fn compare(api: Api, form: Form, lists: Arc<Semaphore>, path: String, version: String, marks: Marks) -> Comparing {
    Box::pin(async move {
        let _turn = lists.acquire().await.map_err(|_| Failure::link("the session is over"))?;
        let mut left = marks.0;
        let mut found = Difference::default();
        let mut next = format!("resourceVersion={}&resourceVersionMatch=Exact", escape(&version));
        loop {
            let page = page(&api, form, &format!("{path}?limit={PAGE}&{next}")).await?;
            if page.metadata.resource_version != version {
                // a server that answers with another version than it was asked for: nothing can be said
                return Ok(Difference::default());
            }
            for object in page.items.into_iter().flatten() {
                let (uid, version) = (number(&object.metadata.uid), number(&object.metadata.resource_version));
                match left.remove(&uid) {
                    Some(held) if held == version => {}
                    Some(_) => drop(found.changed.insert((uid, version))),
                    None => drop(found.new.insert((uid, version))),
                }
            }
            if page.metadata.next.is_empty() {
                found.gone = left.into_keys().collect();
                return Ok(found);
            }
            next = format!("continue={}", escape(&page.metadata.next));
        }
    })
}
