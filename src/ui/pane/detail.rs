//! The detail pane: details in place of the list, where there is no room beside it.

use super::{Pane, PaneId, scopes_of};
use crate::input::{Command, Scope};
use crate::model::{Interest, Kind, ObjectRef, Text};
use crate::ui::act;
use crate::ui::cx::{Cx, Subject};
use crate::ui::detail::{About, Detail};
use crate::ui::outcome::{Go, Outcome};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// See the module's description. What it is about is the place's subject; without one, the cluster it is narrowed to.
#[derive(Default)]
pub struct DetailPane {
    detail: Detail,
}

fn about(cx: &Cx<'_>) -> Option<About> {
    let cluster = || cx.place.narrow.cluster.clone().map(About::Cluster);
    cx.place.subject.as_ref().map(|subject| About::Object(subject.object.clone())).or_else(cluster)
}

impl Pane for DetailPane {
    fn sync(&mut self, _cx: &Cx<'_>) -> bool {
        true
    }

    fn command(&mut self, command: Command, cx: &Cx<'_>) -> Outcome {
        let page = isize::try_from(self.detail.page().max(2) - 1).unwrap_or(1);
        let open = |pane| match self.selection(cx) {
            Some(object) => Outcome::Go(Go::For(pane, Subject::of(object))),
            None => Outcome::Ignored,
        };
        match command {
            Command::Up => self.detail.scroll(-1),
            Command::Down => self.detail.scroll(1),
            Command::PageUp => self.detail.scroll(-page),
            Command::PageDown => self.detail.scroll(page),
            Command::Top => self.detail.scroll(isize::MIN),
            Command::Bottom => self.detail.scroll(isize::MAX / 2),
            Command::Detail => return Outcome::Close(Vec::new()),
            Command::Inspect => return open(PaneId::Document),
            Command::Logs => return open(PaneId::Logs),
            Command::Metrics => return open(PaneId::Metrics),
            Command::Events => return open(PaneId::Events),
            Command::Tasks => return open(PaneId::Tasks),
            Command::LogsPrevious => {
                return match self.selection(cx) {
                    Some(object) => Outcome::Go(Go::For(PaneId::Logs, Subject { object, previous: true })),
                    None => Outcome::Ignored,
                };
            }
            Command::Open => {
                return match self.selection(cx) {
                    Some(object) if object.kind == Kind::Task => open(PaneId::Logs),
                    Some(_) => open(PaneId::Tasks),
                    None => cx.place.narrow.cluster.clone().map_or(Outcome::Ignored, |id| Outcome::Go(Go::Cluster(id))),
                };
            }
            Command::Copy => {
                return Outcome::Effects(vec![crate::ui::Effect::Copy(match about(cx) {
                    Some(About::Object(object)) => {
                        let state = cx.world.cluster(&object.cluster);
                        let name = state.and_then(|state| crate::ui::view::naming::plain(state, object.kind, &object.key));
                        name.map(|name| name.to_string()).unwrap_or_default()
                    }
                    Some(About::Cluster(id)) => Text::new(&id).to_string(),
                    None => return Outcome::Handled,
                })]);
            }
            command => {
                return match act::kind_of(command) {
                    Some(kind) => Outcome::Act(kind, self.targets(cx)),
                    None => Outcome::Ignored,
                };
            }
        }
        Outcome::Handled
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, focus: bool) {
        self.detail.render(area, buf, cx, about(cx).as_ref(), focus);
    }

    fn selection(&self, cx: &Cx<'_>) -> Option<ObjectRef> {
        let subject = &cx.place.subject.as_ref()?.object;
        if subject.kind != Kind::Event {
            return Some(subject.clone());
        }
        // what is done on an event is done on what it is about
        let (kind, key) = cx.world.cluster(&subject.cluster)?.events.get(&subject.key)?.about.clone()?;
        Some(ObjectRef { cluster: subject.cluster.clone(), kind, key })
    }

    fn scopes(&self, cx: &Cx<'_>) -> &'static [Scope] {
        scopes_of(self.selection(cx).map(|object| object.kind))
    }

    fn hints(&self, cx: &Cx<'_>) -> &'static [Command] {
        match self.selection(cx).map(|object| object.kind) {
            Some(Kind::Service) => {
                &[Command::Back, Command::Open, Command::Logs, Command::Scale, Command::Redeploy, Command::RollBack]
            }
            Some(Kind::Task) => &[Command::Back, Command::Logs, Command::Reschedule, Command::DeleteTask, Command::Inspect],
            Some(Kind::Node) => &[Command::Back, Command::Open, Command::PauseNode, Command::ActivateNode, Command::EvacuateNode],
            Some(Kind::Event) | None => &[Command::Back, Command::Open],
        }
    }

    fn interest(&self) -> Interest {
        Interest { usage: true, tasks: true }
    }
}
