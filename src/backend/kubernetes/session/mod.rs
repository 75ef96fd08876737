//! One session of watching a cluster: a loop per kind, and one place where their steps become rows.
//!
//! One task reads all steps, so that rows which are joined from several kinds (a service from its Deployment, ReplicaSets,
//! budget and autoscaler; a pod's service through its ReplicaSet) are sent in the order in which they became true.

mod handover;
mod owners;
mod pods;
mod relist;
mod services;
mod silent;
#[cfg(test)]
mod tests;
mod workloads;

use super::convert::{self, Names};
use super::follow::{Follower, Step};
use super::http::Api;
use super::index::{Place, Shared};
use super::link::Link;
use super::raw::{
    Autoscaler, ControllerRevision, CronJob, DaemonSet, Deployment, DisruptionBudget, Job, Listed, RawEvent, RawNode, RawPod,
    ReplicaSet, StatefulSet,
};
use crate::backend::{BackendError, Sink};
use crate::model::{Change, Delta, Key, Kind, Node, Task, Text};
use handover::Handovers;
use owners::Owners;
use relist::Relist;
use services::{Feed, Services};
use silent::Silent;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Batches of steps that may wait for the store, per kind.
const BATCHES: usize = 4;
/// Lists, and sweeps of measurements, that run at the same time: each costs the server as much as its objects.
const LISTS: usize = 2;

/// How long pods that were read wait for the nodes, at most.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long events and measurements wait for the pods, at most.
const ROWS_FIRST: Duration = Duration::from_secs(10);

/// Least time for which a plugin's client certificate is used.
const LEAST: Duration = Duration::from_secs(30);

/// Watches everything until the link ends.
pub(super) async fn run(api: &Api, namespaces: &Arc<[String]>, audit: Duration, index: &Shared, sink: &Sink) -> BackendError {
    let link = Link::new();
    let mut session = Session::new(api, index, sink);
    let mut loops = Loops {
        api: api.clone(),
        link: link.clone(),
        lists: Arc::new(Semaphore::new(LISTS)),
        namespaces: Arc::clone(namespaces),
        audit,
        sink: sink.clone(),
        seed: seed(sink.cluster()),
        tasks: JoinSet::new(),
        rows: session.rows.clone(),
    };
    // in this order: the pages of the pods come one after the other, so they begin at once beside the nodes, and wait for
    // them; then what other rows are joined with; the largest, events, last
    let mut nodes = loops.follow::<RawNode>();
    let mut pods = loops.follow::<RawPod>();
    let mut sets = loops.follow::<ReplicaSet>();
    let mut budgets = loops.follow::<DisruptionBudget>();
    let mut autoscalers = loops.follow::<Autoscaler>();
    let mut revisions = loops.follow::<ControllerRevision>();
    let mut deployments = loops.follow::<Deployment>();
    let mut stateful_sets = loops.follow::<StatefulSet>();
    let mut daemon_sets = loops.follow::<DaemonSet>();
    let mut jobs = loops.follow::<Job>();
    let mut cron_jobs = loops.follow::<CronJob>();
    let mut events = loops.follow_after_rows::<RawEvent>();
    let lists = Arc::clone(&loops.lists);
    let measuring = super::metrics::poll(api.clone(), Arc::clone(namespaces), lists, Shared::clone(index), sink.clone());
    loops.tasks.spawn(after_rows(loops.rows.clone(), measuring));
    let ended = link.ended();
    let certificate = certificate_end(api);
    let patience = tokio::time::sleep(PATIENCE);
    tokio::pin!(ended, certificate, patience);
    loop {
        tokio::select! {
            error = &mut ended => return error,
            error = &mut certificate => return error,
            () = session.handovers.due() => session.read_handed_over().await,
            Some(steps) = nodes.recv() => for step in steps { session.node(step).await; },
            Some(steps) = sets.recv() => for step in steps { session.set(step).await; },
            () = &mut patience, if !session.knows_nodes => session.knows_nodes = true,
            Some(steps) = pods.recv(), if session.knows_nodes => for step in steps { session.pod(step).await; },
            Some(steps) = deployments.recv() => for step in steps { session.workload(Feed::Deployments, step).await; },
            Some(steps) = stateful_sets.recv() => for step in steps { session.workload(Feed::StatefulSets, step).await; },
            Some(steps) = daemon_sets.recv() => for step in steps { session.workload(Feed::DaemonSets, step).await; },
            Some(steps) = jobs.recv() => for step in steps { session.workload(Feed::Jobs, step).await; },
            Some(steps) = cron_jobs.recv() => for step in steps { session.workload(Feed::CronJobs, step).await; },
            Some(steps) = budgets.recv() => for step in steps { session.budget(step).await; },
            Some(steps) = autoscalers.recv() => for step in steps { session.autoscaler(step).await; },
            Some(steps) = revisions.recv() => for step in steps { session.revision(step).await; },
            Some(steps) = events.recv() => for step in steps { session.event(step).await; },
            else => return BackendError::Unreachable("all watches ended".to_owned()),
        }
    }
}

/// Ends a session whose client certificate, given by a plugin, is about to end: the next one gets a new certificate.
async fn certificate_end(api: &Api) -> BackendError {
    let Some(until) = api.credentials().certificate_until else { return std::future::pending().await };
    let left = until.duration_since(jiff::Timestamp::now()).saturating_sub(jiff::SignedDuration::from_secs(60));
    // one that ends sooner, or has ended by our clock, must not be asked for in a circle
    tokio::time::sleep(Duration::try_from(left).unwrap_or_default().max(LEAST)).await;
    BackendError::Unreachable("the client certificate from the credential plugin ends: connecting anew with a new one".to_owned())
}

/// Does what explains rows once these were read, or have been waited for in vain: a server is slower with all that it is
/// asked for at the same time.
async fn after_rows(rows: CancellationToken, work: impl Future<Output = ()>) {
    let _ = timeout(ROWS_FIRST, rows.cancelled()).await;
    work.await;
}

fn seed(of: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    std::process::id().hash(&mut hasher);
    hasher.finish()
}

/// Starts the loops of a session; they end with it.
struct Loops {
    api: Api,
    link: Link,
    lists: Arc<Semaphore>,
    namespaces: Arc<[String]>,
    audit: Duration,
    sink: Sink,
    seed: u64,
    tasks: JoinSet<()>,
    /// Cancelled when the pods were read, or could not be.
    rows: CancellationToken,
}

impl Loops {
    fn follow<T: Listed>(&mut self) -> mpsc::Receiver<Vec<Step<T>>> {
        let (follower, steps) = self.follower();
        self.tasks.spawn(follower.run());
        steps
    }

    fn follow_after_rows<T: Listed>(&mut self) -> mpsc::Receiver<Vec<Step<T>>> {
        let (follower, steps) = self.follower();
        self.tasks.spawn(after_rows(self.rows.clone(), follower.run()));
        steps
    }

    fn follower<T: Listed>(&mut self) -> (Follower, mpsc::Receiver<Vec<Step<T>>>) {
        let (out, steps) = mpsc::channel(BATCHES);
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let follower = Follower {
            api: self.api.clone(),
            kind: out.into(),
            link: self.link.clone(),
            lists: Arc::clone(&self.lists),
            namespaces: Arc::clone(&self.namespaces),
            audit: self.audit,
            sink: self.sink.clone(),
            seed: self.seed >> 16,
            plain: AtomicBool::default(),
        };
        (follower, steps)
    }
}

struct Session<'a> {
    api: &'a Api,
    sink: &'a Sink,
    index: &'a Shared,
    names: Names,
    owners: Owners,
    /// Nodes whose kubelet is silent.
    down: HashSet<Key>,
    silent: Silent,
    /// Whether it was told, or waited for in vain, which those are: the rows of their pods say so.
    knows_nodes: bool,
    /// Cancelled when the pods were read, or could not be.
    rows: CancellationToken,
    /// Rows of pods that wait for their ReplicaSet to become known, by the ReplicaSet's uid.
    orphans: HashMap<Key, HashMap<Key, Task>>,
    /// Nodes as they were sent last: their heartbeats change nothing that is shown.
    nodes: HashMap<Key, Node>,
    node_names: Relist,
    pods: Relist,
    /// Whether their list is whole; and where they were read, if not everywhere.
    pods_whole: Option<Option<Text>>,
    sets: Relist,
    handovers: Handovers,
    revisions: Relist,
    budgets: Relist,
    autoscalers: Relist,
    services: Services,
}

impl<'a> Session<'a> {
    fn new(api: &'a Api, index: &'a Shared, sink: &'a Sink) -> Self {
        Self {
            api,
            sink,
            index,
            names: Names::default(),
            owners: Owners::default(),
            down: HashSet::new(),
            silent: Silent::default(),
            knows_nodes: false,
            rows: CancellationToken::new(),
            orphans: HashMap::new(),
            nodes: HashMap::new(),
            node_names: Relist::default(),
            pods: Relist::default(),
            pods_whole: None,
            sets: Relist::default(),
            handovers: Handovers::default(),
            revisions: Relist::default(),
            budgets: Relist::default(),
            autoscalers: Relist::default(),
            services: Services::new(index.clone()),
        }
    }

    async fn node(&mut self, step: Step<RawNode>) {
        let change = match step {
            Step::Begin => {
                self.node_names.begin();
                Change::Begin
            }
            Step::Item(raw) => {
                let row = convert::node(&raw, &mut self.names);
                self.node_names.seen(&row.key);
                if raw.is_down() {
                    self.down.insert(row.key.clone());
                } else {
                    self.node_answers(&row.key).await;
                }
                let same = self.nodes.insert(row.key.clone(), row.clone()).is_some_and(|before| before == row);
                // while a list arrives each row must be seen, or it is taken for gone
                if same && !self.node_names.arriving() {
                    return;
                }
                Change::Upsert(row)
            }
            Step::Gone(raw) => {
                let key = Key::new(&raw.metadata.name);
                self.node_names.gone(&key);
                self.node_answers(&key).await;
                self.nodes.remove(&key);
                Change::Remove(key)
            }
            Step::End(_) => {
                for key in self.node_names.end() {
                    self.node_answers(&key).await;
                    self.nodes.remove(&key);
                }
                Change::End
            }
            Step::Failed(why) => Change::Failed(why),
            Step::Absent => Change::Failed(absent::<RawNode>()),
        };
        self.knows_nodes |= matches!(change, Change::End | Change::Failed(_));
        self.sink.send(Delta::Node(change)).await;
    }

    async fn event(&mut self, step: Step<RawEvent>) {
        let change = match step {
            Step::Begin => Change::Begin,
            Step::Item(raw) => {
                let row = convert::event(&raw, self.about(&raw), &mut self.names);
                let place = Place { namespace: self.names.text(&raw.metadata.namespace), name: Text::new(&raw.metadata.name) };
                self.index.lock().events.insert(row.key.clone(), row.at, place);
                Change::Upsert(row)
            }
            Step::Gone(raw) => {
                let key = Key::new(&raw.metadata.uid);
                self.index.lock().events.remove(&key);
                Change::Remove(key)
            }
            Step::End(only) => only.map_or(Change::End, Change::Narrowed),
            Step::Failed(why) => Change::Failed(why),
            Step::Absent => Change::Failed(absent::<RawEvent>()),
        };
        self.sink.send(Delta::Event(change)).await;
    }

    /// The row an event is about. Kubelets report about their node by its name.
    fn about(&mut self, raw: &RawEvent) -> Option<(Kind, Key)> {
        let object = &raw.involved_object;
        match object.kind.as_str() {
            "Node" => Some((Kind::Node, self.names.key(&object.name))),
            "Pod" => Some((Kind::Task, Key::new(&object.uid))),
            kind => self.owners.service_of(kind, &object.uid, &mut self.names).map(|key| (Kind::Service, key)),
        }
    }
}

fn absent<T: Listed>() -> Text {
    Text::from(format!("the server does not serve {}", T::PLURAL))
}
