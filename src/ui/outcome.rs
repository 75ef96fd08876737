//! What a pane or overlay answers to a command or to typed text.

use super::Effect;
use super::cx::{Narrow, Subject};
use super::overlay::Overlay;
use super::pane::PaneId;
use crate::input::Command;
use crate::model::{ActionKind, ClusterId, ObjectRef, Text};

/// What a pane or overlay made of a command.
pub enum Outcome {
    /// It is not for me: whoever is below gets it.
    Ignored,
    /// Done; draw.
    Handled,
    /// Done, and these are wanted; draw.
    Effects(Vec<Effect>),
    /// Go somewhere else. From an overlay this closes it.
    Go(Go),
    /// Ask for an action on these objects: opens its preview.
    Act(ActionKind, Vec<ObjectRef>),
    /// Put an overlay on top.
    Open(Box<dyn Overlay>),
    /// The same, with the dialog of an action on these objects.
    Preview(Box<dyn Overlay>, Vec<ObjectRef>),
    /// Close this overlay (or leave this pane), and these are wanted.
    Close(Vec<Effect>),
    /// Close this overlay and run a command as if its key had been pressed.
    Run(Command),
    /// Say this in the last row for a few seconds.
    Say(Text),
}

impl Outcome {
    /// Words for the last row.
    pub fn say(words: impl Into<Text>) -> Self {
        Self::Say(words.into())
    }
}

/// Somewhere else to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Go {
    /// A pane, as its key goes to it: of everything the lists are narrowed to.
    Pane(PaneId),
    /// A pane opened for one object: the tasks of a service or node, the events, logs, metrics or text of an object.
    For(PaneId, Subject),
    /// The pane that lists such objects, with the cursor on this one.
    To(ObjectRef),
    /// The services of a cluster.
    Cluster(ClusterId),
    /// The same pane, narrowed so.
    Narrow(Narrow),
}
