//! What a frame costs at 200×50 with 10,000 tasks on 1,000 nodes: from a key or a picture to the bytes for the terminal, in
//! time, bytes and allocations.
//!
//! `cargo bench --profile perf --bench frame`

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a bench stops at the first surprise")]

mod counted;

use counted::once;
use criterion::{Criterion, criterion_group};
use quarterdeck::backend::sim::{Fleet, Options, Scenario};
use quarterdeck::input::{Command, Keymap};
use quarterdeck::model::{Change, ClusterId, Delta, Fact, Store, Task, TaskState, World};
use quarterdeck::term::FrameWriter;
use quarterdeck::theme::{ColorDepth, Theme};
use quarterdeck::ui::{Moment, PaneId, TextInput, Ui, UiOptions};
use ratatui::layout::Size;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

const BATCH: usize = 100;

/// The screen on the list of tasks, and the fleet it shows.
struct Bench {
    ui: Ui,
    writer: FrameWriter,
    moment: Moment,
    store: Store,
    tasks: Vec<Task>,
    round: u32,
    out: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let mut fleet = Fleet::new(&Scenario::sized(1_000, 500, 10_000).unwrap(), Options::default());
        let mut store = Store::new(fleet.clusters());
        let now = fleet.at(Duration::ZERO);
        for fact in fleet.advance(Duration::ZERO) {
            store.apply(fact, now);
        }
        let moment = Moment { now, utc_offset: 0 };
        let (theme, _) = Theme::load("default", &[], ColorDepth::Indexed);
        let (keymap, _) = Keymap::load("default", &[]);
        let mut ui = Ui::new(UiOptions {
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
        ui.sync(store.publish().unwrap(), moment);
        let tasks = store.world().clusters[0].tasks.iter().map(|task| Task::clone(task)).collect();
        let mut bench = Self { ui, writer: FrameWriter::new(Size::new(200, 50)), moment, store, tasks, round: 0, out: Vec::new() };
        bench.frame();
        bench
    }

    /// Draws, and gives how many bytes go to the terminal.
    fn frame(&mut self) -> usize {
        self.out.clear();
        let canvas = self.writer.canvas();
        self.ui.render(canvas.area, canvas, self.moment);
        self.writer.encode(&mut self.out, self.ui.cursor());
        self.out.len()
    }

    fn command(&mut self, command: Command) {
        black_box(self.ui.command(command, self.moment));
    }

    fn typed(&mut self, input: TextInput) {
        black_box(self.ui.text(input, self.moment));
    }

    /// The next picture: 100 tasks, spread over all, are in another state.
    fn changed(&mut self) -> Arc<World> {
        self.round += 1;
        let ready = self.round.is_multiple_of(2);
        let state = if ready { TaskState::Running } else { TaskState::Starting };
        let changed = self.tasks.iter().skip(self.round as usize % 97).step_by(self.tasks.len() / BATCH).take(BATCH);
        for row in changed {
            let row = Task { state, ready, restarts: self.round, ..row.clone() };
            self.store.apply(Fact::Cluster(ClusterId::new("sized"), Delta::Task(Change::Upsert(row))), self.moment.now);
        }
        self.store.publish().expect("rows have changed")
    }
}

/// What is measured: what is made ready before, and what is done and drawn in the time that counts.
type Step = (&'static str, fn(&mut Bench), fn(&mut Bench) -> usize);

const STEPS: &[Step] = &[
    ("unchanged", |_| (), Bench::frame),
    (
        "cursor move",
        |bench| bench.round += 1,
        |bench| {
            bench.command(if bench.round.is_multiple_of(2) { Command::Up } else { Command::Down });
            bench.frame()
        },
    ),
    (
        "cursor move that scrolls",
        |bench| {
            bench.round += 1;
            if bench.round.is_multiple_of(5_000) {
                bench.command(Command::Top);
                bench.command(Command::PageDown);
                bench.frame();
            }
        },
        |bench| {
            bench.command(Command::Down);
            bench.frame()
        },
    ),
    (
        "page down",
        |bench| {
            bench.round += 1;
            if bench.round.is_multiple_of(200) {
                bench.command(Command::Top);
                bench.frame();
            }
        },
        |bench| {
            bench.command(Command::PageDown);
            bench.frame()
        },
    ),
    (
        "filter character over 10,000 rows",
        |bench| {
            bench.command(Command::Filter);
            bench.typed(TextInput::DeleteLine);
            bench.frame();
        },
        |bench| {
            bench.typed(TextInput::Char('7'));
            bench.frame()
        },
    ),
];

fn frames(c: &mut Criterion) {
    let mut bench = Bench::new();
    let to_terminal = |name: &str, bytes: usize| println!("once/{name:<48} {bytes:7} bytes for the terminal");
    for (name, before, step) in STEPS {
        before(&mut bench);
        to_terminal(name, once(name, || step(&mut bench)));
        c.bench_function(&format!("frame/{name}"), |b| {
            b.iter_custom(|rounds| {
                (0..rounds).fold(Duration::ZERO, |sum, _| {
                    before(&mut bench);
                    let start = Instant::now();
                    black_box(step(&mut bench));
                    sum + start.elapsed()
                })
            });
        });
    }
    bench.typed(TextInput::Escape);
    bench.frame();
    let world = bench.changed();
    let name = "100 changed tasks";
    let bytes = once(name, || {
        bench.ui.sync(world, bench.moment);
        bench.frame()
    });
    to_terminal(name, bytes);
    c.bench_function("frame/100 changed tasks, synced and drawn", |b| {
        b.iter_custom(|rounds| {
            (0..rounds).fold(Duration::ZERO, |sum, _| {
                let world = bench.changed();
                let start = Instant::now();
                bench.ui.sync(world, bench.moment);
                black_box(bench.frame());
                sum + start.elapsed()
            })
        });
    });
}

criterion_group!(benches, frames);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
}
