//! What is asked of a picture, whatever goes wrong meanwhile: that it comes to be equal to what is so at the server, and that
//! nothing is shown as live that has been wrong for long.

pub mod kubernetes;
pub mod rows;
pub mod shown;

use parking_lot::Mutex;
use quarterdeck::engine::Engine;
use quarterdeck::model::{ClusterState, Kind, KindSync, World};
use rows::Table;
use shown::Shown;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::sleep;

/// No longer than this may rows be shown as live that are wrong.
pub const FALSE: Duration = Duration::from_secs(15);
/// How often the oracle looks.
const LOOK: Duration = Duration::from_millis(400);

/// What is so at a server.
pub trait Truth: Send + Sync {
    /// The rows that are not as they are shown, in words, and since when each is not; none if it never was.
    fn wrong(&self, kind: Kind, shown: &Table) -> Vec<(String, Option<Instant>)>;

    /// Since when there is no server that could answer.
    fn gone(&self) -> Option<Instant> {
        None
    }

    /// Where the story is, in words.
    fn when(&self) -> String;
}

/// Waits until all is live and right, or says what is not.
pub async fn equal(truth: &impl Truth, engine: &Engine, within: Duration) -> Result<(), String> {
    let end = Instant::now() + within;
    let mut shown = Shown::default();
    loop {
        let world = Arc::clone(&engine.world.borrow());
        let state = &world.clusters[0];
        let unlike = differs(truth, state, &mut shown);
        if live(state) == Kind::ALL && unlike.is_empty() {
            return Ok(());
        }
        if Instant::now() >= end {
            let unlike: Vec<String> = unlike.into_iter().map(|(words, _)| words).take(4).collect();
            return Err(format!("link {:?}, {:?}; {}", state.cluster.link, state.sync, unlike.join("; ")));
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// The kinds that are shown as live.
pub fn live(state: &ClusterState) -> Vec<Kind> {
    // narrowed is not live: it says in words what is not known
    let sync = |kind: &Kind| *state.sync_of(*kind) == KindSync::Live;
    Kind::ALL.into_iter().filter(|kind| state.cluster.link.is_live() && sync(kind)).collect()
}

/// The rows shown as live that are not right, and since when.
fn differs(truth: &impl Truth, state: &Arc<ClusterState>, shown: &mut Shown) -> Vec<(String, Option<Instant>)> {
    shown.follow(state);
    live(state).into_iter().flat_map(|kind| truth.wrong(kind, shown.of(kind))).collect()
}

/// Looks all the time for rows that are shown as live and have been wrong for too long.
pub async fn watch_over(truth: Arc<impl Truth>, world: watch::Receiver<Arc<World>>, found: Arc<Mutex<Option<String>>>) {
    // what was never so is wrong since it was first shown
    let mut seen: HashMap<String, Instant> = HashMap::new();
    let mut shown = Shown::default();
    let mut late: VecDeque<Duration> = VecDeque::new();
    loop {
        let due = Instant::now() + LOOK;
        sleep(LOOK).await;
        // by how much a machine that has other things to do makes all timers late, ours and those of the engine
        late.push_back(due.elapsed());
        if late.len() as u32 * LOOK > FALSE {
            late.pop_front();
        }
        let most = FALSE + late.iter().sum::<Duration>();
        let (picture, now) = (Arc::clone(&world.borrow()), Instant::now());
        let wrong = differs(&*truth, &picture.clusters[0], &mut shown);
        seen.retain(|words, _| wrong.iter().any(|(held, _)| held == words));
        if let Some(gone) = truth.gone()
            && now - gone > most
            && !live(&picture.clusters[0]).is_empty()
        {
            let words = format!("shown as live {:.1} s after there was no server any more", (now - gone).as_secs_f64());
            found.lock().get_or_insert(words);
        }
        for (words, since) in wrong {
            let since = since.unwrap_or_else(|| *seen.entry(words.clone()).or_insert(now));
            if now - since > most {
                let words = format!("wrong for {:.1} s ({}): {words}", (now - since).as_secs_f64(), truth.when());
                found.lock().get_or_insert(words);
            }
        }
    }
}
