//! Pure reasoning over the picture: what is wrong and why, whether a rollout has ended, what an action would do.
//!
//! Every function here takes rows and a time and gives a value: no clock, no I/O, so each rule is a table in its tests.

pub mod diagnosis;
pub mod edits;
#[cfg(test)]
pub(crate) mod fixture;
pub mod keeper;
mod placement;
pub mod preview;
pub mod quorum;
pub mod reasons;
pub mod rollout;
pub mod spread;
pub mod steps;
pub mod undo;
