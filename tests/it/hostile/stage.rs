//! A screen without a terminal on a fleet whose every text is one given text: commands in, frames out, each frame held
//! against the grammar and against what a terminal makes of it.

use super::fleet::{NOW, Words, ago, fleet};
use super::grammar;
use quarterdeck::input::{Command, Keymap};
use quarterdeck::model::*;
use quarterdeck::term::{FrameWriter, osc52};
use quarterdeck::theme::Theme;
use quarterdeck::ui::{Effect, Moment, PaneId, TextInput, Ui, UiOptions};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

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
    /// The platforms refuse everything that is asked about from now on.
    pub denies: bool,
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
            denies: false,
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

    /// Whether something is open that takes text: each dialog does.
    pub fn is_open(&self) -> bool {
        self.ui.wants_text()
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
                    let previous = target.previous;
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
                    // what cannot be read has none
                    if !previous {
                        self.store.apply(Fact::Log(id, items), NOW);
                    }
                    self.store.apply(Fact::TailState(id, TailState::Failed(t("ft"))), NOW);
                }
                Effect::Request(Request::Survey(object, action)) => {
                    let leftover =
                        |kind| Leftover { kind, id: Key::from(self.words.of("lo").as_str()), made: None, name: t("ln"), size: 7 };
                    let found = match action {
                        ActionKind::RotateToken => Found::Swarm(12),
                        ActionKind::RollBack => Found::Earlier([(3, vec![t("x1"), t("x2")]), (2, vec![t("x3")])].into()),
                        ActionKind::Redeploy => Found::Pulls([Pull { container: t("pc"), image: t("pi"), policy: t("pp") }].into()),
                        _ => Found::Leftovers(LeftoverKind::ALL.map(leftover).into()),
                    };
                    let survey = Survey { key: object.key, action, answer: Answer::Found(found) };
                    self.store.apply(Fact::Cluster(object.cluster, Delta::Survey(survey)), NOW);
                }
                Effect::Request(Request::Rights(objects)) => {
                    for object in objects {
                        let kinds = ActionKind::ALL.into_iter().filter(|kind| self.denies && kind.spec().on == object.kind);
                        let denied = kinds.map(|kind| (kind, t("dw"))).collect();
                        let told = Rights { kind: object.kind, key: object.key, denied };
                        self.store.apply(Fact::Cluster(object.cluster, Delta::Rights(told)), NOW);
                    }
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
