//! From the bytes of lists and watches to objects, in one pass over them.
//!
//! An object of a shape nobody foresaw hides no other, and is no less there for it: what holds one is read a second time,
//! object by object, and its row says what of it could not be read.

use super::failure::{Failure, Status};
use super::protobuf::{self, shapes};
use super::raw::Listed;
use crate::backend::{salvage, secret};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;

/// `metadata` of a list, and as much of a bookmark's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PageMeta {
    /// What to watch from.
    pub resource_version: String,
    /// Where the next page begins; empty at the end of the list.
    #[serde(rename = "continue", deserialize_with = "or_default")]
    pub next: String,
}

fn or_default<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub meta: PageMeta,
    pub items: Batches<T>,
}

/// Objects of a page in order, some at a time. A hand-over costs as much as a row, so it is not one; and one large piece of
/// memory is dearer to have and to give back than some small ones.
pub(super) type Batches<T> = Vec<Vec<T>>;

/// Objects of a batch.
const BATCH: usize = 64;

fn push<T>(batches: &mut Batches<T>, item: T) {
    match batches.last_mut().filter(|batch| batch.len() < BATCH) {
        Some(batch) => batch.push(item),
        None => {
            let mut batch = Vec::with_capacity(BATCH);
            batch.push(item);
            batches.push(batch);
        }
    }
}

/// Decodes a page. `head` is told its metadata as soon as that is read, which is before its items: whoever wants the next
/// page need not wait for them.
pub(super) fn page<T: Listed>(body: &[u8], head: &mut dyn FnMut(&PageMeta)) -> Result<Page<T>, Failure> {
    if protobuf::is(body) {
        let list = protobuf::opened(body, T::PAGE).and_then(|list| PageSeed { head, items: PhantomData }.deserialize(list));
        return list.map_err(|_| Failure::protobuf());
    }
    let text = &String::from_utf8_lossy(body);
    if let Ok(page) = page_of(text, head) {
        return Ok(page);
    }
    let raw: Page<&RawValue> = page_of(text, head)?;
    let mut items = Vec::new();
    for item in raw.items.into_iter().flatten().filter_map(|item| readable::<T>(item.get())) {
        push(&mut items, item);
    }
    Ok(Page { items, meta: raw.meta })
}

fn page_of<'de, T: Deserialize<'de>>(text: &'de str, head: &mut dyn FnMut(&PageMeta)) -> Result<Page<T>, Failure> {
    let mut from = serde_json::Deserializer::from_str(text);
    let page = PageSeed { head, items: PhantomData }.deserialize(&mut from).and_then(|page| from.end().map(|()| page));
    page.map_err(|err| Failure::decode(secret::unread(&err)))
}

struct PageSeed<'h, T> {
    head: &'h mut dyn FnMut(&PageMeta),
    items: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for PageSeed<'_, T> {
    type Value = Page<T>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Page<T>, D::Error> {
        from.deserialize_map(self)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Field {
    Metadata,
    Items,
    #[serde(other)]
    Other,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for PageSeed<'_, T> {
    type Value = Page<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page<T>, A::Error> {
        let mut page = Page { meta: PageMeta::default(), items: Vec::new() };
        while let Some(field) = map.next_key()? {
            match field {
                Field::Metadata => {
                    page.meta = map.next_value()?;
                    (self.head)(&page.meta);
                }
                Field::Items => page.items = map.next_value::<Option<Items<T>>>()?.map(|items| items.0).unwrap_or_default(),
                Field::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(page)
    }
}

struct Items<T>(Batches<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(ItemsVisitor(PhantomData))
    }
}

struct ItemsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ItemsVisitor<T> {
    type Value = Items<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the items of a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items<T>, A::Error> {
        let mut batches = Vec::new();
        while let Some(item) = seq.next_element()? {
            push(&mut batches, item);
        }
        Ok(Items(batches))
    }
}

/// One line of a watch.
#[derive(Debug)]
pub(super) enum Line<T> {
    /// An object is new.
    Added(T),
    /// An object is different.
    Modified(T),
    /// An object is gone.
    Deleted(T),
    /// Nothing changed up to this version.
    Bookmark(Mark),
    /// The watch is over.
    Error(Status),
}

/// The object of a `BOOKMARK`.
#[derive(Debug, Deserialize)]
pub(super) struct Mark {
    pub metadata: PageMeta,
}

/// Decodes a line of a watch; none for an object that says not even which it is.
pub(super) fn line<T: Listed>(line: &[u8]) -> Result<Option<Line<T>>, Failure> {
    let text = &String::from_utf8_lossy(line);
    let broken = |err| Failure::decode(secret::unread(&err));
    let Told { kind, object } = serde_json::from_str(text).map_err(broken)?;
    let json = object.get();
    // in a line that is whole, an odd object is that object's fault and not the stream's
    let object = || serde_json::from_str(json).ok().or_else(|| readable(json));
    Ok(match kind {
        "ADDED" => object().map(Line::Added),
        "MODIFIED" => object().map(Line::Modified),
        "DELETED" => object().map(Line::Deleted),
        "BOOKMARK" => Some(Line::Bookmark(serde_json::from_str(json).map_err(broken)?)),
        "ERROR" => Some(Line::Error(serde_json::from_str(json).map_err(broken)?)),
        _ => return Err(broken(serde::de::Error::custom("it tells of nothing that is known"))),
    })
}

/// Decodes a frame of a watch, which is what a line is in Protocol Buffers.
pub(super) fn frame<T: Listed>(frame: &[u8]) -> Result<Line<T>, Failure> {
    let read = || {
        let (kind, object) = protobuf::told(frame)?;
        Ok(match kind {
            b"ADDED" => Line::Added(protobuf::read(object, T::SHAPE)?),
            b"MODIFIED" => Line::Modified(protobuf::read(object, T::SHAPE)?),
            b"DELETED" => Line::Deleted(protobuf::read(object, T::SHAPE)?),
            b"BOOKMARK" => Line::Bookmark(protobuf::read(object, shapes::BOOKMARK)?),
            b"ERROR" => Line::Error(protobuf::read(object, shapes::STATUS)?),
            _ => return Err(protobuf::Unreadable::new("it tells of nothing that is known")),
        })
    };
    read().map_err(|_: protobuf::Unreadable| Failure::protobuf())
}

/// What a line tells of.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// As much of the object as can be read, or a line in our own log that says why it was left out.
fn readable<T: Listed>(json: &str) -> Option<T> {
    let left_out = |err: &str| tracing::warn!(kind = T::PLURAL, err, "an object was left out: it could not be read");
    match salvage::read::<T>(json) {
        Ok((mut item, odd)) => {
            if item.meta().uid.is_empty() || item.meta().name.is_empty() {
                left_out(odd.as_deref().unwrap_or("it does not say which it is"));
                return None;
            }
            item.meta_mut().odd = odd.map(String::into_boxed_str);
            Some(item)
        }
        Err(err) => {
            left_out(&secret::unread(&err));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::backend::kubernetes::raw::RawNode;

    fn node(n: usize) -> String {
        format!(r#"{{"metadata":{{"name":"n{n}","uid":"u{n}"}}}}"#)
    }

    fn names(page: &Page<RawNode>) -> Vec<String> {
        page.items.iter().flatten().map(|node| node.metadata.name.to_string()).collect()
    }

    #[test]
    fn a_page_comes_in_batches_in_order_and_its_metadata_before_its_items() {
        let nodes: Vec<String> = (0..200).map(node).collect();
        let whole =
            format!(r#"{{"kind":"List","metadata":{{"continue":"next","resourceVersion":"7"}},"items":[{}]}}"#, nodes.join(","));
        let mut heads = Vec::new();
        let read: Page<RawNode> = page(whole.as_bytes(), &mut |meta| heads.push(meta.next.clone())).unwrap();
        assert_eq!((heads, read.meta.resource_version.as_str()), (vec!["next".to_owned()], "7"));
        assert_eq!(names(&read), (0..200).map(|n| format!("n{n}")).collect::<Vec<_>>());
        assert!(read.items.iter().all(|batch| (1..=BATCH).contains(&batch.len())));
        // cut off in its last item: the metadata was heard, and still it is no page
        let mut heard = 0;
        let cut = whole.as_bytes().get(..whole.len() - 5).unwrap();
        assert!(page::<RawNode>(cut, &mut |_| heard += 1).is_err());
        assert!(heard > 0);
    }

    #[test]
    fn a_page_without_items_or_with_null_for_them_or_for_its_token_is_empty() {
        for empty in [r#"{"metadata":{"continue":null}}"#, r#"{"items":null,"metadata":{}}"#, r#"{"items":[]}"#] {
            let read: Page<RawNode> = page(empty.as_bytes(), &mut |_| {}).unwrap();
            assert_eq!((read.items.len(), read.meta), (0, PageMeta::default()), "{empty}");
        }
        assert!(page::<RawNode>(b"<html>", &mut |_| {}).is_err());
        assert!(page::<RawNode>(br#"{"items":[]} and more"#, &mut |_| {}).is_err());
    }

    #[test]
    fn a_page_with_an_odd_object_keeps_all_others() {
        let odd = r#"{"metadata":{"name":"odd","uid":"u"},"spec":{"taints":[{"key":7},{"key":"a"}]}}"#;
        let whole = format!(r#"{{"items":[{},{{"metadata":{{"name":7}}}},{odd},{}]}}"#, node(1), node(2));
        let read: Page<RawNode> = page(whole.as_bytes(), &mut |_| {}).unwrap();
        assert_eq!(names(&read), ["n1", "odd", "n2"], "what says not which it is cannot be told of");
        let odd = read.items.iter().flatten().nth(1).unwrap();
        assert_eq!(odd.metadata.odd.as_deref(), Some("cannot read its spec.taints[].key"));
        assert_eq!(odd.spec.taints.len(), 2);
    }

    #[test]
    fn a_line_is_read_whatever_comes_first_in_it_and_an_odd_object_is_no_broken_stream() {
        let read = |text: &str| line::<RawNode>(text.as_bytes());
        let name = |read: Result<Option<Line<RawNode>>, Failure>| match read.unwrap() {
            Some(Line::Added(node)) => format!("+{}", node.metadata.name),
            Some(Line::Deleted(node)) => format!("-{}", node.metadata.name),
            other => format!("{other:?}"),
        };
        assert_eq!(name(read(r#"{"type":"ADDED","object":{"metadata":{"name":"a"}}}"#)), "+a");
        assert_eq!(name(read(r#"{"object":{"metadata":{"name":"a"}},"type":"DELETED"}"#)), "-a");
        assert!(read(r#"{"type":"ADDED","object":{"metadata":{"name":7}}}"#).unwrap().is_none());
        let gone = r#"{"type":"DELETED","object":{"metadata":{"name":"a","uid":"u"},"spec":{"taints":7}}}"#;
        assert_eq!(name(read(gone)), "-a", "an odd object can be gone");
        for broken in ["{", r#"{"type":"ADDED"}"#, r#"{"type":"BOOKMARK","object":{}}"#, r#"{"type":"ADDED","object":{"#] {
            assert!(read(broken).is_err(), "{broken}");
        }
        let gone = read(r#"{"type":"ERROR","object":{"code":410,"message":"too old"}}"#).unwrap();
        assert!(matches!(gone, Some(Line::Error(status)) if status.code == 410));
    }
}
