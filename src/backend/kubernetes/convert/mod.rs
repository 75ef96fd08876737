//! From decoded objects to rows: pure functions, tested against recorded objects.

mod event;
mod names;
mod node;
mod pod;
mod quantity;
pub(super) mod service;
mod unschedulable;
mod why;

pub(super) use event::event;
pub(super) use names::Names;
pub(super) use node::{node, scheduling_rev};
pub(super) use pod::{image_name, pod};
pub(super) use quantity::read as amount;
use quantity::{bytes, millicores};

#[cfg(test)]
mod odd_tests;
#[cfg(test)]
mod tests;
