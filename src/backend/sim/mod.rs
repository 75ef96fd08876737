//! A deterministic fleet for the demo, tests and benches, behind the same traits as the real ones.
//!
//! A [`Scenario`] says which clusters there are and what happens when; each becomes a state machine in virtual time that
//! behaves as its platform does: placement, rollouts, crash loops, evictions, budgets, outages. The same seed, virtual time
//! and actions give the same rows. [`fleet`] puts the clusters behind connectors on a clock; [`Fleet`] plays them by hand.

mod actions;
mod amount;
mod build;
mod chance;
mod check;
mod deployment;
mod differences;
mod fleet;
mod happenings;
mod leftovers;
mod lifecycle;
mod logs;
mod moves;
mod outage;
mod parts;
mod phrases;
mod placement;
mod platform;
mod reports;
mod rows;
mod run;
mod scenario;
mod session;
mod sized;
mod story;
mod swarm;
mod usage;
mod yaml;

pub use fleet::{Fleet, Options, PICTURE_EPOCH, fleet};
pub use scenario::{Scenario, demo_scenario};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
