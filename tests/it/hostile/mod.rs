//! What reaches the terminal can be trusted, whatever clusters, files and keys say.

mod ahead;
mod fleet;
mod grammar;
mod payloads;
pub mod platform;
mod program;
mod readonly;
mod screen;
mod secrets;
mod sizes;
mod stage;
mod tour;
