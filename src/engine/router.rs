//! Takes requests and hands each to whoever answers it. Never waits for a cluster itself.

use super::executor::Executor;
use super::shared::{Shared, contained};
use super::tail::Tails;
use crate::model::{ActionKind, Answer, ClusterId, Delta, Document, Fact, Join, ObjectRef, Request, Rights, Survey, Text};
use futures::{StreamExt, stream};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Longest wait for a whole object.
const INSPECT: Duration = Duration::from_secs(15);

/// Longest wait for what a platform says of rights.
const RIGHTS: Duration = Duration::from_secs(5);

/// Objects whose rights are asked for at the same time.
const AT_ONCE: usize = 4;

/// Longest wait for what there is before an action: an engine measures its disk for that.
const SURVEY: Duration = Duration::from_secs(130);

/// Runs until the engine stops or nobody can ask any more.
pub(super) async fn run(mut asked: mpsc::Receiver<Request>, reconnect: watch::Sender<u64>, shared: Arc<Shared>) {
    let mut executor = Executor::new(Arc::clone(&shared));
    executor.take_up().await;
    let mut tails = Tails::new(Arc::clone(&shared));
    while let Some(request) = asked.recv().await {
        match request {
            Request::Execute { intent, title } => executor.execute(intent, title, None).await,
            Request::Bulk { all, stop } => executor.bulk(all, stop).await,
            Request::Cancel(id) => executor.cancel(id).await,
            Request::Pause(id) => executor.pause(id).await,
            Request::Resume(id) => executor.resume(id).await,
            Request::Tail { id, target } => tails.open(id, target).await,
            Request::Untail(id) => tails.close(id).await,
            Request::Inspect(object) => {
                let work = inspect(object, Arc::clone(&shared));
                shared.tracker.spawn(shared.stop.clone().run_until_cancelled_owned(work));
            }
            Request::Rights(objects) => {
                let each = Arc::clone(&shared);
                let work = stream::iter(objects).for_each_concurrent(AT_ONCE, move |object| rights(object, Arc::clone(&each)));
                shared.tracker.spawn(shared.stop.clone().run_until_cancelled_owned(work));
            }
            Request::Survey(object, action) => {
                let work = survey(object, action, Arc::clone(&shared));
                shared.tracker.spawn(shared.stop.clone().run_until_cancelled_owned(work));
            }
            Request::Reveal { cluster, managers } => {
                let work = reveal(cluster, managers, Arc::clone(&shared));
                shared.tracker.spawn(shared.stop.clone().run_until_cancelled_owned(work));
            }
            Request::Conceal(cluster) => shared.tell(Fact::Cluster(cluster, Delta::Join(None))).await,
            Request::Look(interest) => shared.clusters.iter().for_each(|c| c.wants.look(interest)),
            Request::Reconnect => reconnect.send_modify(|n| *n += 1),
        }
    }
}

/// Asks the platform what it would refuse. Without an answer nothing is said: the action itself will tell.
async fn rights(object: ObjectRef, shared: Arc<Shared>) {
    let world = shared.picture();
    let Some(state) = world.cluster(&object.cluster).filter(|state| !state.cluster.read_only) else { return };
    let can = |kind: &ActionKind| kind.spec().on == object.kind && state.cluster.capabilities.can(*kind);
    let actions: Vec<ActionKind> = ActionKind::ALL.into_iter().filter(can).collect();
    let Some(backend) = shared.backend(&object.cluster) else { return };
    let answer = tokio::time::timeout(RIGHTS, contained(backend.denied(&object, &actions))).await;
    if let Ok(Ok(Some(denied))) = answer {
        let rights = Rights { kind: object.kind, key: object.key, denied };
        shared.tell(Fact::Cluster(object.cluster, Delta::Rights(rights))).await;
    }
}

/// Asks what there is before an action. What was said before it is forgotten first: it may no longer be so.
async fn survey(object: ObjectRef, action: ActionKind, shared: Arc<Shared>) {
    let (key, cluster) = (object.key.clone(), object.cluster.clone());
    let tell = |answer| {
        let survey = Survey { key: key.clone(), action, answer };
        shared.tell(Fact::Cluster(cluster.clone(), Delta::Survey(survey)))
    };
    tell(Answer::Asking).await;
    let answer = match shared.backend(&cluster) {
        None => Answer::Failed(Text::from(format!("{cluster} is not connected"))),
        Some(backend) => match tokio::time::timeout(SURVEY, contained(backend.survey(&object, action))).await {
            Ok(Ok(Ok(found))) => Answer::Found(found),
            Ok(Ok(Err(error))) => Answer::Failed(Text::from(error.to_string())),
            Ok(Err(panic)) => Answer::Failed(Text::from(format!("a fault of Quarterdeck itself while it asked: {panic}"))),
            Err(_) => Answer::Failed(Text::from(format!("{cluster} gave no answer within {} s", SURVEY.as_secs()))),
        },
    };
    tell(answer).await;
}

/// Fetches what lets a machine join a swarm. Who may change nothing is not given the means to.
async fn reveal(cluster: ClusterId, managers: bool, shared: Arc<Shared>) {
    let world = shared.picture();
    let Some(state) = world.cluster(&cluster).filter(|state| !state.cluster.read_only) else { return };
    let found = match shared.backend(&state.cluster.id) {
        None => Err(Text::from(format!("{cluster} is not connected"))),
        Some(backend) => match tokio::time::timeout(INSPECT, contained(backend.join(managers))).await {
            Ok(Ok(answer)) => answer.map_err(|error| Text::from(error.to_string())),
            Ok(Err(panic)) => Err(Text::from(format!("a fault of Quarterdeck itself while it asked: {panic}"))),
            Err(_) => Err(Text::from(format!("{cluster} gave no answer within {} s", INSPECT.as_secs()))),
        },
    };
    let join = Join { managers, at: shared.now(), found };
    shared.tell(Fact::Cluster(cluster, Delta::Join(Some(join)))).await;
}

async fn inspect(object: ObjectRef, shared: Arc<Shared>) {
    let lines = match shared.backend(&object.cluster) {
        None => Err(Text::from(format!("{} is not connected, so the {} cannot be fetched", object.cluster, object.kind.word()))),
        Some(backend) => match tokio::time::timeout(INSPECT, contained(backend.inspect(&object))).await {
            Ok(Ok(Ok(text))) => Ok(text.lines().map(Text::new).collect()),
            Ok(Ok(Err(error))) => Err(Text::from(error.to_string())),
            Ok(Err(panic)) => Err(Text::from(format!("a fault of Quarterdeck itself while it read this object: {panic}"))),
            Err(_) => Err(Text::from(format!(
                "{} did not send the {} within {} s; try again when it answers faster",
                object.cluster,
                object.kind.word(),
                INSPECT.as_secs()
            ))),
        },
    };
    let at = shared.now();
    shared.tell(Fact::Document(Document { object, at, lines })).await;
}
