//! Evacuations whose program dies again and again: at each step in which it keeps or forgets the operation, and at requests in
//! between. What was not made to last yet may be lost with it. The next program on the same folder takes up what was left, and
//! in the end everything has moved that can, once, and no budget was broken. Seeds are as for the scenarios themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::journal::{STEPS, Step, arm};
use super::tests::{link, op, secs, until};
use super::{Clock, Engine, Options};
use crate::backend::kubernetes::evacuation_tests::{Chance, Cluster, Life, Memory, seeds};
use crate::model::{KindSync, OpId, OpState, Operation, Request, Text, World};
use crate::util::time::Timestamp;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::time::{Instant, advance, sleep};

/// Deaths at requests, at most.
const BREAKS: u64 = 4;
/// The number of the only operation of a program.
const ONE: OpId = OpId(1);

/// What the operator does with an operation that was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Resume,
    Cancel,
}

/// What came of a program.
#[derive(Debug)]
enum Came {
    /// It died at this step, or at a request.
    Died(Option<Step>),
    Ended(OpState, Text),
}

/// One evacuation, and the programs that worked on it.
struct Story {
    chance: Chance,
    cluster: Arc<Mutex<Cluster>>,
    folder: tempfile::TempDir,
    /// The present, which goes on from one program to the next.
    now: Option<Instant>,
    deaths: BTreeMap<Option<Step>, u32>,
}

impl Story {
    fn kept(&self, extension: &str) -> Option<PathBuf> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
        assert!(files.len() < 2, "one operation is kept once: {files:?}");
        files.pop()
    }

    fn is_left(&self) -> bool {
        self.kept("json").is_some()
    }

    /// Runs a program that dies at this step, if it comes to it, or at the request that breaks off. What it finds it goes on
    /// with, or calls off; else it begins.
    fn program(&mut self, death: Option<Step>, wish: Wish) -> Came {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let (left, died) = (self.is_left(), Arc::new(Mutex::new(None)));
        let came = runtime.block_on(async {
            if let Some(now) = self.now {
                advance(now.saturating_duration_since(Instant::now())).await;
            }
            let life = Arc::new(Life::default());
            let (last, at) = (Arc::clone(&life), Arc::clone(&died));
            arm(self.folder.path(), death, move || {
                *at.lock() = death;
                last.end();
            });
            let memory = Memory { cluster: Arc::clone(&self.cluster), life: Arc::clone(&life) };
            let clock = Clock::starting_at(Timestamp(1_000_000_000));
            let options = Options { clock, journal: Some(self.folder.path().to_owned()), ..Options::default() };
            let engine = Engine::start(vec![Arc::new(memory)], options);
            let came = tokio::select! {
                biased;
                () = life.ended() => Came::Died(*died.lock()),
                op = work(&engine, &self.cluster, self.folder.path(), left, wish) => Came::Ended(op.state, op.progress.note),
            };
            self.now = Some(Instant::now());
            came
        });
        // all of its tasks end where they are, as in a killed process
        drop(runtime);
        let mut cluster = self.cluster.lock();
        cluster.breaks = None;
        if let Came::Died(at) = &came {
            *self.deaths.entry(*at).or_default() += 1;
        }
        came
    }

    /// Dies at every step before anything is sent, until the operation is kept.
    fn begin(&mut self) {
        for step in STEPS.into_iter().filter(|step| *step < Step::Over) {
            let came = self.program(Some(step), Wish::Resume);
            assert!(matches!(came, Came::Died(Some(at)) if at == step), "at {step:?}: {came:?}");
            assert_eq!(self.cluster.lock().writes, 0, "something was sent before {step:?}");
            let (part, whole) = (self.kept("part"), self.kept("json"));
            match step {
                Step::Written => {
                    let part = std::fs::OpenOptions::new().write(true).open(part.unwrap()).unwrap();
                    part.set_len(self.chance.below(part.metadata().unwrap().len() + 1)).unwrap();
                }
                Step::Named if self.chance.one_in(2) => {
                    let whole = whole.unwrap();
                    std::fs::rename(&whole, whole.with_extension("part")).unwrap();
                }
                _ => {}
            }
            assert_eq!(self.is_left(), step == Step::Kept || step == Step::Named && self.kept("part").is_none(), "{step:?}");
            if self.is_left() {
                return;
            }
        }
        panic!("it was never kept");
    }

    /// Dies at requests until the operation is over, and then before it is forgotten. Gives what else it came to by then.
    fn go_on(&mut self) -> Wish {
        let mut breaks = self.chance.below(BREAKS + 1);
        loop {
            if breaks > 0 {
                self.cluster.lock().breaks = Some((self.chance.below(8), self.chance.one_in(2)));
            }
            match self.program(Some(Step::Over), Wish::Resume) {
                Came::Died(None) => breaks -= 1,
                Came::Died(_) => return Wish::Resume,
                Came::Ended(OpState::Paused, note) => {
                    assert!(note.contains("waits for budget app"), "{note}");
                    if self.cluster.lock().stuck() {
                        return Wish::Cancel;
                    }
                }
                ended @ Came::Ended(..) => panic!("it ended without being forgotten: {ended:?}"),
            }
            assert!(self.is_left(), "what is under way is kept");
        }
    }

    /// Dies as soon as the operation is forgotten, and maybe that did not last.
    fn end(&mut self, wish: Wish) {
        let whole = self.kept("json").expect("what is not over is kept");
        let text = std::fs::read(&whole).unwrap();
        let came = self.program(Some(Step::Forgotten), wish);
        assert!(matches!(came, Came::Died(Some(Step::Forgotten))), "{came:?}");
        assert!(!self.is_left());
        if self.chance.one_in(2) {
            std::fs::write(&whole, text).unwrap();
            let came = self.program(None, wish);
            let ends: &[OpState] = if wish == Wish::Cancel { &[OpState::Cancelled] } else { &[OpState::Done, OpState::Failed] };
            assert!(matches!(&came, Came::Ended(state, _) if ends.contains(state)), "{came:?}");
        }
        assert!(std::fs::read_dir(self.folder.path()).unwrap().next().is_none(), "something is left of what is over");
    }
}

/// What a program does that lives: it has one operation and brings it to its end, or as far as it goes.
async fn work(engine: &Engine, cluster: &Mutex<Cluster>, folder: &Path, left: bool, wish: Wish) -> Operation {
    let listed = |world: &World| {
        let state = &world.clusters[0];
        link(world, 0).is_live()
            && [crate::model::Kind::Node, crate::model::Kind::Task].iter().all(|kind| *state.sync_of(*kind) == KindSync::Live)
    };
    until(engine, secs(30), listed).await;
    // whatever is offered is offered by now
    sleep(secs(1)).await;
    let offered = op(&engine.world.borrow(), ONE.0).cloned();
    assert_eq!(offered.as_ref().map(|op| op.state), left.then_some(OpState::Paused), "{offered:?}");
    let files = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(files, usize::from(left), "what was half written is there still");
    let request = match (left, wish) {
        (true, Wish::Resume) => Request::Resume(ONE),
        (true, Wish::Cancel) => Request::Cancel(ONE),
        (false, _) => Request::Execute { intent: cluster.lock().intent(), title: "evacuate n1".into() },
    };
    engine.requests.send(request).await.unwrap();
    let before = offered.map(|op| op.progress.note);
    let begun = |op: &Operation| op.state != OpState::Paused || Some(&op.progress.note) != before.as_ref();
    let rests = |op: &Operation| op.ended.is_some() || op.state == OpState::Paused;
    until(engine, secs(5), |world| op(world, ONE.0).is_some_and(begun)).await;
    until(engine, secs(3_600), |world| op(world, ONE.0).is_some_and(rests)).await;
    // its entry is dealt with before its end is told; a death there comes first
    let op = op(&engine.world.borrow(), ONE.0).cloned();
    op.unwrap()
}

/// The whole story of a seed: how often which death was died, and how it ended.
fn story(seed: u64) -> (BTreeMap<Option<Step>, u32>, Wish) {
    let mut chance = Chance(seed);
    // the world is made at a time of its own
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let cluster = runtime.block_on(async { Cluster::generated(&mut chance) });
    drop(runtime);
    let stays = cluster.staying();
    let folder = tempfile::tempdir().unwrap();
    let cluster = Arc::new(Mutex::new(cluster));
    let mut story = Story { chance, cluster, folder, now: None, deaths: BTreeMap::new() };
    story.begin();
    let wish = story.go_on();
    story.end(wish);
    let cluster = story.cluster.lock();
    cluster.assert_sound(&stays);
    assert_eq!(cluster.left().is_empty(), wish == Wish::Resume, "{:?} were not told to go", cluster.left());
    (std::mem::take(&mut story.deaths), wish)
}

#[test]
fn an_evacuation_whose_program_dies_at_any_step_is_taken_up_and_moves_nothing_twice() {
    let (mut deaths, mut cancelled) = (BTreeMap::<Option<Step>, u32>::new(), 0);
    for seed in seeds() {
        let told = std::panic::catch_unwind(|| story(seed));
        let (died, wish) = told.unwrap_or_else(|_| panic!("seed {seed}: see above"));
        died.into_iter().for_each(|(at, times)| *deaths.entry(at).or_default() += times);
        cancelled += u32::from(wish == Wish::Cancel);
    }
    println!("deaths: {deaths:?}; {cancelled} waited for a budget for ever and were cancelled");
    let all = STEPS.into_iter().map(Some).chain([None]);
    assert!(seeds().count() < 100 || all.into_iter().all(|at| deaths.contains_key(&at)), "not all deaths were died");
}
