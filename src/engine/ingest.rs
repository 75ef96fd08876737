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

/// Waits for more facts until the batch is full, a list is whole, or its time is up.
async fn fill(batch: &mut Vec<Fact>, incoming: &mut mpsc::Receiver<Fact>) {
    let due = Instant::now() + LINGER;
    let mut seen = 0;
    while batch.len() < BATCH && !batch[seen..].iter().any(Fact::ends_list) {
        seen = batch.len();
        let room = BATCH - seen;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{self, Fixture};
    use crate::model::{Change, ClusterState, Delta, Kind, KindSync, Task, TaskState, Usage};
    use crate::util::time::Timestamp;

    #[tokio::test(start_paused = true)]
    async fn a_change_waits_for_those_that_come_with_it_and_a_list_that_is_whole_for_nothing() {
        let cluster = Fixture::kubernetes().state().cluster.clone();
        let (id, store) = (cluster.id.clone(), Store::new([cluster]));
        let (facts, incoming) = mpsc::channel(8);
        let (pictures, mut world) = watch::channel(Arc::default());
        let stop = CancellationToken::new();
        let running = tokio::spawn(run(store, incoming, pictures, Clock::fixed(Timestamp(0)), stop.clone()));
        let seen = |state: &ClusterState| (state.sync_of(Kind::Task).clone(), state.tasks.len());
        for (change, waits, want) in [
            (Change::Begin, LINGER, (KindSync::Loading(0), 0)),
            (Change::Upsert(fixture::task("t1", "web", "n1")), LINGER, (KindSync::Loading(1), 1)),
            (Change::End, Duration::ZERO, (KindSync::Live, 1)),
        ] {
            let began = Instant::now();
            let sent = facts.send(Fact::Cluster(id.clone(), Delta::Task(change))).await;
            assert!(sent.is_ok());
            let picture = world.wait_for(|world| world.clusters.first().is_some_and(|state| seen(state) == want)).await;
            assert!(picture.is_ok());
            drop(picture);
            assert_eq!(began.elapsed(), waits, "{want:?}");
        }
        stop.cancel();
        assert!(running.await.is_ok());
    }

    #[test]
    fn what_has_ended_uses_nothing() {
        let state = |state| Task { state, ..fixture::task("t1", "web", "n1") };
        let usage = Usage { cpu_m: 5, ..Usage::default() };
        let mut fixture = Fixture::kubernetes();
        fixture.service(fixture::service("web", 2)).task(fixture::task("t2", "web", "n1"));
        fixture.task(state(TaskState::Running)).usage(Kind::Task, "t1", usage);
        let used = |fixture: &Fixture, key: &str| {
            let state = fixture.state();
            (state.task_usage.get(key).is_some(), state.service_usage.get("web").is_some())
        };
        assert_eq!(used(&fixture, "t1"), (true, true));
        fixture.task(state(TaskState::Failed));
        assert_eq!(used(&fixture, "t1"), (false, true), "another of the service still runs");
        fixture.usage(Kind::Task, "t1", usage);
        assert!(!used(&fixture, "t1").0, "what was measured before it ended comes late");
        fixture.delta(Delta::Task(Change::Remove("t2".into())));
        assert_eq!(used(&fixture, "t1"), (false, false));
    }
}
