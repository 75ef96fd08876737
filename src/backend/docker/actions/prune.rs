//! Removing what nothing uses on an engine: only what the operator saw, each thing by its id. The engine's own prune takes
//! whatever is unused when it comes to it.

use super::{changed, report};
use crate::backend::docker::client::Docker;
use crate::backend::docker::convert::leftover::{leftovers, used};
use crate::backend::docker::transport::HttpError;
use crate::backend::docker::wire::{Disk, Info, Network};
use crate::backend::{BackendError, ProgressSink};
use crate::model::{Expect, Found, Intent, Key, Leftover, LeftoverKind, Volumes};
use crate::util::humanize;
use serde::Deserialize;
use std::collections::HashSet;

/// Networks that no running container has.
const UNATTACHED: &str = "/networks?filters=%7B%22dangling%22%3A%5B%22true%22%5D%7D";
/// Names in the words of how it went.
const NAMED: usize = 5;

/// What is unused now, and how many bytes all that there is takes.
async fn look(docker: &Docker) -> Result<(Vec<Leftover>, u64), HttpError> {
    let disk: Disk = docker.http.get_slow("/system/df?verbose=1").await?;
    let unattached: Vec<Network> = docker.http.get(UNATTACHED).await?;
    Ok((leftovers(&disk, &unattached), used(&disk)))
}

/// See [`crate::backend::Backend::survey`].
pub async fn survey(docker: &Docker) -> Result<Found, BackendError> {
    let (all, _) = look(docker).await.map_err(|e| docker.failed("asking what is unused", &e))?;
    Ok(Found::Leftovers(all.into()))
}

/// What an engine is asked for one after the other, and what came of it.
#[derive(Default)]
struct Tally<'a> {
    taken: Vec<&'a Leftover>,
    refused: Vec<(&'a Leftover, String)>,
    /// No longer unused, or gone, before anything was asked.
    passed: Vec<&'a Leftover>,
}

/// Removes what was seen and is still unused.
pub async fn prune(
    docker: &Docker,
    intent: &Intent,
    volumes: Volumes,
    seen: &[Leftover],
    progress: &ProgressSink,
) -> Result<Expect, BackendError> {
    let doing = format!("pruning {}", intent.name);
    let info: Info = docker.http.get("/info").await.map_err(|e| docker.failed(&doing, &e))?;
    let own = if docker.is_swarm() { &info.swarm.node_id } else { &info.id };
    if *own != *intent.bound.uid {
        return Err(changed(intent, "another engine answers there by now"));
    }
    report(progress, 0, 0, "looking what is still unused");
    let (before, used_before) = look(docker).await.map_err(|e| docker.failed(&doing, &e))?;
    let key = |one: &Leftover| (one.kind, one.id.clone(), one.made);
    let unused: HashSet<_> = before.iter().map(key).collect();
    let wanted: Vec<&Leftover> = seen.iter().filter(|one| volumes.take(one.kind)).collect();
    let (going, passed): (Vec<&Leftover>, Vec<&Leftover>) = wanted.iter().copied().partition(|one| unused.contains(&key(one)));
    let mut tally = Tally { passed, ..Tally::default() };
    let total = going.len();
    let mut rest = going;
    // a record of the cache goes once those made of it are gone
    loop {
        let (mut later, mut got) = (Vec::new(), 0);
        for one in rest {
            let asked = tally.taken.len() + tally.refused.len();
            report(progress, asked, total, format!("removing {} {}", one.kind.words().0, one.name));
            match remove(docker, one).await {
                Ok(true) => {
                    got += 1;
                    tally.taken.push(one);
                }
                Ok(false) => later.push(one),
                Err(HttpError::Refused { message, .. }) => tally.refused.push((one, message)),
                Err(error) => {
                    let so_far = format!("{doing}: {} of {total} removed, {} is next", tally.taken.len(), one.name);
                    return Err(docker.failed(&so_far, &error));
                }
            }
        }
        if got == 0 || later.is_empty() {
            tally.refused.extend(later.into_iter().map(|one| (one, "the engine keeps it".to_owned())));
            break;
        }
        rest = later;
    }
    report(progress, total, total, "looking what is gone");
    let (after, used_after) = look(docker).await.map_err(|e| docker.failed(&format!("{doing}: looking what is gone"), &e))?;
    let there: HashSet<_> = after.iter().map(key).collect();
    let (still, gone): (Vec<&Leftover>, Vec<&Leftover>) = tally.taken.iter().copied().partition(|one| there.contains(&key(one)));
    tally.refused.extend(still.into_iter().map(|one| (one, "it was taken, and is still there".to_owned())));
    let containers = gone.iter().filter(|one| one.kind == LeftoverKind::Container && !docker.is_swarm());
    let containers: Box<[Key]> = containers.map(|one| one.id.clone()).collect();
    let note = words(gone.len(), wanted.len(), used_before.saturating_sub(used_after), &tally);
    Ok(Expect::Seen { gone: containers, whole: tally.refused.is_empty(), note: note.into() })
}

/// Removes one thing; false for a record of the cache that cannot go before others. One that is gone is removed.
async fn remove(docker: &Docker, one: &Leftover) -> Result<bool, HttpError> {
    let (http, id) = (&docker.http, &one.id);
    let done = match one.kind {
        LeftoverKind::Container => http.delete_slow(&format!("/containers/{id}")).await,
        LeftoverKind::Network => http.delete_slow(&format!("/networks/{id}")).await,
        LeftoverKind::Volume | LeftoverKind::NamedVolume => http.delete_slow(&format!("/volumes/{id}")).await,
        LeftoverKind::Image => match is_named(docker, id).await {
            // by its id an image goes with its only name
            Ok(true) => Err(HttpError::Refused { status: 409, message: "it has got a name".to_owned() }),
            Ok(false) => http.delete_slow(&format!("/images/{id}")).await,
            Err(error) => Err(error),
        },
        LeftoverKind::Cache => return cache(docker, id).await,
    };
    match done {
        Ok(()) | Err(HttpError::Refused { status: 404, .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

async fn is_named(docker: &Docker, id: &str) -> Result<bool, HttpError> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Image {
        repo_tags: Option<Vec<String>>,
    }
    let image: Image = docker.http.get(&format!("/images/{id}/json")).await?;
    Ok(image.repo_tags.is_some_and(|tags| !tags.is_empty()))
}

async fn cache(docker: &Docker, id: &str) -> Result<bool, HttpError> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Pruned {
        caches_deleted: Option<Vec<String>>,
    }
    let pruned: Pruned = docker.http.post_slow(&format!("/build/prune?filters=%7B%22id%22%3A%5B%22{id}%22%5D%7D")).await?;
    Ok(pruned.caches_deleted.is_some_and(|all| all.iter().any(|deleted| deleted == id)))
}

/// How it went: `14 of 14 removed, the engine holds 1.2 GiB less`, and what stays.
fn words(gone: usize, wanted: usize, back: u64, tally: &Tally<'_>) -> String {
    let mut words = format!("{gone} of {wanted} removed, the engine holds ");
    humanize::bytes(&mut words, back);
    words.push_str(" less");
    if !tally.refused.is_empty() {
        let all = tally.refused.iter().map(|(one, why)| format!("{} {} ({why})", one.kind.words().0, one.name));
        words.push_str(&format!("; still there: {}", listed(all.collect())));
    }
    if !tally.passed.is_empty() {
        let all = tally.passed.iter().map(|one| format!("{} {}", one.kind.words().0, one.name));
        words.push_str(&format!("; gone or used by then: {}", listed(all.collect())));
    }
    words
}

fn listed(mut all: Vec<String>) -> String {
    let more = all.len().saturating_sub(NAMED);
    all.truncate(NAMED);
    let listed = all.join(", ");
    if more == 0 { listed } else { format!("{listed} and {more} more") }
}
