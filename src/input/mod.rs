//! From keys to commands: the command table, key names, keymaps, and the resolver of key sequences.
//!
//! Imports crossterm's key types only; knows nothing of panes or clusters.

mod command;

pub use command::{Command, Scope};
