//! All in which following one kind differs from following another, so that the loop is there once and not once a kind.

use super::super::decode::{self, PageMeta};
use super::super::failure::Failure;
use super::super::raw::Listed;
use super::Step;
use super::audit::Marks;
use super::heard::{Begun, Heard};
use futures::future::BoxFuture;
use std::convert::Infallible;
use tokio::sync::mpsc;

/// Steps on their way to whoever takes them; false if nobody does any more.
pub(super) type Delivery = BoxFuture<'static, bool>;

/// A step that tells of no object.
pub(super) type Said = Step<Infallible>;

/// A kind, and who takes its steps.
pub(super) trait Kind: Send + Sync {
    /// See [`Listed::PATH`].
    fn path(&self) -> &'static str;
    /// See [`Listed::PLURAL`].
    fn plural(&self) -> &'static str;
    /// Path of its list in one namespace; none for a kind whose objects are in none.
    fn path_in(&self, namespace: &str) -> Option<String>;
    /// Reads a page, see [`decode::page`]: its metadata, and its objects, which are put into `marks`.
    fn page(&self, body: &[u8], marks: &mut Marks, head: &mut dyn FnMut(&PageMeta)) -> Result<(PageMeta, Vec<Delivery>), Failure>;
    /// Reads a piece of a watch that has come up to `version`; `begun` holds what of it has not ended yet.
    fn chunk(&self, chunk: &[u8], begun: &mut Begun, version: &str, marks: &mut Marks) -> Chunk;
    /// Says what tells of no object.
    fn say(&self, said: Said) -> Delivery;
    /// Waits until there is room for a step; false if nobody takes any more.
    fn room(&self) -> BoxFuture<'_, bool>;
    /// Says it now, if there is room.
    fn say_now(&self, said: Said);
}

/// What a piece of a watch brought.
pub(super) struct Chunk {
    /// Its steps, if there are any. What came before something went wrong counts.
    pub steps: Option<Delivery>,
    /// The version to go on from once they are there; empty where there is none.
    pub version: String,
    /// Whether all of it could be read.
    pub read: Result<(), Failure>,
}

/// The kind of the objects `T`, whose steps are sent in order, some at a time.
pub(super) struct Of<T>(pub mpsc::Sender<Vec<Step<T>>>);

impl<T: Listed> Of<T> {
    fn deliver(&self, steps: Vec<Step<T>>) -> Delivery {
        let out = self.0.clone();
        Box::pin(async move { out.send(steps).await.is_ok() })
    }
}

impl<T: Listed> Kind for Of<T> {
    fn path(&self) -> &'static str {
        T::PATH
    }

    fn plural(&self) -> &'static str {
        T::PLURAL
    }

    fn path_in(&self, namespace: &str) -> Option<String> {
        T::NAMESPACED.then(|| T::path_in(namespace))
    }

    fn page(&self, body: &[u8], marks: &mut Marks, head: &mut dyn FnMut(&PageMeta)) -> Result<(PageMeta, Vec<Delivery>), Failure> {
        let page = decode::page::<T>(body, head)?;
        page.items.iter().flatten().for_each(|item| marks.put(item.meta()));
        let batches = page.items.into_iter().map(|batch| self.deliver(batch.into_iter().map(Step::Item).collect()));
        Ok((page.meta, batches.collect()))
    }

    fn chunk(&self, chunk: &[u8], begun: &mut Begun, version: &str, marks: &mut Marks) -> Chunk {
        let mut heard = Heard::after(version);
        let read = heard.chunk(chunk, begun);
        heard.steps.iter().for_each(|step| marks.follow(step));
        let steps = (!heard.steps.is_empty()).then(|| self.deliver(heard.steps));
        Chunk { steps, version: heard.version, read }
    }

    fn say(&self, said: Said) -> Delivery {
        self.deliver(vec![of(said)])
    }

    fn room(&self) -> BoxFuture<'_, bool> {
        Box::pin(async { self.0.reserve().await.is_ok() })
    }

    fn say_now(&self, said: Said) {
        // without room there is somebody who will be told more, and without anybody there is nothing to tell
        let _ = self.0.try_send(vec![of(said)]);
    }
}

fn of<T>(said: Said) -> Step<T> {
    match said {
        Step::Begin => Step::Begin,
        Step::End(only) => Step::End(only),
        Step::Failed(why) => Step::Failed(why),
        Step::Absent => Step::Absent,
        Step::Item(none) | Step::Gone(none) => match none {},
    }
}
