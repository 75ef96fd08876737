//! What operators ask of a simulated cluster.

use crate::model::{Capabilities, ClusterKind};

/// What a cluster of this kind can be asked.
pub(super) fn capabilities(_kind: ClusterKind) -> Capabilities {
    Capabilities::of(&[])
}
