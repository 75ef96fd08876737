//! A screen without a terminal on a fleet whose every text is one given text: commands in, frames out, each frame held
//! against the grammar and against what a terminal makes of it.

use super::grammar;
use quarterdeck::input::{Command, Keymap};
use quarterdeck::model::*;
use quarterdeck::term::{FrameWriter, osc52};
use quarterdeck::theme::Theme;
use quarterdeck::ui::{Effect, Moment, PaneId, TextInput, Ui, UiOptions};
use quarterdeck::util::time::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

pub const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn ago(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 - seconds * 1_000)
}

/// What stands in the fields of a fleet: each field takes the next of these texts, behind two letters of its own so that rows
/// keep their order.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    texts: &'a [String],
    from: usize,
    fields: Rc<RefCell<Vec<String>>>,
}

impl<'a> Words<'a> {
    pub fn new(texts: &'a [String], from: usize) -> Self {
        Self { texts, from, fields: Rc::default() }
    }

    /// The text of a field, always the same.
    pub fn of(&self, field: &str) -> String {
        let mut fields = self.fields.borrow_mut();
        let at = fields.iter().position(|held| held == field).unwrap_or_else(|| {
            fields.push(field.to_owned());
            fields.len() - 1
        });
        format!("{field}{}", self.texts[(self.from + at) % self.texts.len()])
    }

    /// The numbers of the texts that stood anywhere.
    pub fn used(&self) -> BTreeSet<usize> {
        (0..self.fields.borrow().len()).map(|at| (self.from + at) % self.texts.len()).collect()
    }
}

/// The fleet: hostile in every field that holds text.
pub fn fleet(words: &Words<'_>) -> Store {
    let t = |field: &str| Text::from(words.of(field));
    let key = |field: &str| Key::from(words.of(field).as_str());
    let id = |field: &str| ClusterId::from(words.of(field).as_str());
    let cluster = |prefix: &str, kind| Cluster {
        id: id(prefix),
        kind,
        endpoint: t("e0"),
        version: Some(t("v0")),
        link: Link::Connecting,
        protected: false,
        read_only: false,
        capabilities: Capabilities::of(&ActionKind::ALL),
        engine: None,
    };
    let mut store = Store::new([
        cluster("c1", ClusterKind::Kubernetes),
        cluster("c2", ClusterKind::Swarm),
        cluster("c3", ClusterKind::Docker),
        cluster("c4", ClusterKind::Docker),
    ]);
    let mut to = |cluster: &str, delta| store.apply(Fact::Cluster(id(cluster), delta), NOW);
    to("c1", Delta::Link(Link::Live));
    to("c2", Delta::Link(Link::Stale { since: ago(42), reason: t("r0") }));
    to("c3", Delta::Link(Link::Unreachable { since: ago(300), reason: t("r1") }));
    to("c4", Delta::Link(Link::Unauthorised { since: ago(300), reason: t("r2") }));
    to("c1", Delta::NoUsage(Some(t("nu"))));
    for (n, state) in [("n1", NodeState::Ready), ("n2", NodeState::NotReady), ("n3", NodeState::Ready)] {
        to(
            "c1",
            Delta::Node(Change::Upsert(Node {
                key: key(n),
                uid: key(n),
                spec_rev: 1,
                name: t(n),
                labels: Box::new([(t("lk"), t("lv"))]),
                taints: Box::new([Taint { key: t("tk"), value: t("tv"), effect: quarterdeck::model::Effect::NoSchedule }]),
                zone: Some(t("z0")),
                role: t("ro"),
                state,
                since: Some(ago(96)),
                why: (state != NodeState::Ready).then(|| t("wn")),
                availability: if n == "n3" { Availability::Paused } else { Availability::Active },
                pressure: Box::new([t("pr")]),
                allocatable: Resources { cpu_m: 8_000, mem: 32 << 30 },
                max_tasks: Some(110),
                version: t("v1"),
                address: t("ad"),
                created: ago(7_776_000),
            })),
        );
    }
    for (s, ready, rollout) in
        [("s1", 2, RolloutState::Failed), ("s2", 5, RolloutState::Stable), ("s3", 5, RolloutState::Progressing)]
    {
        to(
            "c1",
            Delta::Service(Change::Upsert(Service {
                key: key(s),
                spec_rev: 1,
                observed_rev: 1,
                name: t(s),
                namespace: t("ns"),
                kind: ServiceKind::Deployment,
                container: t("co"),
                beside: Box::new([(t("bn"), t("bi"))]),
                earlier: Box::new([Earlier { revision: 3, image: t("ei"), made: Some(ago(900)) }]),
                stack: Some(t("st")),
                image: t("im"),
                desired: Some(5),
                ready,
                updated: 5,
                current: 5,
                rollout: Rollout { state: rollout, note: Some(t("no")) },
                strategy: UpdateStrategy::Rolling,
                revision: Some(t("re")),
                previous: Some(t("pv")),
                budget: Some(Budget { name: t("bu"), allowed: 1, rule: t("ru"), beside: None }),
                autoscaler: Some(Autoscaler { name: t("au"), min: 1, max: 9 }),
                suspended: false,
                placement: Some(t("pl")),
                ports: Some(t("po")),
                created: ago(86_400),
                changed: Some(ago(500)),
            })),
        );
    }
    for (k, service, node, state) in [
        ("t1", "s1", "n1", TaskState::Running),
        ("t2", "s1", "n9", TaskState::Starting),
        ("t3", "s2", "n2", TaskState::Failed),
        ("t4", "s2", "n1", TaskState::Running),
    ] {
        to(
            "c1",
            Delta::Task(Change::Upsert(Task {
                key: key(k),
                name: t(k),
                namespace: t("ns"),
                service: Some(key(service)),
                controller: Some(t("ct")),
                // the node n9 has no row: its key is shown
                node: Some(key(node)),
                state,
                ready: state == TaskState::Running,
                wanted: true,
                why: Some(t("wt")),
                stuck: state == TaskState::Starting,
                since: ago(240),
                image: t("im"),
                restarts: 3,
                last_end: Some(Ending { at: Some(ago(500)), exit: 137, reason: t("en") }),
                revision: Some(t("re")),
                requests: Resources { cpu_m: 100, mem: 128 << 20 },
                limits: Resources::default(),
                containers: Box::new([t("k1"), t("k2")]),
                grace: Some(30),
                created: ago(3_600),
            })),
        );
    }
    for (e, about) in [("e1", Some((Kind::Task, key("t2")))), ("e2", Some((Kind::Node, key("n2")))), ("e3", None)] {
        to(
            "c1",
            Delta::Event(Change::Upsert(Event {
                key: key(e),
                at: ago(30),
                severity: Severity::Warning,
                about,
                object: t("ob"),
                namespace: t("ns"),
                reason: t("rn"),
                message: t(e),
                count: 3,
            })),
        );
    }
    for (object, subject) in [(Some((Kind::Service, key("s1"))), "f1"), (Some((Kind::Node, key("n2"))), "f2"), (None, "f3")] {
        to(
            "c1",
            Delta::Finding(Change::Upsert(Finding {
                key: Finding::key_of(object.as_ref().map(|(kind, key)| (*kind, key))),
                object,
                level: Level::Failing,
                subject: t(subject),
                headline: t("hl"),
                why: t("wy"),
                extra: t("ex"),
                since: Some(ago(240)),
            })),
        );
    }
    for cluster in ["c1", "c2"] {
        to(cluster, Delta::Node(Change::End));
        to(cluster, Delta::Service(Change::End));
        to(cluster, Delta::Task(Change::End));
        to(cluster, Delta::Event(Change::End));
    }
    to("c2", Delta::Service(Change::Failed(t("cf"))));
    let object = ObjectRef { cluster: id("c1"), kind: Kind::Service, key: key("s2") };
    for (n, state) in [(1, OpState::Failed), (2, OpState::Running)] {
        store.apply(
            Fact::Operation(Operation {
                id: OpId(n),
                intent: Intent {
                    object: object.clone(),
                    name: t("s2"),
                    action: Action::Redeploy { pull: false },
                    bound: Bound { uid: key("s2"), spec_rev: 1 },
                },
                title: t("ti"),
                by: t("by"),
                asked: ago(20),
                ended: state.ended().then(|| ago(3)),
                state,
                progress: Progress { done: 1, total: 3, note: t("pn") },
                undo: None,
                plan: (n == 2).then(|| {
                    let planned = |task: &str, service: &str| Planned {
                        key: key(task),
                        name: t("pt"),
                        service: Some(key(service)),
                        node: Some(key("n1")),
                    };
                    let tasks = Box::new([planned("t1", "s1"), planned("t9", "s1"), planned("t8", "s2"), planned("t7", "s9")]);
                    Arc::new(Plan { tasks, newest: ago(7_200) })
                }),
            }),
            NOW,
        );
    }
    store.apply(Fact::Notice(Notice::warning(ago(60), t("nt"))), NOW);
    store
}

/// The screen, what the terminal shows of it, and what was copied.
pub struct Stage<'a> {
    ui: Ui,
    store: Store,
    writer: FrameWriter,
    parser: vt100::Parser,
    size: Size,
    pub words: Words<'a>,
    pub faults: Vec<String>,
    /// Each frame by what led to it, reduced to what is drawn where.
    pub shapes: Vec<(String, Vec<String>)>,
    /// All cells of the last frame.
    pub last: Buffer,
    pub copies: usize,
    pub frames: usize,
    /// What was drawn last is nothing that a key could be an answer to.
    odd: bool,
}

pub fn moment() -> Moment {
    Moment { now: NOW, utc_offset: 0 }
}

impl<'a> Stage<'a> {
    pub fn new(words: Words<'a>, size: (u16, u16)) -> Self {
        let mut named = Theme::plain();
        named.name = words.of("th");
        let ui = Ui::new(UiOptions {
            theme: Theme::plain(),
            themes: vec![Theme::plain(), named],
            keymap: Keymap::load("default", &[]).0,
            ascii: false,
            max_bulk: 20,
            reveals: true,
            read_only: false,
            local_time: false,
            pane: PaneId::Fleet,
            config: Text::from(words.of("/h")),
        });
        let size = Size::new(size.0, size.1);
        let mut stage = Self {
            ui,
            store: fleet(&words),
            writer: FrameWriter::new(size),
            parser: vt100::Parser::new(size.height, size.width, 0),
            size,
            words,
            faults: Vec::new(),
            shapes: Vec::new(),
            last: Buffer::default(),
            copies: 0,
            frames: 0,
            odd: false,
        };
        // raw mode turns no line feed into a new line, and the program switches wrapping off
        stage.parser.process(b"\x1b[?7l");
        stage.sync();
        stage
    }

    fn sync(&mut self) {
        if let Some(world) = self.store.publish() {
            self.ui.sync(world, moment());
        }
    }

    /// Shows the operator what the next key is for.
    fn show(&mut self) {
        let area = Rect::new(0, 0, 160, 50);
        self.ui.render(area, &mut Buffer::empty(area), moment());
        self.ui.seen();
        self.odd = false;
    }

    pub fn press(&mut self, command: Command) {
        if self.odd {
            self.show();
        }
        let effects = self.ui.command(command, moment());
        self.answer(effects);
    }

    pub fn text(&mut self, input: TextInput) {
        if self.ui.wants_text() {
            self.show();
            let effects = self.ui.text(input, moment());
            self.answer(effects);
        }
    }

    pub fn say(&mut self) {
        let words = self.words.of("sa");
        self.ui.say(words, true, moment());
    }

    /// The engine's part: what is asked for comes, and all its words are the text.
    fn answer(&mut self, effects: Vec<Effect>) {
        let t = |field: &str| Text::from(self.words.of(field));
        for effect in effects {
            match effect {
                Effect::Copy(text) => {
                    self.copies += 1;
                    let held = grammar::copied(&osc52(&text));
                    let lines = held.as_deref().unwrap_or("\x1b").split('\n').collect::<Vec<_>>();
                    if let Some(fault) = lines.iter().find_map(|line| grammar::text_fault(line)) {
                        self.faults.push(format!("copied: {fault}"));
                    }
                }
                Effect::Request(Request::Tail { id, target }) => {
                    let buffer = LogBuffer::new(1 << 20);
                    let tail = Tail { id, target, state: TailState::Opening, buffer };
                    self.store.apply(Fact::TailOpened(tail), NOW);
                    let line =
                        |n: i64| LogItem::Line(LogLine { at: Some(ago(n)), task: t("lt"), stream: Stream::Err, text: t("li") });
                    let items = vec![
                        LogItem::Joined { at: ago(9), task: t("jt") },
                        line(8),
                        line(7),
                        LogItem::Gap { at: ago(6), lines: Some(3), reason: t("ga") },
                        line(5),
                        LogItem::Left { at: ago(4), task: t("lf"), reason: t("lr") },
                    ];
                    self.store.apply(Fact::Log(id, items), NOW);
                    self.store.apply(Fact::TailState(id, TailState::Failed(t("ft"))), NOW);
                }
                Effect::Request(Request::Survey(object, action)) => {
                    let leftover =
                        |kind| Leftover { kind, id: Key::from(self.words.of("lo").as_str()), made: None, name: t("ln"), size: 7 };
                    let found = match action {
                        ActionKind::RotateToken => Found::Swarm(12),
                        _ => Found::Leftovers(LeftoverKind::ALL.map(leftover).into()),
                    };
                    let survey = Survey { key: object.key, action, found: Some(Ok(found)) };
                    self.store.apply(Fact::Cluster(object.cluster, Delta::Survey(survey)), NOW);
                }
                Effect::Request(Request::Reveal { cluster, managers }) => {
                    let found = Ok((Secret::new(&self.words.of("jt")), t("ja")));
                    self.store.apply(Fact::Cluster(cluster, Delta::Join(Some(Join { managers, at: NOW, found }))), NOW);
                }
                Effect::Request(Request::Inspect(object)) => {
                    let lines = Ok(vec![t("d1: "), t("  d2: "), t("d3")]);
                    self.store.apply(Fact::Document(Document { object, at: NOW, lines }), NOW);
                }
                _ => {}
            }
        }
        self.sync();
    }

    /// The terminal has another size from now on.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.size = Size::new(width, height);
        self.writer.resize(self.size);
        self.parser.screen_mut().set_size(height.max(1), width.max(1));
    }

    /// Draws, and checks what goes to the terminal and what is on it afterwards.
    pub fn frame(&mut self, name: &str) {
        self.frames += 1;
        self.odd |= self.size.width < 40 || self.size.height < 10;
        let canvas = self.writer.canvas();
        self.ui.render(canvas.area, canvas, moment());
        let drawn = canvas.clone();
        let mut bytes = Vec::new();
        self.writer.encode(&mut bytes, self.ui.cursor());
        if let Some(fault) = grammar::fault(&bytes, false) {
            self.faults.push(format!("{name}: {fault}"));
        }
        // the parser takes the replacement character for a mistake in its input
        self.parser.process(String::from_utf8_lossy(&bytes).replace('\u{fffd}', "?").as_bytes());
        if let Some(fault) = self.astray(&drawn) {
            self.faults.push(format!("{name}: {fault}"));
        }
        self.shapes.push((name.to_owned(), shape(&drawn)));
        self.last = drawn;
    }

    /// The first cell in which the terminal has something else than was drawn.
    fn astray(&self, drawn: &Buffer) -> Option<String> {
        let screen = self.parser.screen();
        for y in 0..self.size.height {
            let mut x = 0;
            while x < self.size.width {
                let cell = &drawn[(x, y)];
                // a letter of several characters may be spread over the columns it takes
                let wide = u16::try_from(quarterdeck::util::width::width(cell.symbol()).max(1)).unwrap();
                let columns = (x..(x + wide).min(self.size.width)).filter_map(|x| screen.cell(y, x));
                let shown: String = columns.map(|held| held.contents()).collect();
                let shown = if shown.is_empty() { " " } else { shown.as_str() };
                if shown != cell.symbol().replace('\u{fffd}', "?") {
                    return Some(format!("at {x},{y} stands {shown:?} and not {:?}", cell.symbol()));
                }
                x += wide;
            }
        }
        None
    }

    /// Draws into an area that may be other than what the last frame was made for, and lie outside of the buffer.
    pub fn draw(&mut self, area: Rect, within: Rect, moving: bool) {
        self.frames += 1;
        self.odd = true;
        let mut buffer = Buffer::empty(within);
        if moving {
            self.ui.render_moving(area, &mut buffer, moment());
        } else {
            self.ui.render(area, &mut buffer, moment());
        }
        if let Some(at) = self.ui.cursor() {
            let area = area.intersection(within);
            assert!(area.contains(at), "the cursor is at {at} outside of {area}");
        }
    }
}

/// A frame with every letter an `x`: rules, borders and blanks stay.
fn shape(buffer: &Buffer) -> Vec<String> {
    let rule = |symbol: &str| symbol.chars().all(|c| matches!(c, ' ' | '\u{2500}'..='\u{25ff}' | '…'));
    let width = usize::from(buffer.area.width).max(1);
    let row =
        |cells: &[ratatui::buffer::Cell]| cells.iter().map(|cell| if rule(cell.symbol()) { cell.symbol() } else { "x" }).collect();
    buffer.content.chunks(width).map(row).collect()
}
