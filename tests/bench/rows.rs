//! What lists of 100,000 tasks cost, from a key or a picture to the bytes for the terminal at 200×50: letters typed into the
//! filter and deleted again, pictures with a hundred changed rows, another sort column, in time and allocations; and what the
//! list keeps in memory.
//!
//! `cargo bench --profile perf --bench rows`

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a bench stops at the first surprise")]

mod counted;
mod sample;

use counted::once;
use criterion::{Criterion, criterion_group};
use quarterdeck::backend::sim::PICTURE_EPOCH;
use quarterdeck::input::{Command, Keymap};
use quarterdeck::model::{
    Change, Cluster, ClusterId, ClusterKind, Delta, Fact, Finding, Kind, Level, Link, Store, Task, TaskState, Text, Usage, World,
};
use quarterdeck::term::FrameWriter;
use quarterdeck::theme::{ColorDepth, Theme};
use quarterdeck::ui::{Moment, PaneId, TextInput, Ui, UiOptions};
use quarterdeck::util::time::Timestamp;
use ratatui::layout::Size;
use sample::{Crowd, uid};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CROWD: Crowd = Crowd { nodes: 2_000, services: 5_000, tasks: 100_000 };
const BATCH: usize = 100;

/// What is typed letter by letter, and deleted letter by letter.
const TYPED: &[&str] = &["service-0123", "web", "7d9f !x0", "running team-03 1", "zzz", "node-a-0042", "c"];

fn fact(delta: Delta) -> Fact {
    Fact::Cluster(ClusterId::new("prod-eu"), delta)
}

/// A task among others that differ: some are in trouble, and they were made one after another.
fn task(n: u32) -> Task {
    Task {
        why: (n % 50 == 7).then(|| Text::new("restarting after exit 1, next try in up to 5m")),
        restarts: n % 3,
        created: Timestamp(PICTURE_EPOCH.0 - i64::from(n.wrapping_mul(2_654_435_761) % 1_000_000_000)),
        ..CROWD.task(n)
    }
}

fn finding(n: u32, why: &str) -> Finding {
    let object = Some((Kind::Service, uid(2, n)));
    Finding {
        key: Finding::key_of(object.as_ref().map(|(kind, key)| (*kind, key))),
        object,
        level: Level::Warning,
        subject: format!("service-{n:04}").into(),
        headline: "20/20 ready".into(),
        why: why.into(),
        extra: "".into(),
        since: Some(PICTURE_EPOCH),
    }
}

fn store() -> Store {
    let mut store = Store::new([Cluster {
        id: ClusterId::new("prod-eu"),
        kind: ClusterKind::Kubernetes,
        endpoint: "https://prod-eu".into(),
        version: None,
        link: Link::Live,
        protected: false,
        read_only: false,
        capabilities: Default::default(),
        engine: None,
    }]);
    let mut send = |delta| store.apply(fact(delta), PICTURE_EPOCH);
    send(Delta::Node(Change::Begin));
    (0..CROWD.nodes).for_each(|n| send(Delta::Node(Change::Upsert(CROWD.node(n)))));
    send(Delta::Node(Change::End));
    send(Delta::Service(Change::Begin));
    (0..CROWD.services).for_each(|n| send(Delta::Service(Change::Upsert(CROWD.service(n)))));
    send(Delta::Service(Change::End));
    send(Delta::Task(Change::Begin));
    (0..CROWD.tasks).for_each(|n| send(Delta::Task(Change::Upsert(task(n)))));
    send(Delta::Task(Change::End));
    (0..CROWD.services).step_by(100).for_each(|n| send(Delta::Finding(Change::Upsert(finding(n, "restarting: 9 in 1h")))));
    store
}

/// Resident memory of this process in bytes, from the kernel.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0) * 1024
}

/// A screen on a list, and the store it shows.
struct Bench {
    ui: Ui,
    writer: FrameWriter,
    moment: Moment,
    store: Store,
    round: u32,
    out: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let moment = Moment { now: PICTURE_EPOCH, utc_offset: 0 };
        let (theme, _) = Theme::load("default", &[], ColorDepth::Indexed);
        let (keymap, _) = Keymap::load("default", &[]);
        let ui = Ui::new(UiOptions {
            themes: vec![theme.clone()],
            theme,
            keymap,
            ascii: false,
            read_only: false,
            max_bulk: 20,
            reveals: true,
            local_time: false,
            pane: PaneId::Tasks,
            config: Default::default(),
        });
        let mut store = store();
        let world = store.publish().unwrap();
        let before = resident();
        let mut bench = Self { ui, writer: FrameWriter::new(Size::new(200, 50)), moment, store, round: 0, out: Vec::new() };
        bench.ui.sync(world, moment);
        bench.frame();
        let tasks = CROWD.tasks;
        println!("memory/the list of {tasks} tasks {:21.1} MiB", (resident() - before) as f64 / f64::from(1u32 << 20));
        bench
    }

    fn frame(&mut self) {
        self.out.clear();
        let canvas = self.writer.canvas();
        self.ui.render(canvas.area, canvas, self.moment);
        self.writer.encode(&mut self.out, self.ui.cursor());
        black_box(self.out.len());
    }

    fn command(&mut self, command: Command) {
        black_box(self.ui.command(command, self.moment));
    }

    fn typed(&mut self, input: TextInput) {
        black_box(self.ui.text(input, self.moment));
    }

    fn filter(&mut self, words: &str) {
        self.command(Command::Filter);
        self.typed(TextInput::DeleteLine);
        words.chars().for_each(|c| self.typed(TextInput::Char(c)));
        self.typed(TextInput::Enter);
        self.frame();
    }

    /// The next picture: a hundred tasks, spread over all, are changed by `change`.
    fn changed(&mut self, change: impl Fn(&mut Task, u32)) -> Arc<World> {
        self.round += 1;
        for n in (self.round % 97..).step_by(CROWD.tasks as usize / BATCH).take(BATCH) {
            let mut row = task(n % CROWD.tasks);
            change(&mut row, self.round);
            self.store.apply(fact(Delta::Task(Change::Upsert(row))), self.moment.now);
        }
        self.store.publish().expect("rows have changed")
    }

    /// How long a step takes to be on screen.
    fn timed(&mut self, step: impl FnOnce(&mut Self)) -> Duration {
        let start = Instant::now();
        step(self);
        self.frame();
        start.elapsed()
    }

    /// The same for a picture.
    fn synced(&mut self, world: Arc<World>) -> Duration {
        self.timed(|bench| _ = bench.ui.sync(world, bench.moment))
    }

    /// And for a command.
    fn commanded(&mut self, command: Command) -> Duration {
        self.timed(|bench| bench.command(command))
    }

    /// How long each letter takes to be answered, typed and deleted again.
    fn letters(&mut self) -> Vec<(String, Duration)> {
        let mut took = Vec::new();
        for words in TYPED {
            self.command(Command::Filter);
            let deleted = (0..words.len()).map(|n| (format!("⌫ {}", &words[..words.len() - n]), TextInput::Backspace));
            let typed = words.char_indices().map(|(at, c)| (words[..=at].to_owned(), TextInput::Char(c)));
            for (name, input) in typed.chain(deleted) {
                took.push((name, self.timed(|bench| bench.typed(input))));
            }
            self.typed(TextInput::Escape);
            self.frame();
        }
        took
    }
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

/// Prints how long letters take to be answered: of each the best of nine rounds, as the machine has other things to do.
fn typing(bench: &mut Bench) {
    let mut best = once("letters of the filter, a round of them", || bench.letters());
    for _ in 0..8 {
        for (held, (_, took)) in best.iter_mut().zip(bench.letters()) {
            held.1 = held.1.min(took);
        }
    }
    best.sort_by_key(|(_, took)| *took);
    let (last, median) = (&best[best.len() - 1], &best[best.len() / 2]);
    println!(
        "rows/a letter of the filter, {} of them    p50 {:.2} ms, max {:.2} ms ({})",
        best.len(),
        ms(median.1),
        ms(last.1),
        last.0
    );
    for (name, took) in best.iter().rev().take(5) {
        println!("rows/  {name:<30} {:8.2} ms", ms(*took));
    }
}

type Picture = (&'static str, &'static str, &'static [Command], fn(&mut Bench) -> Arc<World>);

fn state(row: &mut Task, round: u32) {
    row.ready = round.is_multiple_of(2);
    row.state = if row.ready { TaskState::Running } else { TaskState::Starting };
    row.restarts = round;
}

/// Pictures that come while a list is filtered by the words and sorted by the commands.
const PICTURES: &[Picture] = &[
    ("100 changed tasks, same places", "", &[Command::SortName], |bench| bench.changed(state)),
    ("100 changed tasks, sorted by state", "", &[Command::SortState], |bench| bench.changed(state)),
    ("100 changed tasks, filtered", "service-0", &[Command::SortName], |bench| bench.changed(state)),
    ("1 changed task", "", &[Command::SortName], |bench| {
        bench.round += 1;
        let mut row = task(7);
        state(&mut row, bench.round);
        bench.store.apply(fact(Delta::Task(Change::Upsert(row))), bench.moment.now);
        bench.store.publish().expect("a row has changed")
    }),
    ("100 gone and 100 come", "", &[Command::SortName], |bench| {
        bench.round += 1;
        for n in (bench.round % 97..).step_by(CROWD.tasks as usize / BATCH).take(BATCH) {
            let gone = Task { key: uid(3 + (bench.round - 1) % 2 * 2, n), ..task(n) };
            let come = Task { key: uid(3 + bench.round % 2 * 2, n), name: format!("come-{n}").into(), ..task(n) };
            bench.store.apply(fact(Delta::Task(Change::Remove(gone.key))), bench.moment.now);
            bench.store.apply(fact(Delta::Task(Change::Upsert(come))), bench.moment.now);
        }
        bench.store.publish().expect("rows have changed")
    }),
    ("a finding changed, filtered", "service-0", &[Command::SortName], |bench| {
        bench.round += 1;
        let row = finding(0, if bench.round.is_multiple_of(2) { "image not found" } else { "restarting" });
        bench.store.apply(fact(Delta::Finding(Change::Upsert(row))), bench.moment.now);
        bench.store.publish().expect("a finding has changed")
    }),
];

fn rows(c: &mut Criterion) {
    let mut bench = Bench::new();
    typing(&mut bench);
    for (name, words, commands, next) in PICTURES {
        bench.filter(words);
        commands.iter().for_each(|command| bench.command(*command));
        bench.frame();
        let world = next(&mut bench);
        once(name, || bench.synced(world));
        c.bench_function(&format!("rows/{name}"), |b| {
            b.iter_custom(|rounds| {
                (0..rounds).fold(Duration::ZERO, |sum, _| {
                    let world = next(&mut bench);
                    sum + bench.synced(world)
                })
            });
        });
    }
    bench.filter("");
    let usage =
        |n: u32, round: u32| Usage { cpu_m: (n.wrapping_mul(2_654_435_761) ^ round) % 4_000, mem: u64::from(n) << 12, net: None };
    for (name, to, from) in [
        ("name", Command::SortName, Command::SortState),
        ("age", Command::SortAge, Command::SortName),
        ("state", Command::SortState, Command::SortName),
    ] {
        let name = format!("sort by {name}");
        bench.command(from);
        once(&name, || bench.commanded(to));
        c.bench_function(&format!("rows/{name}"), |b| {
            b.iter_custom(|rounds| {
                (0..rounds).fold(Duration::ZERO, |sum, _| {
                    bench.command(from);
                    sum + bench.commanded(to)
                })
            });
        });
    }
    let by_cpu = |bench: &mut Bench| {
        bench.command(Command::Sort);
        bench.writer.invalidate();
        bench.frame();
        String::from_utf8_lossy(&bench.out).contains("CPU ↑")
    };
    assert!((0..12).any(|_| by_cpu(&mut bench)), "no column of cpu");
    let measured = |bench: &mut Bench| {
        bench.round += 1;
        let at = Timestamp(PICTURE_EPOCH.0 + i64::from(bench.round) * 10_000);
        let rows = (0..CROWD.tasks).map(|n| (uid(3, n), usage(n, bench.round))).collect();
        bench.store.apply(fact(Delta::Usage { of: Kind::Task, at, rows }), at);
        bench.store.publish().expect("it was measured")
    };
    let name = "all measured anew, sorted by cpu";
    let world = measured(&mut bench);
    once(name, || bench.synced(world));
    c.bench_function(&format!("rows/{name}"), |b| {
        b.iter_custom(|rounds| {
            (0..rounds).fold(Duration::ZERO, |sum, _| {
                let world = measured(&mut bench);
                sum + bench.synced(world)
            })
        });
    });
}

criterion_group!(benches, rows);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
}
