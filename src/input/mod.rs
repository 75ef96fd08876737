//! From keys to commands: the command table, key names, keymaps, and the resolver of key sequences.
//!
//! Imports crossterm's key types and the reading of named files from `config`; knows nothing of panes or clusters.

mod command;
mod key;
mod keymap;
mod resolver;

pub use command::{Command, Scope};
pub use key::{KeyPress, Keys};
pub use keymap::{Binding, Keymap};
pub use resolver::{Resolved, Resolver};
