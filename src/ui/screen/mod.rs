//! The whole screen: where the operator is, what stands over it, and who gets a key.

use super::cx::{Cx, Narrow, Place};
use super::detail::{About, Detail};
use super::header::Tally;
use super::outcome::{Go, Outcome};
use super::overlay::{self, Overlay};
use super::pane::{PANES, Pane, PaneId};
use super::rights::Rights;
use super::strip::Strip;
use super::view::totals::Totals;
use super::widget::input::TextInput;
use super::{Effect, Moment, Pending, act};
use crate::input::{Command, Keymap, Scope};
use crate::model::{Interest, OpState, Request, Text, World};
use crate::theme::Theme;
use crate::util::time::Timestamp;
use ratatui::layout::Position;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

/// How the screen is set up.
#[derive(Clone, Debug)]
pub struct UiOptions {
    /// Colours to begin with.
    pub theme: Theme,
    /// All themes, in the order `next-theme` goes round; made ready for this terminal.
    pub themes: Vec<Theme>,
    /// The keymap in use, for hints.
    pub keymap: Keymap,
    /// The terminal cannot show anything but ASCII.
    pub ascii: bool,
    /// No action is sent to any cluster.
    pub read_only: bool,
    /// Most objects that one action may be for.
    pub max_bulk: usize,
    /// Secrets may be shown to whoever asks for them: it is a person's own screen, and no picture that is kept.
    pub reveals: bool,
    /// Times in local time (else UTC) to begin with.
    pub local_time: bool,
    /// The pane to begin with.
    pub pane: PaneId,
    /// Where the configuration file is, or would be.
    pub config: Text,
}

struct Said {
    words: Text,
    warning: bool,
    at: Timestamp,
}

/// See the module's description.
pub struct Ui {
    options: UiOptions,
    world: Arc<World>,
    /// There was a picture: before, nobody can say that there are no clusters.
    looked: bool,
    tally: Tally,
    totals: Vec<Totals>,
    place: Place,
    history: Vec<Place>,
    panes: Vec<(PaneId, Box<dyn Pane>)>,
    overlays: Vec<Box<dyn Overlay>>,
    /// How far the topmost one has come on its way to the operator.
    shown: Shown,
    /// The last render had no room for anything.
    small: bool,
    said: Option<Said>,
    pending: Option<Pending>,
    /// Log lines of the cursor's row, below the list.
    strip: Strip,
    /// Asks what is allowed on the cursor's row.
    rights: Rights,
    cursor: Option<Position>,
    /// Details of the cursor's row, beside the list.
    detail: Detail,
    /// What they are about; a moment behind the cursor while it moves.
    about: Option<About>,
    /// Whether they are shown where there is room.
    beside: bool,
    /// When an age that is told in seconds was on screen last.
    young: Cell<Timestamp>,
    /// Columns at the last render.
    width: u16,
    /// The last render had room for log lines below a list.
    roomy: bool,
    /// Where the keymap is looked up on this page, as of the last render.
    scopes: Vec<Scope>,
    /// Rows at the foot of the page are kept for words that a list has to cut. Once kept they stay while one is here, so
    /// that nothing jumps as the cursor moves.
    foot: bool,
}

/// The context of now, borrowing only what panes do not own.
macro_rules! cx {
    ($ui:expr, $moment:expr) => {
        Cx {
            world: &$ui.world,
            place: &$ui.place,
            totals: &$ui.totals,
            theme: &$ui.options.theme,
            keymap: &$ui.options.keymap,
            scopes: &$ui.scopes,
            moment: $moment,
            young: &$ui.young,
            local_time: $ui.options.local_time,
            read_only: $ui.options.read_only,
            max_bulk: $ui.options.max_bulk,
            reveals: $ui.options.reveals,
        }
    };
}

mod copying;
mod draw;
mod journey;
mod shown;

use shown::Shown;

impl Ui {
    /// A screen that knows of nothing yet.
    pub fn new(options: UiOptions) -> Self {
        let place = Place { pane: options.pane, narrow: Narrow::default(), subject: None };
        let panes = PANES.iter().map(|spec| (spec.id, (spec.make)())).collect();
        Self {
            options,
            world: Arc::default(),
            looked: false,
            tally: Tally::default(),
            totals: Vec::new(),
            place,
            history: Vec::new(),
            panes,
            overlays: Vec::new(),
            shown: Shown::default(),
            small: false,
            said: None,
            pending: None,
            strip: Strip::default(),
            rights: Rights::default(),
            cursor: None,
            detail: Detail::default(),
            about: None,
            young: Cell::default(),
            beside: true,
            width: 0,
            roomy: false,
            scopes: Vec::new(),
            foot: false,
        }
    }

    /// Takes the newest picture. True if what is on screen may have changed.
    pub fn sync(&mut self, world: Arc<World>, moment: Moment) -> bool {
        let before = std::mem::replace(&mut self.world, world);
        self.looked = true;
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

    /// Whether an age on screen is told in seconds. What is kept for a second is not asked anew within it.
    pub fn is_young(&self, moment: Moment) -> bool {
        moment.now.since(self.young.get()) < Duration::from_secs(2)
    }

    /// Sums up the clusters that changed.
    fn sum_up(&mut self, before: &World) {
        self.totals.resize(self.world.clusters.len(), Totals::default());
        for (at, (state, totals)) in self.world.clusters.iter().zip(&mut self.totals).enumerate() {
            if before.clusters.get(at).is_none_or(|old| old.cluster.id != state.cluster.id || !Totals::same(old, state)) {
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
        match self.overlays.last() {
            Some(overlay) => overlay.scopes().iter().copied().chain([Scope::Global]).collect(),
            None => self.page_scopes(moment).collect(),
        }
    }

    /// The same without what stands over the page.
    fn page_scopes(&self, moment: Moment) -> impl Iterator<Item = Scope> + use<> {
        let scopes = self.pane().map(|pane| pane.scopes(&cx!(self, moment))).unwrap_or_default();
        scopes.iter().copied().chain([Scope::Global])
    }

    /// Runs a command.
    pub fn command(&mut self, command: Command, moment: Moment) -> Vec<Effect> {
        self.said = None;
        self.pending = None;
        if let Some(why) = self.drops_command(command) {
            self.say(why, true, moment);
            return Vec::new();
        }
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
        self.pending = None;
        if let Some(why) = self.drops_text(&input) {
            self.say(why, true, moment);
            return Vec::new();
        }
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
        self.pending = None;
        self.said = Some(Said { words: words.into(), warning, at: moment.now });
    }

    /// Shows what may follow the keys pressed so far, until the next key; nothing once they were given up.
    pub fn wait_for(&mut self, pending: Option<Pending>) {
        self.said = None;
        self.pending = pending;
    }

    /// What follows the cursor once it rests; to be asked for with every frame.
    pub fn rested(&mut self, moment: Moment) -> Vec<Effect> {
        let object = self.selection(moment);
        let mut effects: Vec<Effect> = self.rights.follow(object.as_ref(), &self.world, moment).into_iter().collect();
        effects.extend(self.strip.follow(object.filter(|_| self.strip.on), moment));
        effects
    }

    /// What must be polled for what is on screen.
    pub fn interest(&self) -> Interest {
        let mut interest = self.pane().map(Pane::interest).unwrap_or_default();
        interest.tasks |= self.world.operations.iter().any(|op| !op.state.ended() && op.state != OpState::Paused);
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
            Outcome::Effects(effects) => self.copying(effects, true, moment),
            Outcome::Go(go) => {
                self.overlays.clear();
                self.go(go, moment)
            }
            Outcome::Act(kind, objects) => {
                match act::open_action(kind, objects.clone(), &cx!(self, moment)) {
                    // an action opens an overlay or says why not; it never asks for an action again
                    Outcome::Act(..) => Vec::new(),
                    // it may be that it was not allowed, and is by now
                    Outcome::Say(words) if objects.len() <= self.options.max_bulk => {
                        self.say(words, true, moment);
                        Rights::ask(&objects, &self.world).into_iter().collect()
                    }
                    outcome => self.settle(outcome, moment),
                }
            }
            Outcome::Preview(dialog, objects) => {
                let mut effects = self.settle(Outcome::Open(dialog), moment);
                effects.extend(Rights::ask(&objects, &self.world));
                effects
            }
            Outcome::Open(overlay) => {
                let asked = overlay.asks();
                self.overlays.push(overlay);
                self.shown = Shown::No;
                asked
            }
            Outcome::Close(effects) => {
                if self.overlays.pop().is_none() {
                    self.back(moment);
                }
                // what was copied from an overlay may be a secret, and is not said
                let effects = self.copying(effects, false, moment);
                if effects.iter().any(|effect| matches!(effect, Effect::Request(Request::Execute { .. } | Request::Bulk { .. })))
                    && let Some(pane) = pane_mut(&mut self.panes, self.place.pane)
                {
                    pane.acted();
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
            Command::LogStrip => self.turn_strip(moment),
            Command::ScopeAll => self.go(Go::Narrow(Narrow::default()), moment),
            command => {
                if let Some(spec) = PANES.iter().find(|spec| spec.command == Some(command)) {
                    return self.go(Go::Pane(spec.id), moment);
                }
                match overlay::opened_by(command, &self.here(moment), &cx!(self, moment)) {
                    Some(overlay) => {
                        self.overlays.push(overlay);
                        self.shown = Shown::No;
                    }
                    None => self.say(format!("{} does nothing here", command.name()), true, moment),
                }
                Vec::new()
            }
        }
    }

    fn turn_strip(&mut self, moment: Moment) -> Vec<Effect> {
        self.strip.on = !self.strip.on;
        if self.strip.on && !Strip::stands_on(self.place.pane) {
            self.say("logs stand below the lists of services and tasks now", false, moment);
        } else if self.strip.on && !self.roomy {
            self.say("there is room for logs below a list from 140 columns and 43 rows on", true, moment);
        }
        Vec::new()
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
}

/// Panes that stand on the page of another where there is room.
fn companions(id: PaneId) -> &'static [PaneId] {
    match id {
        PaneId::Fleet => &[PaneId::Clusters, PaneId::Services],
        PaneId::Clusters | PaneId::Nodes | PaneId::Services | PaneId::Tasks | PaneId::Events => &[PaneId::Fleet],
        _ => &[],
    }
}

fn pane_mut(panes: &mut [(PaneId, Box<dyn Pane>)], id: PaneId) -> Option<&mut Box<dyn Pane>> {
    panes.iter_mut().find(|(held, _)| *held == id).map(|(_, pane)| pane)
}
