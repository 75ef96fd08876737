//! Log lines of the row under the cursor, below the lists of services and tasks where the screen is large. It is there
//! once asked for, follows the cursor when that has rested, and shows lines of that row or none.

use super::cx::Cx;
use super::pane::{PaneId, logs};
use super::widget::title;
use super::{Effect, Moment};
use crate::model::{Kind, LogTarget, ObjectRef, Request, TailId};
use crate::theme::Role;
use crate::util::time::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::time::Duration;

/// A cursor that stays this long on a row rests there.
const REST: Duration = Duration::from_millis(700);
/// The log view numbers its tails from one; these are never among them.
const NUMBERS: u64 = 1 << 63;

/// See the module's description.
#[derive(Debug, Default)]
pub struct Strip {
    /// Whether it was asked for.
    pub on: bool,
    /// Whether the last frame had a place for it.
    pub shown: bool,
    opened: u64,
    tail: Option<(TailId, ObjectRef)>,
    /// Where the cursor is, and since when.
    rests: Option<(ObjectRef, Timestamp)>,
}

impl Strip {
    /// Whether it may stand on the page of this pane.
    pub fn stands_on(pane: PaneId) -> bool {
        matches!(pane, PaneId::Services | PaneId::Tasks)
    }

    /// Takes where the cursor is now. What is open for another row is closed at once; this row's is opened once the
    /// cursor has rested.
    pub fn follow(&mut self, object: Option<ObjectRef>, moment: Moment) -> Vec<Effect> {
        let object = object.filter(|object| self.on && self.shown && matches!(object.kind, Kind::Service | Kind::Task));
        let mut effects = Vec::new();
        if let Some((id, _)) = self.tail.take_if(|(_, of)| object.as_ref() != Some(of)) {
            effects.push(Effect::Request(Request::Untail(id)));
        }
        let Some(object) = object else {
            self.rests = None;
            return effects;
        };
        let since = match &self.rests {
            Some((held, since)) if *held == object => *since,
            _ => moment.now,
        };
        if self.tail.is_none() && moment.now.since(since) >= REST {
            self.opened += 1;
            let id = TailId(NUMBERS + self.opened);
            self.tail = Some((id, object.clone()));
            let target = LogTarget { object: object.clone(), container: None, previous: false };
            effects.push(Effect::Request(Request::Tail { id, target }));
        }
        self.rests = Some((object, since));
        effects
    }

    /// Draws the last lines of this object's log.
    pub fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, object: Option<&ObjectRef>) {
        let open = self.tail.as_ref().filter(|(_, of)| object == Some(of));
        let tail = open.and_then(|(id, _)| cx.world.tail(*id));
        let body = title::title(buf, area, cx, "logs", false, |pen| {
            if let Some(object) = object {
                title::part(pen, cx, cx.name_of(object), Role::Strong);
                logs::state(pen, cx, tail, "following");
            }
        });
        if let Some(tail) = tail {
            logs::last_lines(tail, body, buf, cx);
        }
    }
}
