//! What an action would do, and the last word before it is done.
//!
//! The dialog is bound to the objects as they were when it opened (unique id and specification). An object that is
//! another one by now, or has another specification, makes it refuse: what was read is no longer what would happen.

mod draw;

use super::Overlay;
use super::entry::Entry;
use crate::analysis::preview::{Preview, preview, together};
use crate::input::Command;
use crate::model::{Action, Bound, Danger, Intent, Kind, ObjectRef, Request, Text, World};
use crate::ui::Effect;
use crate::ui::cx::Cx;
use crate::ui::outcome::Outcome;
use crate::ui::widget::input::{LineEdit, TextInput};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// An object the action is for.
struct Target {
    object: ObjectRef,
    /// As it was when the dialog opened.
    bound: Bound,
    name: Text,
    preview: Result<Preview, Text>,
    /// What became of it since, once it is no longer what was seen. Never taken back.
    changed: Option<&'static str>,
}

fn title(target: &Target) -> Option<&Text> {
    target.preview.as_ref().ok().map(|preview| &preview.title)
}

/// See the module's description.
pub struct Confirm {
    action: Action,
    targets: Vec<Target>,
    /// Objects that were asked for too but cannot be acted on, and why.
    left_out: Vec<(Text, Text)>,
    /// Why it cannot be done to all of them, though it could be to each.
    together: Option<Text>,
    /// Never falls while the dialog is open.
    danger: Danger,
    /// The parameter under edit, for actions that take one.
    entry: Option<Entry>,
    /// Typed characters are the parameter's (else the name's).
    in_entry: bool,
    typed: LineEdit,
    /// Of several: begin no more once one has failed.
    stop: bool,
    /// What stands in the way of the last try, in words.
    hint: Option<Text>,
    scroll: usize,
    cursor: Option<Position>,
}

impl Confirm {
    /// A dialog for an action on these objects; or why it cannot be done on any of them.
    pub fn new(action: Action, objects: &[ObjectRef], cx: &Cx<'_>) -> Result<Self, Text> {
        let mut targets = Vec::new();
        let mut left_out = Vec::new();
        for object in objects {
            match preview(cx.world, object, &action) {
                Ok(preview) => targets.push(Target {
                    object: object.clone(),
                    bound: preview.bound.clone(),
                    name: preview.name.clone(),
                    preview: Ok(preview),
                    changed: None,
                }),
                Err(why) => left_out.push((cx.name_of(object).text(), why)),
            }
        }
        // in the order people look for them, not in that of their ids
        targets.sort_by(|a, b| (&a.object.cluster, title(a)).cmp(&(&b.object.cluster, title(b))));
        if targets.is_empty() {
            let label = action.kind().spec().label;
            return Err(match left_out.first() {
                Some((name, why)) if left_out.len() == 1 => Text::from(format!("cannot {label} {name}: {why}")),
                Some((_, why)) => Text::from(format!("cannot {label} any of these {}: {why}", left_out.len())),
                None => Text::from(format!("there is nothing to {label}")),
            });
        }
        let objects: Vec<ObjectRef> = targets.iter().map(|target| target.object.clone()).collect();
        let entry = Entry::of(&action, &objects, cx.world);
        let in_entry = entry.as_ref().is_some_and(Entry::takes_text);
        let mut dialog = Self {
            danger: action.kind().spec().danger,
            action,
            targets,
            left_out,
            together: None,
            entry,
            in_entry,
            typed: LineEdit::default(),
            stop: true,
            hint: None,
            scroll: 0,
            cursor: None,
        };
        dialog.count(cx.world);
        dialog.raise();
        Ok(dialog)
    }

    /// What must be typed where the name must be typed.
    fn word(&self) -> String {
        match self.targets.as_slice() {
            [one] => one.name.to_string(),
            many => format!("{} {}s", many.len(), self.action.kind().spec().on.word()),
        }
    }

    fn raise(&mut self) {
        let worst = self.targets.iter().filter_map(|t| t.preview.as_ref().ok()).map(|p| p.danger).max();
        self.danger = match self.entry {
            // with or without its image pulled it is the same act
            Some(Entry::Pull(_)) | None => self.danger.max(worst.unwrap_or(self.danger)),
            // another parameter is another act: it is as dangerous as it is
            Some(_) => worst.unwrap_or(self.danger),
        };
    }

    /// Whether it takes a parameter that is typed.
    fn is_typed(&self) -> bool {
        self.entry.as_ref().is_some_and(Entry::takes_text)
    }

    /// Whether it takes a parameter that any character may be part of.
    fn is_line(&self) -> bool {
        self.entry.as_ref().is_some_and(Entry::is_line)
    }

    /// Whether that is where characters go now.
    fn in_line(&self) -> bool {
        self.in_entry && self.is_line()
    }

    /// Looks at the objects again.
    fn look(&mut self, world: &World) {
        let waited = self.held().is_some();
        for target in &mut self.targets {
            target.changed = target.changed.or_else(|| change(world, &target.object, &target.bound));
            if target.changed.is_none() {
                target.preview = preview(world, &target.object, &self.action);
            }
        }
        if waited && self.held().is_none() {
            // what was typed before it was known what for does not count
            self.typed = LineEdit::default();
        }
        self.count(world);
        self.raise();
    }

    /// Looks at them all together.
    fn count(&mut self, world: &World) {
        let objects: Vec<ObjectRef> = self.targets.iter().map(|target| target.object.clone()).collect();
        self.together = together(world, &objects, &self.action);
    }

    /// Why nothing may be done, if so.
    fn refusal(&self) -> Option<Text> {
        let many = self.targets.len() > 1;
        for target in &self.targets {
            let name = if many { target.name.as_str() } else { "it" };
            if let Some(what) = target.changed {
                return Some(Text::from(format!("{name} {what} while this was open: close it and look again")));
            }
            if let Err(why) = &target.preview {
                return Some(if many { Text::from(format!("{name}: {why}")) } else { why.clone() });
            }
        }
        self.together.clone()
    }

    /// What is waited for before it may be done, or must be chosen otherwise.
    fn held(&self) -> Option<&Text> {
        self.targets.iter().find_map(|target| target.preview.as_ref().ok()?.held.as_ref())
    }

    /// What would be asked for of each object.
    fn asked(&self) -> Vec<Action> {
        self.targets.iter().filter_map(|target| Some(target.preview.as_ref().ok()?.action.clone())).collect()
    }

    /// What is still missing before it may be done.
    fn missing(&self, world: &World) -> Option<(Text, &'static str)> {
        self.entry.as_ref()?.missing(world, self.targets.iter().map(|target| &target.object))
    }

    fn confirm(&mut self, cx: &Cx<'_>) -> Outcome {
        let (asked, seen) = (self.danger, self.asked());
        self.look(cx.world);
        if self.refusal().is_some() || self.held().is_some() {
            return Outcome::Handled;
        }
        if seen != self.asked() {
            self.hint = Some(Text::new("what it would do has changed just now: read it again"));
            return Outcome::Handled;
        }
        if self.danger > asked {
            self.hint = Some(Text::new("it has become more dangerous just now: read it again"));
            return Outcome::Handled;
        }
        self.hint = self.missing(cx.world).map(|(why, _)| why);
        if self.hint.is_some() {
            return Outcome::Handled;
        }
        let all = self.targets.iter().filter_map(|target| {
            let Preview { title, action, .. } = target.preview.as_ref().ok()?.clone();
            let intent = Intent { object: target.object.clone(), name: target.name.clone(), action, bound: target.bound.clone() };
            Some((intent, title))
        });
        let mut all: Vec<(Intent, Text)> = all.collect();
        let request = match all.pop() {
            Some((intent, title)) if all.is_empty() => Request::Execute { intent, title },
            last => {
                all.extend(last);
                Request::Bulk { all, stop: self.stop }
            }
        };
        Outcome::Close(vec![Effect::Request(request)])
    }

    /// Gives the parameter a key; whether it took it.
    fn edit(&mut self, input: &TextInput, cx: &Cx<'_>) -> bool {
        let Some(entry) = &mut self.entry else { return false };
        if !entry.edit(input) {
            return false;
        }
        entry.apply(&mut self.action);
        self.in_entry = entry.takes_text();
        // a name typed for another parameter does not count for this one
        self.typed = LineEdit::default();
        self.look(cx.world);
        true
    }

    fn scrolled(&mut self, by: isize) -> Outcome {
        self.scroll = self.scroll.saturating_add_signed(by);
        Outcome::Handled
    }
}

/// What became of an object since it was bound; nothing if it is still the same.
pub(in crate::ui) fn change(world: &World, object: &ObjectRef, bound: &Bound) -> Option<&'static str> {
    let state = world.cluster(&object.cluster);
    let now = state.and_then(|state| match object.kind {
        Kind::Node => state.nodes.get(&object.key).map(|node| (&node.uid, node.spec_rev)),
        Kind::Service => state.services.get(&object.key).map(|service| (&service.key, service.spec_rev)),
        Kind::Task => state.tasks.get(&object.key).map(|task| (&task.key, 0)),
        Kind::Event => None,
    });
    match now {
        None => Some("went away"),
        Some((uid, _)) if *uid != bound.uid => Some("was made anew"),
        Some((_, rev)) if rev != bound.spec_rev => Some("was changed by someone"),
        Some(_) => None,
    }
}

impl Overlay for Confirm {
    /// What only the platform knows: what else than the image an earlier definition would change, and what must be known
    /// before some actions.
    fn asks(&self) -> Vec<Effect> {
        let kind = self.action.kind();
        let asked = self.targets.iter().filter(|_| kind.is_surveyed());
        asked.map(|target| Effect::Request(Request::Survey(target.object.clone(), kind))).collect()
    }

    fn is_answer(&self, input: &TextInput) -> bool {
        match (self.danger, input) {
            (_, TextInput::Enter) => true,
            (Danger::Disruptive, TextInput::Char('y' | 'Y')) => !self.in_line(),
            // a name that is typed was read
            (Danger::Destructive, _) => !self.in_entry,
            _ => false,
        }
    }

    fn sync(&mut self, cx: &Cx<'_>) {
        self.look(cx.world);
    }

    fn text(&mut self, input: TextInput, cx: &Cx<'_>) -> Outcome {
        self.hint = None;
        match input {
            TextInput::Escape => return Outcome::Ignored,
            // a paste is never a considered yes, and never a considered number
            TextInput::Paste(_) if !self.in_line() => {
                self.hint = Some(Text::new("a paste does not count here: type it"));
                return Outcome::Handled;
            }
            TextInput::PageUp => return self.scrolled(-5),
            TextInput::PageDown => return self.scrolled(5),
            TextInput::Up if self.entry.is_none() || (self.is_typed() && !self.in_entry) => return self.scrolled(-1),
            TextInput::Down if self.entry.is_none() || (self.is_typed() && !self.in_entry) => return self.scrolled(1),
            _ => {}
        }
        match (self.danger, &input) {
            (Danger::Reversible, TextInput::Enter) => return self.confirm(cx),
            (Danger::Disruptive, TextInput::Char('y' | 'Y')) if !self.in_line() => return self.confirm(cx),
            (Danger::Disruptive, TextInput::Enter) if !self.in_line() => {
                self.hint = Some(Text::new("press y to go on"));
                return Outcome::Handled;
            }
            (Danger::Disruptive | Danger::Destructive, TextInput::Enter) if self.in_entry => {
                self.hint = self.missing(cx.world).map(|(why, _)| why);
                self.in_entry = self.hint.is_some();
                return Outcome::Handled;
            }
            (Danger::Destructive, TextInput::Enter) => {
                if self.typed.text() == self.word() {
                    return self.confirm(cx);
                }
                self.hint = Some(Text::from(format!("that is not {}: type it whole, then enter", self.word())));
                return Outcome::Handled;
            }
            (_, TextInput::BackTab) if self.targets.len() > 1 => {
                self.stop = !self.stop;
                return Outcome::Handled;
            }
            (danger, TextInput::Tab | TextInput::BackTab)
                if self.is_typed() && (self.is_line() || danger == Danger::Destructive) =>
            {
                self.in_entry = !self.in_entry;
                return Outcome::Handled;
            }
            _ => {}
        }
        let chosen =
            (self.in_entry || !self.is_line() && (self.danger != Danger::Destructive || !self.is_typed())) && self.edit(&input, cx);
        if !chosen && !self.in_entry && self.danger == Danger::Destructive {
            self.typed.edit(&input);
        }
        Outcome::Handled
    }

    fn command(&mut self, command: Command, _cx: &Cx<'_>) -> Outcome {
        match command {
            // the way out is one key away, and a dialog is no place to leave the program from by mistake
            Command::Quit => Outcome::Close(Vec::new()),
            _ => Outcome::Ignored,
        }
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        self.draw(area, buf, cx);
    }

    fn cursor(&self) -> Option<Position> {
        self.cursor
    }
}
