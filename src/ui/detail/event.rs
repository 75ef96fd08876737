//! Details of an event, and the last events of what details are about.

use super::sheet::Sheet;
use crate::model::{ClusterState, Event, Key, Kind, ObjectRef, Severity, Table};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::pane::events::concerns;
use crate::util::humanize;
use std::sync::Arc;

/// Events listed with an object.
const LAST: usize = 8;

/// Writes the sheet.
pub fn write(cx: &Cx<'_>, row: &Event, events: &[Arc<Event>], sheet: &mut Sheet) {
    let role = if row.severity == Severity::Warning { Role::Warning } else { Role::Text };
    let count = if row.count > 1 { format!(" · {} times", row.count) } else { String::new() };
    let age = format!(" · {} ago", humanize::age_of(cx.since(row.at)));
    sheet.field("reason", Role::Dim, &[(&row.reason, role), (&age, Role::Dim), (&count, Role::Dim)]);
    sheet.fact("object", &row.object);
    sheet.fact("says", &row.message);
    last(cx, events, sheet);
}

/// Writes the last events of what the details are about, the newest first.
pub fn last(cx: &Cx<'_>, events: &[Arc<Event>], sheet: &mut Sheet) {
    if events.is_empty() {
        return;
    }
    sheet.heading("last events");
    for event in events {
        let role = if event.severity == Severity::Warning { Role::Text } else { Role::Dim };
        let times = if event.count > 1 { format!(" {}×", event.count) } else { String::new() };
        sheet.row(vec![
            (format!(" {:>4} ", humanize::age_of(cx.since(event.at))), Role::Dim),
            (format!("{}{times}", event.reason), if role == Role::Text { Role::Warning } else { role }),
            (format!(" {}", event.message), role),
        ]);
    }
}

/// The last events of one object, found among all of its cluster: again only when one that concerns it has changed.
#[derive(Default)]
pub struct Last {
    among: Option<Among>,
    found: Vec<Arc<Event>>,
}

/// What they were found among.
struct Among {
    object: ObjectRef,
    events: Table<Event>,
    tasks: Option<Arc<Vec<Key>>>,
}

impl Last {
    /// Those of an object, and of the tasks of a service: the newest first.
    pub fn of(&mut self, state: &ClusterState, object: &ObjectRef) -> &[Arc<Event>] {
        let load = (object.kind == Kind::Service).then(|| state.service_loads.get(&object.key)).flatten();
        let tasks = load.map(|load| &load.tasks);
        let same = |among: &Among| {
            among.object == *object && among.tasks.as_ref().map(Arc::as_ptr) == tasks.map(Arc::as_ptr) && !differ(state, among)
        };
        match self.among.as_mut().filter(|among| same(among)) {
            Some(among) => among.events = state.events.clone(),
            None => {
                self.found = newest(state, object);
                let tasks = tasks.cloned();
                self.among = Some(Among { object: object.clone(), events: state.events.clone(), tasks });
            }
        }
        &self.found
    }
}

/// Whether one of the events that concern the object is another now.
fn differ(state: &ClusterState, among: &Among) -> bool {
    let mut differ = false;
    state.events.changes_since(&among.events, |old, new| {
        differ = differ || [old, new].into_iter().flatten().any(|event| concerns(state, event, &among.object));
    });
    differ
}

fn newest(state: &ClusterState, object: &ObjectRef) -> Vec<Arc<Event>> {
    let mut events: Vec<&Arc<Event>> = state.events.iter().filter(|event| concerns(state, event, object)).collect();
    events.sort_unstable_by(|a, b| b.at.cmp(&a.at).then_with(|| a.key.cmp(&b.key)));
    events.into_iter().take(LAST).map(Arc::clone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Change, ClusterId, Delta, TaskState};
    use crate::ui::testing::{Fleet, event, task};

    #[test]
    fn last_events_are_those_of_the_picture_at_hand() {
        let (mut fleet, mut last) = (Fleet::new(), Last::default());
        let id = ClusterId::from("prod-eu");
        let objects = [(Kind::Task, "t-1"), (Kind::Service, "checkout"), (Kind::Service, "none")];
        let objects = objects.map(|(kind, key)| ObjectRef { cluster: id.clone(), kind, key: Key::from(key) });
        let mut told = |fleet: &mut Fleet| -> Vec<Vec<String>> {
            let world = fleet.0.publish().expect("something has changed");
            let state = world.cluster(&id).expect("it is there");
            let keys = |events: &[Arc<Event>]| events.iter().map(|event| event.key.to_string()).collect();
            // of one after the other, and of each twice
            let one = objects.iter().map(|object| {
                let first: Vec<String> = keys(last.of(state, object));
                assert_eq!(first, keys(last.of(state, object)));
                assert_eq!(first, keys(&newest(state, object)));
                first
            });
            one.collect()
        };
        let happened = |fleet: &mut Fleet, key: &str, about, seconds| {
            fleet.to("prod-eu", Delta::Event(Change::Upsert(event(key, Some(about), seconds, "it happened"))));
        };
        happened(&mut fleet, "e1", (Kind::Task, "t-1"), 60);
        assert_eq!(told(&mut fleet), [vec!["e1"], vec![], vec![]], "whose task it is nobody knows");
        fleet.to("prod-eu", Delta::Task(Change::Upsert(task("t-1", "none", None, TaskState::Running))));
        assert_eq!(told(&mut fleet), [vec!["e1"], vec![], vec!["e1"]]);
        happened(&mut fleet, "e2", (Kind::Task, "t-1"), 30);
        happened(&mut fleet, "e3", (Kind::Service, "none"), 20);
        assert_eq!(told(&mut fleet), [vec!["e2", "e1"], vec![], vec!["e3", "e2", "e1"]]);
        fleet.to("prod-eu", Delta::Event(Change::Remove(Key::from("e2"))));
        happened(&mut fleet, "e1", (Kind::Task, "t-1"), 10);
        assert_eq!(told(&mut fleet), [vec!["e1"], vec![], vec!["e1", "e3"]]);
    }

    #[test]
    fn events_are_searched_again_only_for_what_concerns_the_object() {
        let (mut fleet, mut last) = (Fleet::new(), Last::default());
        let object = ObjectRef { cluster: ClusterId::from("prod-eu"), kind: Kind::Service, key: Key::from("none") };
        fleet.to("prod-eu", Delta::Task(Change::Upsert(task("t-1", "none", None, TaskState::Running))));
        fleet.to("prod-eu", Delta::Event(Change::Upsert(event("e1", Some((Kind::Task, "t-1")), 60, "it happened"))));
        let mut found = |fleet: &mut Fleet| {
            let world = fleet.0.publish().expect("something has changed");
            last.of(world.cluster(&object.cluster).expect("it is there"), &object).as_ptr()
        };
        let first = found(&mut fleet);
        fleet.to("prod-eu", Delta::Event(Change::Upsert(event("e2", Some((Kind::Task, "t-2")), 30, "elsewhere"))));
        fleet.to("prod-eu", Delta::Task(Change::Upsert(task("t-1", "none", None, TaskState::Starting))));
        assert_eq!(found(&mut fleet), first, "kept");
        fleet.to("prod-eu", Delta::Event(Change::Upsert(event("e1", Some((Kind::Task, "t-1")), 10, "again"))));
        assert_ne!(found(&mut fleet), first, "searched");
    }
}
