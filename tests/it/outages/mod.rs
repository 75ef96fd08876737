//! Real servers that are shut down, killed, started again and restored from an older copy while the engine follows them, or
//! that it follows over a wire that fails: afterwards the picture must be equal to a fresh list before long, and never may it
//! be called live while it cannot be.
//!
//! `tests/outages` starts what they need and runs them; `QUARTERDECK_OUTAGES=50` says how often, `QUARTERDECK_SEED=7` how.

mod docker;
mod engine;
mod kubernetes;
mod real;
mod swarm;
mod wire;

use crate::faults::writer::Dice;
use crate::oracle::rows::{Rows, Table};
use crate::oracle::{FALSE, Truth, equal, live, watch_over};
use parking_lot::Mutex;
use quarterdeck::backend::Connector;
use quarterdeck::engine::{Engine, Options};
use quarterdeck::model::Kind;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

/// The rows of one reading, for the kinds that are compared.
type Reading = Vec<(Kind, Table)>;

/// What was read from the server, by another way than the engine's.
pub struct Seen {
    state: Mutex<State>,
}

struct State {
    rows: Rows,
    compared: Vec<Kind>,
    /// When the newest reading began.
    read: Option<Instant>,
    /// Since when there is no server that could answer.
    gone: Option<Instant>,
    round: String,
}

impl Seen {
    fn new() -> Self {
        let state = State { rows: Rows::default(), compared: Vec::new(), read: None, gone: None, round: "at first".into() };
        Self { state: Mutex::new(state) }
    }

    fn take(&self, began: Instant, reading: Reading) {
        let mut state = self.state.lock();
        if state.gone.is_none() {
            state.read = Some(began);
        }
        state.compared = reading.iter().map(|(kind, _)| *kind).collect();
        reading.into_iter().for_each(|(kind, table)| state.rows.renew(kind, table));
    }

    /// There is no server from here on, or there is one again. What is so there is not known until it was read again.
    pub fn leave(&self, gone: bool) {
        let mut state = self.state.lock();
        state.gone = gone.then(Instant::now);
        state.read = None;
    }

    /// Waits for a reading that began after now.
    async fn fresh(&self) {
        let now = Instant::now();
        while self.state.lock().read.is_none_or(|read| read < now) {
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Truth for Seen {
    fn wrong(&self, kind: Kind, shown: &Table) -> Vec<(String, Option<Instant>)> {
        let state = self.state.lock();
        if state.read.is_none() || !state.compared.contains(&kind) {
            return Vec::new();
        }
        // the picture may be ahead of a reading, as it was long ago: a row is wrong from when it was seen to be so
        state.rows.wrong(kind, shown).into_iter().map(|(words, _)| (words, None)).collect()
    }

    fn gone(&self) -> Option<Instant> {
        self.state.lock().gone
    }

    fn when(&self) -> String {
        self.state.lock().round.clone()
    }
}

/// What came of one outage.
struct Outcome {
    round: String,
    /// How long after its end the picture was equal to a fresh list.
    equal: Option<Duration>,
    /// How long it was called live after there was no server any more.
    said: Option<Duration>,
    late: Option<String>,
    false_live: Option<String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.round, seconds("equal", self.equal))?;
        if let Some(said) = self.said {
            write!(f, ", {} its beginning", seconds("said", Some(said)))?;
        }
        for (what, words) in [("late", &self.late), ("false_live", &self.false_live)] {
            if let Some(words) = words {
                write!(f, "\n    {what}: {words}")?;
            }
        }
        Ok(())
    }
}

fn seconds(what: &str, after: Option<Duration>) -> String {
    after.map_or_else(|| format!("never {what}"), |after| format!("{what} {:.1} s after", after.as_secs_f64()))
}

/// An engine that follows a real server.
pub struct Bench {
    pub seen: Arc<Seen>,
    pub engine: Engine,
    pub dice: Dice,
    connector: Arc<dyn Connector>,
    platform: &'static str,
    /// After the end of an outage the picture must be equal within this time.
    within: Duration,
    found: Arc<Mutex<Option<String>>>,
    outcomes: Vec<Outcome>,
    _reading: AbortOnDropHandle<()>,
    _oracle: AbortOnDropHandle<()>,
}

impl Bench {
    /// `read` reads everything; none while nothing answers.
    pub async fn start<F>(
        platform: &'static str,
        within: Duration,
        connector: Arc<dyn Connector>,
        read: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Option<Reading>> + Send,
    {
        let (seed, seen) = (super::faults::seed(), Arc::new(Seen::new()));
        println!("{platform} seed={seed}");
        let reader = Arc::clone(&seen);
        let reading = tokio::spawn(async move {
            loop {
                let began = Instant::now();
                if let Some(reading) = read().await {
                    reader.take(began, reading);
                }
                sleep(Duration::from_millis(400).max(began.elapsed() * 2)).await;
            }
        });
        let found = Arc::default();
        let (engine, oracle) = follow(&connector, &seen, &found);
        let (dice, outcomes, reading) = (Dice::new(seed), Vec::new(), AbortOnDropHandle::new(reading));
        let bench = Self { seen, engine, dice, connector, platform, within, found, outcomes, _reading: reading, _oracle: oracle };
        timeout(Duration::from_secs(20), bench.seen.fresh()).await.unwrap_or_else(|_| panic!("{platform} cannot be read"));
        equal(&*bench.seen, &bench.engine, Duration::from_secs(40)).await.unwrap_or_else(|why| panic!("at first: {why}"));
        bench
    }

    /// Another engine takes over, which knows nothing yet; `ready` once the one before it has ended.
    pub async fn anew(&mut self, ready: impl FnOnce()) {
        let none = Engine::start(Vec::new(), Options::default());
        std::mem::replace(&mut self.engine, none).shutdown().await;
        ready();
        (self.engine, self._oracle) = follow(&self.connector, &self.seen, &self.found);
    }

    /// An outage: the picture must be right soon after it, and a change that comes then be followed.
    pub async fn round(&mut self, name: &str, outage: impl Future<Output = ()>, change: impl Future<Output = ()>) {
        let round = format!("{} {}", self.outcomes.len() + 1, name);
        self.seen.state.lock().round.clone_from(&round);
        let saying = AbortOnDropHandle::new(tokio::spawn(said(Arc::clone(&self.seen), self.engine.world.clone())));
        outage.await;
        let said = if saying.is_finished() { saying.await.ok() } else { None };
        let ended = Instant::now();
        let mut outcome = Outcome { round, equal: None, said, late: None, false_live: None };
        self.seen.fresh().await;
        match equal(&*self.seen, &self.engine, self.within.saturating_sub(ended.elapsed())).await {
            Ok(()) => {
                outcome.equal = Some(ended.elapsed());
                change.await;
                self.seen.fresh().await;
                outcome.late =
                    equal(&*self.seen, &self.engine, FALSE).await.err().map(|why| format!("not followed from there: {why}"));
            }
            Err(why) => outcome.late = Some(why),
        }
        outcome.false_live = self.found.lock().take();
        println!("{outcome}");
        self.outcomes.push(outcome);
    }

    /// One line of all that came of it; fails if anything was late or false.
    pub fn end(self) {
        let count = |test: fn(&Outcome) -> bool| self.outcomes.iter().filter(|outcome| test(outcome)).count();
        let (equal, false_live) = (count(|o| o.late.is_none()), count(|o| o.false_live.is_some()));
        let slowest =
            |of: fn(&Outcome) -> Option<Duration>| self.outcomes.iter().filter_map(of).max().unwrap_or_default().as_secs_f64();
        println!(
            "{}: runs={} equal={equal} slowest={:.1}s cut_said={:.1}s false_live={false_live}",
            self.platform,
            self.outcomes.len(),
            slowest(|o| o.equal),
            slowest(|o| o.said),
        );
        assert!(!self.outcomes.is_empty() && equal == self.outcomes.len() && false_live == 0, "see above");
    }
}

/// An engine, and what watches over what it shows.
fn follow(connector: &Arc<dyn Connector>, seen: &Arc<Seen>, found: &Arc<Mutex<Option<String>>>) -> (Engine, AbortOnDropHandle<()>) {
    let engine = Engine::start(vec![Arc::clone(connector)], Options::default());
    let oracle = tokio::spawn(watch_over(Arc::clone(seen), engine.world.clone(), Arc::clone(found)));
    (engine, AbortOnDropHandle::new(oracle))
}

/// How long a picture is called live once there is no server any more.
async fn said(seen: Arc<Seen>, world: tokio::sync::watch::Receiver<Arc<quarterdeck::model::World>>) -> Duration {
    loop {
        sleep(Duration::from_millis(50)).await;
        if let Some(gone) = seen.gone()
            && live(&world.borrow().clusters[0]).is_empty()
        {
            return gone.elapsed();
        }
    }
}

/// How many outages there are to be; a few where nothing else is wanted.
fn times(few: usize) -> usize {
    std::env::var("QUARTERDECK_OUTAGES").ok().and_then(|times| times.parse().ok()).unwrap_or(few)
}
