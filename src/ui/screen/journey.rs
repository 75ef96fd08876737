//! Where the operator goes, and the way back.

use super::{Ui, pane_mut};
use crate::input::Command;
use crate::model::{Kind, ObjectRef};
use crate::ui::cx::{Cx, Narrow, Place, Subject};
use crate::ui::detail::About;
use crate::ui::outcome::{Go, Outcome};
use crate::ui::overlay::Here;
use crate::ui::pane::{PANES, PaneId};
use crate::ui::view::naming;
use crate::ui::{Effect, Moment, layout};

/// Steps back that are remembered.
const HISTORY: usize = 50;

impl Ui {
    pub(super) fn step(&mut self, by: isize, moment: Moment) -> Vec<Effect> {
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
    pub(super) fn details(&mut self, moment: Moment) -> Vec<Effect> {
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

    /// What an overlay would be opened over.
    pub(super) fn here(&self, moment: Moment) -> Here {
        let cx = cx!(self, moment);
        let namespace = self.selection(moment).and_then(|object| {
            let state = self.world.cluster(&object.cluster)?;
            naming::namespace(state, object.kind, &object.key).filter(|namespace| !namespace.is_empty())
        });
        Here {
            scopes: self.scopes(moment),
            targets: self.pane().map(|pane| pane.targets(&cx)).unwrap_or_default(),
            cluster: self.pane().and_then(|pane| pane.cluster(&cx)),
            namespace,
        }
    }

    pub(super) fn selection(&self, moment: Moment) -> Option<ObjectRef> {
        self.pane()?.selection(&cx!(self, moment))
    }

    pub(super) fn go(&mut self, go: Go, moment: Moment) -> Vec<Effect> {
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
    pub(super) fn visit(&mut self, place: Place, moment: Moment) -> Vec<Effect> {
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

    pub(super) fn enter(&mut self, place: Place, moment: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        let cx = cx!(self, moment);
        if let Some(Outcome::Effects(left)) = pane_mut(&mut self.panes, cx.place.pane).map(|pane| pane.leave(&cx)) {
            effects.extend(left);
        }
        self.place = place;
        self.about = None;
        self.foot = false;
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

    pub(super) fn back(&mut self, moment: Moment) -> Vec<Effect> {
        match self.history.pop() {
            Some(place) => self.enter(place, moment),
            None => {
                let home = Place { pane: PaneId::Fleet, narrow: Narrow::default(), subject: None };
                if self.place == home {
                    let key = self.options.keymap.key_for(Command::Quit, &self.scopes(moment)).unwrap_or("ctrl-c");
                    self.say(format!("this is the first page; {key} leaves Quarterdeck"), false, moment);
                    return Vec::new();
                }
                self.enter(home, moment)
            }
        }
    }
}
