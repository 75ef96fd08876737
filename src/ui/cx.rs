//! What every pane and overlay is handed to update and draw itself with.

use super::Moment;
use super::pane::PaneId;
use super::view::naming::{self, Name};
use super::view::totals::Totals;
use crate::input::{Command, Keymap, Scope};
use crate::model::{ClusterId, ClusterState, ObjectRef, Text, World};
use crate::theme::{Role, Theme};
use crate::util::time::Timestamp;
use ratatui::style::Style;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

/// What the lists are narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrow {
    /// One cluster; all if none.
    pub cluster: Option<ClusterId>,
    /// One namespace or stack; all if none.
    pub namespace: Option<Text>,
}

impl Narrow {
    /// Whether rows of this cluster are shown.
    pub fn admits_cluster(&self, id: &ClusterId) -> bool {
        self.cluster.as_ref().is_none_or(|only| only == id)
    }

    /// Whether rows of this namespace are shown.
    pub fn admits_namespace(&self, namespace: &str) -> bool {
        self.namespace.as_ref().is_none_or(|only| only.as_str() == namespace)
    }
}

/// The object a pane was opened for: whose tasks, whose events, whose logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The object.
    pub object: ObjectRef,
    /// For logs: the run before the present one.
    pub previous: bool,
}

impl Subject {
    /// An object as it is now.
    pub fn of(object: ObjectRef) -> Self {
        Self { object, previous: false }
    }
}

/// Where the operator is: a pane, what it is narrowed to, and what it was opened for. `esc` goes back to the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The pane.
    pub pane: PaneId,
    /// What the lists are narrowed to.
    pub narrow: Narrow,
    /// What the pane was opened for.
    pub subject: Option<Subject>,
}

/// Ages below this are told in seconds.
const YOUNG: Duration = Duration::from_secs(60);

/// The context of one update or one frame.
#[derive(Clone, Copy, Debug)]
pub struct Cx<'a> {
    /// The newest picture.
    pub world: &'a Arc<World>,
    /// Where the operator is.
    pub place: &'a Place,
    /// Sums over each cluster, in the order of the clusters.
    pub totals: &'a [Totals],
    /// Colours.
    pub theme: &'a Theme,
    /// Keys.
    pub keymap: &'a Keymap,
    /// Where the keymap is looked up on this page, most special first, as of the last frame.
    pub scopes: &'a [Scope],
    /// Time.
    pub moment: Moment,
    /// When an age was asked for last that reads otherwise every second.
    pub young: &'a Cell<Timestamp>,
    /// Times are shown in local time (else in UTC).
    pub local_time: bool,
    /// No action is sent to any cluster.
    pub read_only: bool,
    /// Most objects that one action may be for.
    pub max_bulk: usize,
    /// Secrets may be shown to whoever asks for them.
    pub reveals: bool,
}

impl<'a> Cx<'a> {
    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// The key to hint for a command: one that does it here and now.
    pub fn key(&self, command: Command) -> Option<&'a str> {
        self.keymap.key_for(command, self.scopes)
    }

    /// How long ago something was.
    pub fn since(&self, at: Timestamp) -> Duration {
        let age = self.moment.now.since(at);
        if age < YOUNG {
            self.young.set(self.moment.now);
        }
        age
    }

    /// The clusters whose rows are shown.
    pub fn clusters(&self) -> impl Iterator<Item = &'a Arc<ClusterState>> {
        let narrow = &self.place.narrow;
        self.world.clusters.iter().filter(|state| narrow.admits_cluster(&state.cluster.id))
    }

    /// The sums over a cluster.
    pub fn totals(&self, id: &ClusterId) -> Totals {
        let at = self.world.clusters.iter().position(|state| state.cluster.id == *id);
        at.and_then(|at| self.totals.get(at)).cloned().unwrap_or_default()
    }

    /// Whether rows need to say which cluster they are of.
    pub fn many_clusters(&self) -> bool {
        self.place.narrow.cluster.is_none() && self.place.subject.is_none() && self.world.clusters.len() > 1
    }

    /// The name of an object as it stands in words: `shop/web`, `eu-b-07`; its key where the row is gone.
    pub fn name_of(&self, object: &ObjectRef) -> Name<'a> {
        let state = self.world.cluster(&object.cluster);
        state.and_then(|state| naming::name(state, object.kind, &object.key)).unwrap_or_else(|| Text::new(&object.key).into())
    }
}
