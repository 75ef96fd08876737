//! Takes facts in batches into the store, keeps the findings right, and publishes one picture a batch.

use super::Clock;
use super::findings::Findings;
use crate::model::{Fact, Store, World};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

/// Most facts in a batch.
const BATCH: usize = 1_024;
/// Longest time from the first fact of a batch to its picture: short against what an eye follows, long enough that a
/// burst costs few pictures. The screen shows news ten times a second at most.
const LINGER: Duration = Duration::from_millis(100);
/// How often rules that depend on time are looked at again.
const RECHECK: Duration = Duration::from_secs(5);
/// How long facts are still taken after the engine was told to stop: operations say how far they came.
const LAST: Duration = Duration::from_millis(150);

/// Runs until the engine stops.
pub(super) async fn run(
    mut store: Store,
    mut incoming: mpsc::Receiver<Fact>,
    pictures: watch::Sender<Arc<World>>,
    clock: Clock,
    stop: CancellationToken,
) {
    let mut findings = Findings::new();
    let mut recheck = interval(RECHECK);
    recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            got = incoming.recv_many(&mut batch, BATCH) => {
                if got == 0 {
                    break;
                }
                fill(&mut batch, &mut incoming).await;
                let now = clock.now();
                batch.drain(..).for_each(|fact| store.apply(fact, now));
                findings.update(&mut store, now);
            }
            _ = recheck.tick() => findings.recheck(&mut store, clock.now()),
        }
        publish(&mut store, &pictures);
    }
    let end = Instant::now() + LAST;
    while let Ok(Some(fact)) = timeout_at(end, incoming.recv()).await {
        store.apply(fact, clock.now());
        publish(&mut store, &pictures);
    }
}

/// Waits for more facts until the batch is full or its time is up.
async fn fill(batch: &mut Vec<Fact>, incoming: &mut mpsc::Receiver<Fact>) {
    let due = Instant::now() + LINGER;
    while batch.len() < BATCH {
        let room = BATCH - batch.len();
        tokio::select! {
            biased;
            got = incoming.recv_many(batch, room) => {
                if got == 0 {
                    return;
                }
            }
            () = sleep_until(due) => return,
        }
        if Instant::now() >= due {
            return;
        }
    }
}

fn publish(store: &mut Store, pictures: &watch::Sender<Arc<World>>) {
    if let Some(world) = store.publish() {
        pictures.send_replace(world);
    }
}
