//! The whole screen: where the operator is, what stands over it, and who gets a key.

use super::cx::{Cx, Hints, Narrow, Place};
use super::detail::{About, Detail};
use super::header::{self, Tally};
use super::outcome::{Go, Outcome};
use super::overlay::{self, Overlay};
use super::pane::clusters::Totals;
use super::pane::{PANES, Pane, PaneId};
use super::view::naming;
use super::widget::input::TextInput;
use super::widget::pen::{self, Pen};
use super::{Effect, Moment, Subject, act, ascii, keyrow, layout};
use crate::input::{Command, Scope};
use crate::model::{Interest, Kind, ObjectRef, Request, Text, World};
use crate::theme::{Role, Theme};
use crate::util::time::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::sync::Arc;
use std::time::Duration;

/// How the screen is set up.
#[derive(Clone, Debug)]
pub struct UiOptions {
    /// Colours to begin with.
    pub theme: Theme,
    /// All themes, in the order `next-theme` goes round; made ready for this terminal.
    pub themes: Vec<Theme>,
    /// The keys of the keymap in use, for hints.
    pub hints: Hints,
    /// The terminal cannot show anything but ASCII.
    pub ascii: bool,
    /// No action is sent to any cluster.
    pub read_only: bool,
    /// Times in local time (else UTC) to begin with.
    pub local_time: bool,
    /// The pane to begin with.
    pub pane: PaneId,
}

/// Steps back that are remembered.
const HISTORY: usize = 50;
/// How long something said stands in the last row.
const SAID: Duration = Duration::from_secs(6);
/// Below this there is no room for anything honest.
const LEAST: (u16, u16) = (40, 10);

struct Said {
    words: Text,
    warning: bool,
    at: Timestamp,
}

/// See the module's description.
pub struct Ui {
    options: UiOptions,
    world: Arc<World>,
    tally: Tally,
    totals: Vec<Totals>,
    place: Place,
    history: Vec<Place>,
    panes: Vec<(PaneId, Box<dyn Pane>)>,
    overlays: Vec<Box<dyn Overlay>>,
    said: Option<Said>,
    cursor: Option<Position>,
    /// Details of the cursor's row, beside the list.
    detail: Detail,
    /// Whether they are shown where there is room.
    beside: bool,
    /// Columns at the last render.
    width: u16,
}

/// How a pane is drawn into its place.
enum How {
    /// It has the keys.
    Page,
    /// It stands on another's page.
    Companion,
    /// It is the head of another's page.
    Strip,
}

/// The context of now, borrowing only what panes do not own.
macro_rules! cx {
    ($ui:expr, $moment:expr) => {
        Cx {
            world: &$ui.world,
            place: &$ui.place,
            totals: &$ui.totals,
            theme: &$ui.options.theme,
            hints: &$ui.options.hints,
            moment: $moment,
            local_time: $ui.options.local_time,
            read_only: $ui.options.read_only,
        }
    };
}

impl Ui {
    /// A screen that knows of nothing yet.
    pub fn new(options: UiOptions) -> Self {
        let place = Place { pane: options.pane, narrow: Narrow::default(), subject: None };
        let panes = PANES.iter().map(|spec| (spec.id, (spec.make)())).collect();
        Self {
            options,
            world: Arc::default(),
            tally: Tally::default(),
            totals: Vec::new(),
            place,
            history: Vec::new(),
            panes,
            overlays: Vec::new(),
            said: None,
            cursor: None,
            detail: Detail::default(),
            beside: true,
            width: 0,
        }
    }

    /// Takes the newest picture. True if what is on screen may have changed.
    pub fn sync(&mut self, world: Arc<World>, moment: Moment) -> bool {
        let before = std::mem::replace(&mut self.world, world);
        let tally = Tally::of(&self.world);
        let mut changed = tally != self.tally
            || before.notices.len() != self.world.notices.len()
            || before.operations.len() != self.world.operations.len()
            || before.operations.iter().zip(&self.world.operations).any(|(a, b)| !Arc::ptr_eq(a, b));
        self.tally = tally;
        self.sum_up(&before);
        let cx = cx!(self, moment);
        for overlay in &mut self.overlays {
            overlay.sync(&cx);
            changed = true;
        }
        changed | self.sync_pane(moment)
    }

    /// Sums up the clusters that changed.
    fn sum_up(&mut self, before: &World) {
        self.totals.resize(self.world.clusters.len(), Totals::default());
        for (at, (state, totals)) in self.world.clusters.iter().zip(&mut self.totals).enumerate() {
            if before.clusters.get(at).is_none_or(|old| !Arc::ptr_eq(old, state)) {
                *totals = Totals::of(state);
            }
        }
    }

    fn sync_pane(&mut self, moment: Moment) -> bool {
        let cx = cx!(self, moment);
        let mut changed = false;
        for id in std::iter::once(cx.place.pane).chain(companions(cx.place.pane).iter().copied()) {
            if let Some(pane) = pane_mut(&mut self.panes, id) {
                changed |= pane.sync(&cx);
            }
        }
        changed
    }

    /// Whether typed characters go to [`Ui::text`] instead of the keymap.
    pub fn wants_text(&self) -> bool {
        match self.overlays.last() {
            Some(overlay) => overlay.wants_text(),
            None => self.pane().is_some_and(Pane::wants_text),
        }
    }

    /// Where the keymap is looked up now, most special first.
    pub fn scopes(&self, moment: Moment) -> Vec<Scope> {
        let mut scopes = match self.overlays.last() {
            Some(overlay) => overlay.scopes().to_vec(),
            None => self.pane().map(|pane| pane.scopes(&cx!(self, moment)).to_vec()).unwrap_or_default(),
        };
        scopes.push(Scope::Global);
        scopes
    }

    /// Runs a command.
    pub fn command(&mut self, command: Command, moment: Moment) -> Vec<Effect> {
        self.said = None;
        let cx = cx!(self, moment);
        if let Some(overlay) = self.overlays.last_mut() {
            let outcome = match overlay.command(command, &cx) {
                Outcome::Ignored if command == Command::Back => Outcome::Close(Vec::new()),
                Outcome::Ignored if matches!(command, Command::Quit | Command::Suspend | Command::Redraw) => {
                    return self.own(command, moment);
                }
                outcome => outcome,
            };
            return self.settle(outcome, moment);
        }
        let outcome = pane_mut(&mut self.panes, cx.place.pane).map_or(Outcome::Ignored, |pane| pane.command(command, &cx));
        match outcome {
            Outcome::Ignored => self.own(command, moment),
            outcome => self.settle(outcome, moment),
        }
    }

    /// Takes a typed character, a paste or an editing key, while [`Ui::wants_text`].
    pub fn text(&mut self, input: TextInput, moment: Moment) -> Vec<Effect> {
        self.said = None;
        let cx = cx!(self, moment);
        let outcome = match self.overlays.last_mut() {
            Some(overlay) => match overlay.text(input.clone(), &cx) {
                Outcome::Ignored if input == TextInput::Escape => Outcome::Close(Vec::new()),
                outcome => outcome,
            },
            None => pane_mut(&mut self.panes, cx.place.pane).map_or(Outcome::Ignored, |pane| pane.text(input, &cx)),
        };
        self.settle(outcome, moment)
    }

    /// Says something in the last row for a few seconds.
    pub fn say(&mut self, words: impl Into<Text>, warning: bool, moment: Moment) {
        self.said = Some(Said { words: words.into(), warning, at: moment.now });
    }

    /// What must be polled for what is on screen.
    pub fn interest(&self) -> Interest {
        let mut interest = self.pane().map(Pane::interest).unwrap_or_default();
        interest.tasks |= self.world.operations.iter().any(|op| !op.state.ended());
        interest
    }

    /// Where the terminal's cursor stands after the last render; none hides it.
    pub fn cursor(&self) -> Option<Position> {
        self.cursor
    }

    /// The name of the theme in use.
    pub fn theme(&self) -> &str {
        &self.options.theme.name
    }

    fn pane(&self) -> Option<&dyn Pane> {
        self.panes.iter().find(|(id, _)| *id == self.place.pane).map(|(_, pane)| &**pane)
    }

    fn settle(&mut self, outcome: Outcome, moment: Moment) -> Vec<Effect> {
        match outcome {
            Outcome::Ignored | Outcome::Handled => Vec::new(),
            Outcome::Effects(effects) => {
                if let Some(Effect::Copy(text)) = effects.first() {
                    let words = match text.lines().count() {
                        0 | 1 => format!("copied {text}"),
                        n => format!("copied {n} names"),
                    };
                    self.say(words, false, moment);
                }
                effects
            }
            Outcome::Go(go) => {
                self.overlays.clear();
                self.go(go, moment)
            }
            Outcome::Act(kind, objects) => {
                let outcome = act::open_action(kind, objects, &cx!(self, moment));
                // an action opens an overlay or says why not; it never asks for an action again
                if matches!(outcome, Outcome::Act(..)) { Vec::new() } else { self.settle(outcome, moment) }
            }
            Outcome::Open(overlay) => {
                self.overlays.push(overlay);
                Vec::new()
            }
            Outcome::Close(effects) => {
                if self.overlays.pop().is_none() {
                    self.back(moment);
                }
                effects
            }
            Outcome::Run(command) => {
                self.overlays.clear();
                self.command(command, moment)
            }
            Outcome::Say(words) => {
                self.say(words, true, moment);
                Vec::new()
            }
        }
    }

    fn own(&mut self, command: Command, moment: Moment) -> Vec<Effect> {
        match command {
            Command::Quit => vec![Effect::Quit],
            Command::Suspend => vec![Effect::Suspend],
            Command::Redraw => vec![Effect::Redraw],
            Command::Back => self.back(moment),
            Command::Reconnect => {
                self.say("connecting to all clusters that are away", false, moment);
                vec![Effect::Request(Request::Reconnect)]
            }
            Command::ToggleTime => {
                self.options.local_time = !self.options.local_time;
                self.say(if self.options.local_time { "times are local now" } else { "times are UTC now" }, false, moment);
                Vec::new()
            }
            Command::NextTheme => self.next_theme(moment),
            Command::PaneNext => self.step(1, moment),
            Command::PanePrevious => self.step(-1, moment),
            Command::Detail => self.details(moment),
            Command::ScopeAll => self.go(Go::Narrow(Narrow::default()), moment),
            Command::ScopeCluster => self.narrow_cluster(moment),
            Command::ScopeNamespace => self.narrow_namespace(moment),
            command => {
                if let Some(spec) = PANES.iter().find(|spec| spec.command == Some(command)) {
                    return self.go(Go::Pane(spec.id), moment);
                }
                match overlay::opened_by(command, &cx!(self, moment)) {
                    Some(overlay) => self.overlays.push(overlay),
                    None => self.say(format!("{} does nothing here", command.name()), true, moment),
                }
                Vec::new()
            }
        }
    }

    fn next_theme(&mut self, moment: Moment) -> Vec<Effect> {
        let themes = &self.options.themes;
        let at = themes.iter().position(|theme| theme.name == self.options.theme.name).map_or(0, |at| at + 1);
        if let Some(theme) = themes.get(at % themes.len().max(1)) {
            self.options.theme = theme.clone();
        }
        self.say(format!("theme {}", self.options.theme.name), false, moment);
        vec![Effect::Redraw]
    }

    fn step(&mut self, by: isize, moment: Moment) -> Vec<Effect> {
        let tabs: Vec<PaneId> = PANES.iter().filter(|spec| spec.command.is_some()).map(|spec| spec.id).collect();
        let count = isize::try_from(tabs.len()).unwrap_or(1).max(1);
        let at = tabs.iter().position(|id| *id == self.place.pane).and_then(|at| isize::try_from(at).ok()).unwrap_or(0);
        let next = usize::try_from((at + by).rem_euclid(count)).unwrap_or(0);
        match tabs.get(next) {
            Some(id) => self.go(Go::Pane(*id), moment),
            None => Vec::new(),
        }
    }

    /// Shows or hides the details beside the list; where there is no room beside it, goes to them.
    fn details(&mut self, moment: Moment) -> Vec<Effect> {
        let Some(pane) = self.pane() else { return Vec::new() };
        if pane.has_detail() && self.width >= layout::WIDE {
            self.beside = !self.beside;
            return Vec::new();
        }
        match pane.about(&cx!(self, moment)) {
            Some(About::Object(object)) => self.go(Go::For(PaneId::Detail, Subject::of(object)), moment),
            Some(About::Cluster(id)) => {
                let narrow = Narrow { cluster: Some(id), namespace: None };
                self.visit(Place { pane: PaneId::Detail, narrow, subject: None }, moment)
            }
            None => {
                self.say("there is nothing under the cursor", true, moment);
                Vec::new()
            }
        }
    }

    fn narrow_cluster(&mut self, moment: Moment) -> Vec<Effect> {
        let here = self.pane().and_then(|pane| pane.cluster(&cx!(self, moment)));
        let narrow = match (&self.place.narrow.cluster, here) {
            (Some(_), _) => Narrow::default(),
            (None, Some(cluster)) => Narrow { cluster: Some(cluster), namespace: self.place.narrow.namespace.clone() },
            (None, None) => {
                self.say("put the cursor on a row of the cluster to narrow to", true, moment);
                return Vec::new();
            }
        };
        self.go(Go::Narrow(narrow), moment)
    }

    fn narrow_namespace(&mut self, moment: Moment) -> Vec<Effect> {
        let cluster = self.place.narrow.cluster.clone();
        if self.place.narrow.namespace.is_some() {
            return self.go(Go::Narrow(Narrow { cluster, namespace: None }), moment);
        }
        let namespace = self.selection(moment).and_then(|object| {
            let state = self.world.cluster(&object.cluster)?;
            naming::namespace(state, object.kind, &object.key).filter(|namespace| !namespace.is_empty())
        });
        match namespace {
            Some(namespace) => self.go(Go::Narrow(Narrow { cluster, namespace: Some(namespace) }), moment),
            None => {
                self.say("the row under the cursor is in no namespace", true, moment);
                Vec::new()
            }
        }
    }

    fn selection(&self, moment: Moment) -> Option<ObjectRef> {
        self.pane()?.selection(&cx!(self, moment))
    }

    fn go(&mut self, go: Go, moment: Moment) -> Vec<Effect> {
        let narrow = self.place.narrow.clone();
        let (place, point_at) = match go {
            Go::Pane(pane) => (Place { pane, narrow, subject: None }, None),
            Go::For(pane, subject) => (Place { pane, narrow, subject: Some(subject) }, None),
            Go::Cluster(id) => {
                let narrow = Narrow { cluster: Some(id), namespace: None };
                (Place { pane: PaneId::Services, narrow, subject: None }, None)
            }
            Go::Narrow(narrow) => (Place { narrow, ..self.place.clone() }, None),
            Go::To(object) => {
                let pane = match object.kind {
                    Kind::Node => PaneId::Nodes,
                    Kind::Service => PaneId::Services,
                    Kind::Task => PaneId::Tasks,
                    Kind::Event => PaneId::Events,
                };
                let narrow =
                    if narrow.admits_cluster(&object.cluster) { Narrow { namespace: None, ..narrow } } else { Narrow::default() };
                (Place { pane, narrow, subject: None }, Some(object))
            }
        };
        let effects = self.visit(place, moment);
        if let Some(object) = point_at {
            let cx = cx!(self, moment);
            if let Some(pane) = pane_mut(&mut self.panes, cx.place.pane) {
                pane.point_at(&object, &cx);
            }
        }
        effects
    }

    /// Goes to a place; the way back is remembered.
    fn visit(&mut self, place: Place, moment: Moment) -> Vec<Effect> {
        if !self.panes.iter().any(|(id, _)| *id == place.pane) {
            self.say("there is no such pane in this build", true, moment);
            return Vec::new();
        }
        if place == self.place {
            return Vec::new();
        }
        self.history.push(self.place.clone());
        if self.history.len() > HISTORY {
            self.history.remove(0);
        }
        self.enter(place, moment)
    }

    fn enter(&mut self, place: Place, moment: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        let cx = cx!(self, moment);
        if let Some(Outcome::Effects(left)) = pane_mut(&mut self.panes, cx.place.pane).map(|pane| pane.leave(&cx)) {
            effects.extend(left);
        }
        self.place = place;
        let cx = cx!(self, moment);
        let entered = pane_mut(&mut self.panes, cx.place.pane).map(|pane| pane.enter(&cx));
        match entered {
            Some(Outcome::Effects(more)) => effects.extend(more),
            Some(Outcome::Say(words)) => self.say(words, true, moment),
            _ => {}
        }
        self.sync_pane(moment);
        effects
    }

    fn back(&mut self, moment: Moment) -> Vec<Effect> {
        match self.history.pop() {
            Some(place) => self.enter(place, moment),
            None => {
                let home = Place { pane: PaneId::Fleet, narrow: Narrow::default(), subject: None };
                if self.place == home {
                    let key = self.options.hints.key(Command::Quit).unwrap_or("ctrl-c").to_owned();
                    self.say(format!("this is the first page; {key} leaves Quarterdeck"), false, moment);
                    return Vec::new();
                }
                self.enter(home, moment)
            }
        }
    }

    /// Draws the pane and what stands with it.
    fn page(&mut self, body: Rect, buf: &mut Buffer, moment: Moment) {
        let cx = cx!(self, moment);
        let focus = self.overlays.is_empty();
        let id = cx.place.pane;
        let Some(pane) = self.pane() else { return };
        let lists = pane.has_detail();
        let about = if lists { pane.about(&cx) } else { None };
        let (main, side) = layout::columns(body, lists && self.beside);
        let troubles = rows(&self.panes, PaneId::Fleet);
        let mut draw = |id: PaneId, area: Rect, buf: &mut Buffer, how: How| {
            if area.height == 0 {
                return;
            }
            if let Some(pane) = pane_mut(&mut self.panes, id) {
                match how {
                    How::Page => pane.render(area, buf, &cx, focus),
                    How::Companion => pane.render(area, buf, &cx, false),
                    How::Strip => pane.strip(area, buf, &cx),
                }
            }
        };
        let mut side_top = body.y;
        if id == PaneId::Fleet {
            let [trouble, clusters, services] = layout::fleet(main, troubles, cx.world.clusters.len());
            draw(PaneId::Fleet, trouble, buf, How::Page);
            draw(PaneId::Clusters, clusters, buf, How::Companion);
            draw(PaneId::Services, services, buf, How::Companion);
        } else if lists {
            let (strip, rest) = layout::strip(body, troubles);
            if let Some(strip) = strip {
                draw(PaneId::Fleet, strip, buf, How::Strip);
            }
            side_top = rest.y;
            draw(id, Rect { y: rest.y, height: rest.height, ..main }, buf, How::Page);
        } else {
            draw(id, body, buf, How::Page);
        }
        if let Some(side) = side {
            let side = Rect { y: side_top, height: body.bottom().saturating_sub(side_top), ..side };
            self.detail.render(side, buf, &cx, about.as_ref(), false);
            let rule = cx.style(Role::Rule);
            for y in side.top()..side.bottom() {
                let symbol = if y == side.top() { "┬" } else { "│" };
                Pen::new(buf, Rect { x: side.x - 1, width: 1, ..side }, y).put(symbol, rule);
            }
        }
    }

    /// Draws the whole screen into `area`, of any size.
    pub fn render(&mut self, area: Rect, buf: &mut Buffer, moment: Moment) {
        let area = area.intersection(buf.area);
        let cx = cx!(self, moment);
        pen::clear(buf, area, cx.style(Role::Text));
        self.cursor = None;
        if area.width < LEAST.0 || area.height < LEAST.1 {
            Pen::new(buf, area, area.y).put(&format!("terminal too small ({}x{})", area.width, area.height), cx.style(Role::Text));
            return;
        }
        header::draw(area, area.y, buf, &cx, &self.tally);
        let tabs = u16::from(area.width >= header::TABS);
        if tabs > 0 {
            header::tabs(area, area.y + 1, buf, &cx);
        }
        let body = Rect { y: area.y + 1 + tabs, height: area.height - 2 - tabs, ..area };
        self.width = area.width;
        self.page(body, buf, moment);
        let cx = cx!(self, moment);
        let mut hints: &[Command] = &[];
        let mut list = false;
        if let Some(pane) = pane_mut(&mut self.panes, cx.place.pane) {
            self.cursor = pane.cursor();
            hints = pane.hints(&cx);
            list = pane.has_detail();
        }
        let last = area.bottom() - 1;
        let said = self.said.as_ref().filter(|said| cx.since(said.at) < SAID).map(|said| (&said.words, said.warning));
        let noticed = cx.world.notices.last().filter(|n| cx.since(n.at) < SAID).map(|n| (&n.text, n.warning));
        match said.or(noticed) {
            Some((words, warning)) => keyrow::say(area, last, buf, &cx, words, warning),
            None => keyrow::draw(area, last, buf, &cx, hints, list),
        }
        for overlay in &mut self.overlays {
            overlay.render(area, buf, &cx);
            self.cursor = overlay.cursor();
        }
        if self.options.ascii {
            ascii::to_ascii(buf);
        }
    }
}

/// Panes that stand on the page of another where there is room.
fn companions(id: PaneId) -> &'static [PaneId] {
    match id {
        PaneId::Fleet => &[PaneId::Clusters, PaneId::Services],
        PaneId::Clusters | PaneId::Nodes | PaneId::Services | PaneId::Tasks | PaneId::Events => &[PaneId::Fleet],
        _ => &[],
    }
}

fn rows(panes: &[(PaneId, Box<dyn Pane>)], id: PaneId) -> usize {
    panes.iter().find(|(held, _)| *held == id).map_or(0, |(_, pane)| pane.rows())
}

fn pane_mut(panes: &mut [(PaneId, Box<dyn Pane>)], id: PaneId) -> Option<&mut Box<dyn Pane>> {
    panes.iter_mut().find(|(held, _)| *held == id).map(|(_, pane)| pane)
}
