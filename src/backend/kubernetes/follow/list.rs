//! The lists of a kind: page by page, over all namespaces or over those that may be read.

use super::super::failure::{Failure, forbidden};
use super::super::paths::escape;
use super::audit::Marks;
use super::lapse::Lapse;
use super::{Follower, Held, Place, REFUSED, Step, Stop, arrived};
use crate::model::Text;
use bytes::Bytes;
use parking_lot::Mutex;
use std::future::pending;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;

/// Rows of the first page of a list, and the least of the others.
const PAGE: usize = 500;
/// Rows of other pages at most.
const LARGE: usize = 2_000;
/// Bytes that other pages have, as far as can be told from the one before: each costs a server something of its own, and us
/// its memory.
const BYTES: usize = 1 << 20;
/// On a slow link pages stay small: one that takes longer than a request may is lost.
const SOON: Duration = Duration::from_secs(1);
/// A list that took longer is old by the time it is whole: it counts as such once the watch has told what happened since.
const LONG: Duration = Duration::from_secs(5);
/// How often all namespaces are asked for again where only some may be read.
const WIDER: Duration = Duration::from_secs(600);

impl Follower {
    /// What was tried beside all namespaces, for the words of a refusal.
    pub(super) fn nor(&self) -> String {
        if !self.is_namespaced() || self.namespaces.is_empty() {
            return String::new();
        }
        format!("; nor in {}", words(self.namespaces.iter()))
    }

    fn is_namespaced(&self) -> bool {
        self.kind.0.path_in("").is_some()
    }

    /// Lists the kind in all namespaces, or in those where it may be read.
    pub(super) async fn list(&self, lapse: &Lapse) -> Result<Held, Stop> {
        let _turn = self.lists.acquire().await.map_err(|_| Stop::Closed)?;
        let began = Instant::now();
        let mut begun = false;
        let refusal = match self.list_place(self.kind.0.path().to_owned(), &mut begun).await {
            Ok(place) => {
                let end = self.whole(None, began, lapse).await?;
                return Ok(Held { places: vec![place], wider: None, refused: Vec::new(), end });
            }
            Err(Stop::Failed(failure)) if self.is_namespaced() && failure.status() == Some(403) => failure,
            Err(stop) => return Err(stop),
        };
        let mut places = Vec::new();
        let (mut seen, mut refused, mut whys) = (Vec::new(), Vec::new(), Vec::new());
        for namespace in &*self.namespaces {
            let Some(path) = self.kind.0.path_in(namespace) else { continue };
            match self.list_place(path.clone(), &mut begun).await {
                Ok(place) => {
                    places.push(place);
                    seen.push(namespace);
                }
                Err(Stop::Failed(failure)) if failure.status() == Some(403) => {
                    refused.push(path);
                    whys.push(forbidden(&failure.message));
                }
                Err(stop) => return Err(stop),
            }
        }
        if places.is_empty() {
            return Err(refusal.into());
        }
        let mut only = format!("only {}", words(seen.into_iter()));
        for why in &whys {
            only.push_str(&format!("; {why}"));
        }
        let end = self.whole(Some(Text::from(only)), began, lapse).await?;
        let again = if refused.is_empty() { WIDER } else { REFUSED };
        Ok(Held { places, wider: Some(Instant::now() + again), refused, end })
    }

    /// Waits until one of the lists that were refused is answered, and has all asked for `again` then. A watch of the others
    /// may last for minutes.
    pub(super) async fn admitted(&self, refused: &[String], again: &mut Option<Instant>) {
        while let Some(at) = again.filter(|_| !refused.is_empty()) {
            sleep_until(at).await;
            for path in refused {
                match self.api.page(&format!("{path}?limit=1"), self.form()).await {
                    Ok(_) => return *again = Some(Instant::now()),
                    Err(failure) if failure.status() == Some(403) => {}
                    // a server that is in trouble is not asked for more
                    Err(_) => break,
                }
            }
            // not before: a watch that ends in the midst of a round ends this too, and the rest must not wait for another one
            *again = Some(Instant::now() + REFUSED);
        }
        pending().await
    }

    /// Tells the end of a list, or returns it to be told when the watch has caught up.
    async fn whole(&self, only: Option<Text>, began: Instant, lapse: &Lapse) -> Result<Mutex<Option<Option<Text>>>, Stop> {
        lapse.listed();
        if began.elapsed() >= LONG {
            return Ok(Mutex::new(Some(only)));
        }
        self.say(Step::End(only)).await?;
        lapse.begin();
        Ok(Mutex::default())
    }

    /// Lists all pages of one place. The next page is under way while one is read and shown.
    async fn list_place(&self, path: String, begun: &mut bool) -> Result<Place, Stop> {
        let mut marks = Marks::default();
        let mut page = self.fetch(&path, "", PAGE).await?;
        loop {
            self.link.fine(self.kind.0.plural());
            let mut next = None;
            let rows = page.next_rows();
            let (meta, batches) = self.kind.0.page(&page.body, &mut marks, &mut |meta| {
                if next.is_none() && !meta.next.is_empty() {
                    next = Some(self.fetch(&path, &meta.next, rows));
                }
            })?;
            drop(page);
            if !std::mem::replace(begun, true) {
                self.say(Step::Begin).await?;
            }
            for batch in batches {
                arrived(batch).await?;
            }
            match next {
                Some(fetch) => page = fetch.await?,
                None => {
                    let (version, audit) = (meta.resource_version, self.next_audit());
                    return Ok(Place { path, version, marks, audit, watched: false });
                }
            }
        }
    }

    /// Asks for the page of so many rows that begins at `token`. It is under way at once, whether or not somebody waits for
    /// it yet.
    fn fetch(&self, path: &str, token: &str, rows: usize) -> impl Future<Output = Result<Page, Failure>> + use<> {
        let token = if token.is_empty() { String::new() } else { format!("&continue={}", escape(token)) };
        let (api, form, path) = (self.api.clone(), self.form(), format!("{path}?limit={rows}{token}"));
        let under_way = AbortOnDropHandle::new(tokio::spawn(async move {
            let asked = Instant::now();
            let body = api.page(&path, form).await?;
            Ok(Page { body, rows, took: asked.elapsed() })
        }));
        async { under_way.await.unwrap_or_else(|err| Err(Failure::link(format!("a request was given up: {err}")))) }
    }
}

/// A part of a list, as it came.
struct Page {
    body: Bytes,
    /// How many were asked for.
    rows: usize,
    /// How long it was on its way.
    took: Duration,
}

impl Page {
    /// How many rows to ask for after this one.
    fn next_rows(&self) -> usize {
        let fit = self.rows * BYTES / self.body.len().max(1);
        if self.took <= SOON { fit.clamp(PAGE, LARGE) } else { PAGE }
    }
}

/// `namespace shop`, `namespaces pay, shop`.
fn words<'a>(namespaces: impl ExactSizeIterator<Item = &'a String>) -> String {
    let s = if namespaces.len() == 1 { "" } else { "s" };
    let names: Vec<&str> = namespaces.map(String::as_str).collect();
    format!("namespace{s} {}", names.join(", "))
}
