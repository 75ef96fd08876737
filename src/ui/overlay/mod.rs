//! What stands over the panes: dialogs, palette, help. The topmost gets keys first.

pub mod confirm;
#[cfg(test)]
mod engine_tests;
mod entry;
pub mod frame;
mod help;
mod join;
mod notices;
mod palette;
pub mod resume;
#[cfg(test)]
mod tests;

use super::cx::Cx;
use super::widget::input::TextInput;
use super::{Effect, Outcome};
use crate::input::{Command, Scope};
use crate::model::{ClusterId, ObjectRef, Text};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// Something that stands over the panes until it is closed.
pub trait Overlay {
    /// What it wants to know when it is opened.
    fn asks(&self) -> Vec<Effect> {
        Vec::new()
    }

    /// Whether this may be an answer, on which something changes in a cluster. It is none before this was on screen; what is typed
    /// into a field, or chooses, is not lost.
    fn is_answer(&self, _input: &TextInput) -> bool {
        false
    }

    /// A new picture has come.
    fn sync(&mut self, _cx: &Cx<'_>) {}

    /// Whether typed characters go to [`Overlay::text`] instead of the keymap.
    fn wants_text(&self) -> bool {
        true
    }

    /// A typed character, a paste, an editing key, enter or escape.
    fn text(&mut self, input: TextInput, cx: &Cx<'_>) -> Outcome;

    /// A command the keymap gave. `Back` that is ignored closes the overlay; other commands that are ignored are lost.
    fn command(&mut self, _command: Command, _cx: &Cx<'_>) -> Outcome {
        Outcome::Ignored
    }

    /// Where the keymap is looked up while this is on top and does not want text.
    fn scopes(&self) -> &[Scope] {
        &[]
    }

    /// Draws itself somewhere in `area` (the whole screen). Every cell it takes it must clear.
    fn render(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>);

    /// Where the terminal's cursor stands after the last [`Overlay::render`].
    fn cursor(&self) -> Option<Position> {
        None
    }
}

/// What an overlay is opened over.
#[derive(Clone, Debug, Default)]
pub struct Here {
    /// Where the keymap is looked up.
    pub scopes: Vec<Scope>,
    /// What an action would be for.
    pub targets: Vec<ObjectRef>,
    /// The cluster of the row under the cursor.
    pub cluster: Option<ClusterId>,
    /// The namespace or stack of the row under the cursor.
    pub namespace: Option<Text>,
}

/// The overlay that a command opens, if it opens one.
pub fn opened_by(command: Command, here: &Here, cx: &Cx<'_>) -> Option<Box<dyn Overlay>> {
    Some(match command {
        Command::Palette => Box::new(palette::Palette::everything(cx, here)),
        Command::ScopeCluster => Box::new(palette::Palette::clusters(cx, here)),
        Command::ScopeNamespace => Box::new(palette::Palette::namespaces(cx, here)),
        Command::Help => Box::new(help::Help::new(here)),
        Command::JoinSwarm => Box::new(join::Join::new(here.cluster.clone())),
        Command::Notices => Box::new(notices::Notices::default()),
        _ => return None,
    })
}
