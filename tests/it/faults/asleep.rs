//! A laptop that slept for two hours, and a VPN that went and came back: what was open before is dead on our side and says
//! nothing, new connections pass, and much has happened and been forgotten at the server meanwhile.
//!
//! On Linux the clock that waits are measured with stands while a machine sleeps, elsewhere it goes on; both are told here.
//! The time of day goes on in both. (Sockets do not sleep: only the clocks are moved.)

use super::fault::{Cell, Fault, Phase};
use super::run::{Bench, busiest};
use super::server::State;
use super::{seed, writer};
use crate::oracle::{FALSE, equal, live, watch_over};
use parking_lot::Mutex;
use quarterdeck::engine::{Clock, Options};
use quarterdeck::model::World;
use quarterdeck::util::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

const ASLEEP: Duration = Duration::from_secs(7_200);
/// Between two looks at how late timers are.
const LOOK: Duration = Duration::from_millis(400);
/// How long the VPN is away.
const AWAY: Duration = Duration::from_secs(40);
/// All is right again within this time.
const RIGHT: Duration = Duration::from_secs(45);

/// What becomes of the time while nothing is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meanwhile {
    /// We sleep, and the clock of our waits stands.
    Stands,
    /// We sleep, and the clock of our waits goes on.
    Jumps,
    /// We are awake.
    Awake,
}

/// Goes through it and says in a line how it went; what must not be is an error.
async fn lives_through(meanwhile: Meanwhile) -> Result<String, String> {
    let seed = seed();
    let ahead = Arc::new(AtomicU64::new(0));
    let slept = Arc::clone(&ahead);
    let clock = Clock::Paced(Arc::new(move || Timestamp::now().plus(Duration::from_secs(slept.load(SeqCst)))));
    let cell = Cell { fault: Fault::BlackHole, phase: Phase::Steady };
    let bench = Bench::with(cell, seed, Vec::new(), Options { clock, ..Options::default() }).await;
    bench.equal(Duration::from_secs(40)).await.map_err(|why| format!("before: {why}"))?;
    let first = busiest(&bench.server.state.lock().asked);
    // past the first moments, when all is new
    sleep(Duration::from_secs(2)).await;
    let found = Arc::new(Mutex::new(None));
    let oracle = watch_over(Arc::clone(&bench.server), bench.engine.world.clone(), Arc::clone(&found));
    let _oracle = AbortOnDropHandle::new(tokio::spawn(oracle));
    bench.server.begin();
    // the connections take note
    sleep(Duration::from_millis(50)).await;
    let mut silent = Instant::now();
    match meanwhile {
        Meanwhile::Awake => {}
        Meanwhile::Stands | Meanwhile::Jumps => {
            much_happens(&bench);
            silent = Instant::now();
            ahead.store(ASLEEP.as_secs(), SeqCst);
            if meanwhile == Meanwhile::Jumps {
                tokio::time::pause();
                tokio::time::advance(ASLEEP).await;
                tokio::time::resume();
            }
        }
    }
    let late = Arc::<AtomicU64>::default();
    let _late = AbortOnDropHandle::new(tokio::spawn(count_late(Arc::clone(&late))));
    let said = AbortOnDropHandle::new(tokio::spawn(stale(bench.engine.world.clone(), silent)));
    if meanwhile == Meanwhile::Awake {
        sleep(AWAY).await;
    }
    bench.server.end();
    let awake = Instant::now();
    let right = equal(&*bench.server, &bench.engine, RIGHT).await;
    let right = right.map(|()| awake.elapsed()).map_err(|why| format!("not right {RIGHT:?} after: {why}"))?;
    // and it must be followed from there on
    bench.equal(FALSE).await.map_err(|why| format!("right once, and not followed from there: {why}"))?;
    // who is right again so soon need not say that he was not
    let said = if said.is_finished() { said.await.map_err(|err| err.to_string())? } else { right };
    let asked: Vec<_> = bench.server.state.lock().asked.iter().filter(|(at, _)| *at >= awake).cloned().collect();
    let connected = bench.server.state.lock().connected.iter().filter(|at| **at >= awake).count();
    let most = busiest(&asked);
    let words = format!(
        "{meanwhile:?} seed={seed}: stale {:.1} s, right {:.1} s; {} requests over {connected} connections, {most} in the busiest second (of the first list: {first})",
        said.as_secs_f64(),
        right.as_secs_f64(),
        asked.len(),
    );
    println!("{words}");
    if let Some(wrong) = found.lock().take() {
        return Err(format!("{words}; {wrong}"));
    }
    if said > FALSE + Duration::from_millis(late.load(SeqCst)) {
        return Err(format!("{words}: said too late"));
    }
    // as much as to begin with, and what a session asks beside it
    if most > 2 * first || connected > 60 {
        return Err(format!("{words}: a storm"));
    }
    Ok(words)
}

/// At the server, which forgets how.
fn much_happens(bench: &Bench) {
    let mut state = bench.server.state.lock();
    let State { truth, dice, .. } = &mut *state;
    (0..300).for_each(|_| writer::step(truth, dice));
    truth.forget(Duration::ZERO);
}

/// By how many milliseconds a machine that has other things to do makes timers late.
async fn count_late(late: Arc<AtomicU64>) {
    loop {
        let due = Instant::now() + LOOK;
        sleep(LOOK).await;
        late.fetch_add(due.elapsed().as_millis() as u64, SeqCst);
    }
}

/// How long after `from` nothing is shown as live any more.
async fn stale(mut world: watch::Receiver<Arc<World>>, from: Instant) -> Duration {
    let _ = world.wait_for(|world| live(&world.clusters[0]).is_empty()).await;
    from.elapsed()
}

#[tokio::test]
async fn a_machine_that_slept_says_so_and_is_right_again_where_the_clock_stood() {
    lives_through(Meanwhile::Stands).await.unwrap();
}

#[tokio::test]
async fn a_machine_that_slept_says_so_and_is_right_again_where_the_clock_went_on() {
    lives_through(Meanwhile::Jumps).await.unwrap();
}

#[tokio::test]
async fn a_vpn_that_went_and_came_back_is_said_and_all_is_right_again() {
    lives_through(Meanwhile::Awake).await.unwrap();
}
