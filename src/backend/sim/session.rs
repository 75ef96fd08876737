//! The simulated clusters behind the backend traits: a clock drives the platform, and what changes is sent on.

use super::actions::Begun;
use super::logs::Runs;
use super::moves::Step;
use super::parts::Moment;
use super::platform::Platform;
use super::usage::SWEEP;
use crate::backend::capabilities::capabilities;
use crate::backend::{About, Backend, BackendError, Connector, LogRequest, ProgressSink, Sink};
use crate::model::{ActionKind, Cluster, ClusterKind, Expect, Found, Intent, LogLine, ObjectRef, Secret, Text};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// How long a simulated server takes to answer.
const LATENCY: Duration = Duration::from_millis(120);
/// Longest pause between two looks at the platform.
const PERIOD: Duration = Duration::from_millis(250);
/// Virtual time between two tries to move tasks.
const STEP: Moment = 500;

/// Virtual time, from real time.
#[derive(Clone, Debug)]
pub struct SimClock {
    started: Instant,
    from: Duration,
    speed: u32,
}

impl SimClock {
    /// A clock that shows `from` now and runs `speed` times as fast as real time.
    pub fn starting(from: Duration, speed: u32) -> Self {
        Self { started: Instant::now(), from, speed: speed.max(1) }
    }

    /// Virtual time since the opening, in milliseconds.
    fn now(&self) -> Moment {
        let passed = self.from + self.started.elapsed().saturating_mul(self.speed);
        Moment::try_from(passed.as_millis()).unwrap_or(Moment::MAX)
    }

    /// Real time until so many virtual milliseconds have passed.
    fn real(&self, virtual_ms: Moment) -> Duration {
        Duration::from_millis(u64::try_from(virtual_ms).unwrap_or(0)) / self.speed
    }
}

/// One simulated cluster, reachable or not.
#[derive(Clone)]
pub(super) struct Simulated {
    platform: Arc<Mutex<Platform>>,
    clock: SimClock,
    /// An action changed something: whoever watches looks at once.
    acted: Arc<Notify>,
}

impl Simulated {
    pub(super) fn new(platform: Platform, clock: SimClock) -> Self {
        Self { platform: Arc::new(Mutex::new(platform)), clock, acted: Arc::new(Notify::new()) }
    }

    /// Brings the platform up to now and reads or changes it.
    fn with<T>(&self, act: impl FnOnce(&mut Platform) -> T) -> T {
        let mut platform = self.platform.lock();
        platform.advance(self.clock.now());
        act(&mut platform)
    }

    /// Refuses while the cluster is cut off.
    fn reach(&self) -> Result<(), BackendError> {
        self.with(|platform| match &platform.cut {
            Some(cut) => Err(BackendError::Unreachable(format!("no answer from {}: {}", platform.endpoint, cut.reason))),
            None => Ok(()),
        })
    }
}

impl Connector for Simulated {
    fn cluster(&self) -> Cluster {
        self.platform.lock().cluster_row()
    }

    fn connect(&self) -> BoxFuture<'_, Result<Arc<dyn Backend>, BackendError>> {
        Box::pin(async move {
            sleep(LATENCY).await;
            self.reach()?;
            Ok(Arc::new(self.clone()) as Arc<dyn Backend>)
        })
    }
}

impl Backend for Simulated {
    fn about(&self) -> About {
        let platform = self.platform.lock();
        About { kind: platform.kind, version: platform.version.clone(), capabilities: capabilities(platform.kind), engine: None }
    }

    fn watch<'a>(&'a self, sink: &'a Sink) -> BoxFuture<'a, BackendError> {
        Box::pin(async move {
            if let Err(away) = self.reach() {
                return away;
            }
            for delta in self.with(Platform::list) {
                sink.send(delta).await;
            }
            let interest = sink.interest();
            let mut swept = Moment::MIN / 2;
            loop {
                if let Err(away) = self.reach() {
                    return away;
                }
                let looked_at = interest.borrow().usage;
                let (mut news, now) = self.with(|platform| (platform.changes(), platform.now));
                if looked_at && now.div_euclid(SWEEP) > swept.div_euclid(SWEEP) {
                    news.extend(self.with(|platform| platform.sweeps(swept, now)));
                    swept = now;
                }
                for delta in news {
                    sink.send(delta).await;
                }
                let next = self.with(|platform| platform.next_due()).map_or(PERIOD, |at| self.clock.real(at - now).min(PERIOD));
                tokio::select! {
                    () = sleep(next.max(Duration::from_millis(20))) => {}
                    () = self.acted.notified() => {}
                }
            }
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), BackendError>> {
        Box::pin(async move {
            sleep(LATENCY / 4).await;
            self.reach()
        })
    }

    fn execute<'a>(&'a self, intent: &'a Intent, progress: &'a ProgressSink) -> BoxFuture<'a, Result<Expect, BackendError>> {
        Box::pin(async move {
            sleep(LATENCY).await;
            self.reach()?;
            let begun = self.with(|platform| platform.begin(intent))?;
            self.acted.notify_one();
            let mut moves = match begun {
                Begun::Taken(expect) => return Ok(expect),
                Begun::Moves(moves) => moves,
            };
            loop {
                self.reach()?;
                let step = self.with(|platform| moves.step(platform));
                self.acted.notify_one();
                match step {
                    Step::Over(expect) => return Ok(expect),
                    Step::Going(report) => progress.report(report),
                }
                sleep(self.clock.real(STEP)).await;
            }
        })
    }

    fn survey<'a>(&'a self, object: &'a ObjectRef, action: ActionKind) -> BoxFuture<'a, Result<Found, BackendError>> {
        Box::pin(async move {
            sleep(LATENCY * 4).await;
            self.reach()?;
            self.with(|platform| platform.survey(&object.key, action))
        })
    }

    fn join(&self, managers: bool) -> BoxFuture<'_, Result<(Secret, Text), BackendError>> {
        Box::pin(async move {
            sleep(LATENCY).await;
            self.reach()?;
            self.with(|platform| match platform.kind {
                ClusterKind::Swarm => platform.token(managers),
                _ => Err(BackendError::Unsupported("only the nodes of a swarm join by a token".to_owned())),
            })
        })
    }

    fn logs(&self, request: LogRequest) -> BoxStream<'static, Result<Vec<LogLine>, BackendError>> {
        let follow = Follow { cluster: self.clone(), request, read_to: None, over: false };
        Box::pin(futures::stream::unfold(follow, |mut follow| async move {
            let item = follow.next().await?;
            Some((item, follow))
        }))
    }

    fn inspect<'a>(&'a self, object: &'a ObjectRef) -> BoxFuture<'a, Result<String, BackendError>> {
        Box::pin(async move {
            sleep(LATENCY).await;
            self.reach()?;
            self.with(|platform| platform.inspect(object))
        })
    }
}

/// A log that is being followed.
struct Follow {
    cluster: Simulated,
    request: LogRequest,
    /// Virtual time that has been read; none before the first read.
    read_to: Option<Moment>,
    over: bool,
}

impl Follow {
    /// The next lines; none when the log is over.
    async fn next(&mut self) -> Option<Result<Vec<LogLine>, BackendError>> {
        while !self.over {
            if let Err(away) = self.cluster.reach() {
                self.over = true;
                return Some(Err(away));
            }
            let request = &self.request;
            let (stretch, now) = self.cluster.with(|platform| {
                let stretch = match self.read_to {
                    Some(read_to) => platform.log(&request.task, read_to, platform.now, Runs::All),
                    None => {
                        let since = request.since.map(|at| at.0.saturating_sub(platform.epoch.0));
                        platform.log_tail(&request.task, request.tail, since, request.previous)
                    }
                };
                (stretch, platform.now)
            });
            self.read_to = Some(now);
            self.over = stretch.over;
            if !stretch.lines.is_empty() {
                return Some(Ok(stretch.lines));
            }
            if !self.over {
                sleep(PERIOD).await;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::backend::sim::{Options, demo_scenario, fleet};
    use crate::model::{Action, Bound, Delta, Fact, Interest, Kind, Link, ObjectRef, Store};
    use crate::util::time::Timestamp;
    use futures::StreamExt;
    use tokio::sync::{mpsc, watch};

    fn connectors() -> Vec<Arc<dyn Connector>> {
        fleet(&demo_scenario().unwrap(), Options::default())
    }

    /// A connected cluster with a store that is fed until `done`, or for an hour of virtual time.
    async fn follow(connector: &dyn Connector, done: impl Fn(&Store) -> bool) -> (Store, Option<BackendError>) {
        let mut store = Store::new([connector.cluster()]);
        let backend = connector.connect().await.unwrap();
        let (facts, mut received) = mpsc::channel(8);
        let (_interest, looked_at) = watch::channel(Interest { usage: true, tasks: true });
        let sink = Sink::new(connector.cluster().id, facts, looked_at);
        let watching = backend.watch(&sink);
        tokio::pin!(watching);
        let end = Instant::now() + Duration::from_secs(3_600);
        loop {
            tokio::select! {
                error = &mut watching => return (store, Some(error)),
                Some(fact) = received.recv() => store.apply(fact, Timestamp(0)),
                () = tokio::time::sleep_until(end) => panic!("an hour passed"),
            }
            if done(&store) {
                return (store, None);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_cluster_lists_its_rows_and_moves_on() {
        for connector in connectors() {
            let (store, _) = follow(&*connector, |store| {
                let cluster = &store.world().clusters[0];
                Kind::ALL.iter().all(|kind| cluster.sync_of(*kind) == &crate::model::KindSync::Live)
                    && !cluster.tasks.is_empty()
                    && cluster.task_usage.iter().next().is_some_and(|s| s.samples().len() > 30)
            })
            .await;
            let cluster = &store.world().clusters[0];
            assert!(cluster.node_usage.len() >= cluster.nodes.iter().filter(|n| n.why.is_none()).count());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_cut_link_ends_the_session_and_a_later_one_connects() {
        let swarm = connectors().remove(1);
        let (_, error) = follow(&*swarm, |_| false).await;
        assert!(matches!(&error, Some(BackendError::Unreachable(words)) if words.contains("connection timed out")), "{error:?}");
        assert!(matches!(swarm.connect().await, Err(BackendError::Unreachable(_))));
        sleep(Duration::from_secs(60)).await;
        let backend = swarm.connect().await.unwrap();
        assert_eq!(backend.ping().await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_evacuation_reports_what_it_waits_for() {
        let cluster = connectors().remove(0);
        let (store, _) =
            follow(&*cluster, |store| store.world().clusters[0].sync_of(Kind::Task) == &crate::model::KindSync::Live).await;
        let world = &store.world().clusters[0];
        let cart = world.tasks.iter().find(|t| t.name.starts_with("cart-")).unwrap();
        let node = world.nodes.get(cart.node.as_ref().unwrap()).unwrap();
        let intent = Intent {
            object: ObjectRef { cluster: world.cluster.id.clone(), kind: Kind::Node, key: node.key.clone() },
            name: node.name.clone(),
            action: Action::Evacuate,
            bound: Bound { uid: node.uid.clone(), spec_rev: node.spec_rev },
        };
        let backend = cluster.connect().await.unwrap();
        let (progress, reports) = ProgressSink::new();
        let taken = tokio::time::timeout(Duration::from_secs(120), backend.execute(&intent, &progress)).await;
        assert!(taken.is_err(), "the budget of cart allows no eviction of its only task");
        let report = reports.borrow().clone();
        assert!(report.done < report.total && report.note.contains("may lose none now"), "{report:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_followed_log_begins_with_its_tail_and_goes_on() {
        let cluster = connectors().remove(0);
        let (store, _) =
            follow(&*cluster, |store| store.world().clusters[0].sync_of(Kind::Task) == &crate::model::KindSync::Live).await;
        let task = store.world().clusters[0].tasks.iter().find(|t| t.name.starts_with("catalog-") && t.ready).cloned().unwrap();
        let backend = cluster.connect().await.unwrap();
        let request = LogRequest {
            task: task.key.clone(),
            name: task.name.clone(),
            namespace: task.namespace.clone(),
            container: None,
            tail: 10,
            since: None,
            previous: false,
        };
        let mut log = backend.logs(request.clone());
        let first = log.next().await.unwrap().unwrap();
        assert_eq!(first.len(), 10);
        let mut lines = first;
        while lines.len() < 60 {
            lines.extend(log.next().await.unwrap().unwrap());
        }
        assert!(lines.is_sorted_by_key(|line| line.at));
        let again = LogRequest { since: lines.first().unwrap().at, ..request };
        let repeated = backend.logs(again).next().await.unwrap().unwrap();
        assert_eq!(repeated.first(), lines.get(1), "a log that is opened again goes on after the line it was left at");
    }

    #[test]
    fn a_link_that_is_cut_is_told_as_stale() {
        let mut fleet = crate::backend::sim::Fleet::new(&demo_scenario().unwrap(), Options::default());
        fleet.advance(Duration::ZERO);
        let told = fleet
            .advance(Duration::from_secs(180))
            .into_iter()
            .any(|fact| matches!(fact, Fact::Cluster(id, Delta::Link(Link::Stale { .. })) if id.as_str() == "edge-swarm"));
        assert!(told);
    }
}
