//! The program with a screen: finds the clusters, starts the engine, and runs the one loop between terminal, ui and engine.
//!
//! | part | owns |
//! |---|---|
//! | `fleet` | which clusters there are: discovery, the configuration's clusters and settings, choices of the command line |
//! | `looks` | theme, keymap and what the screen is set up with |
//! | `run` | the loop |
//! | `keyboard` | keys to commands or text |
//! | `screen` | frames to the terminal |
//! | `person` | who asks |
//! | `logging` | the log file |

mod fleet;
mod keyboard;
mod logging;
mod looks;
mod person;
mod run;
mod screen;
mod signals;

pub use fleet::{Choice, Demo, Fleet, discover, named};
pub use keyboard::{Keyboard, Typed};
pub use logging::start as start_logging;
pub use looks::{Looks, utc_offset};
pub use person::{by, origin};
pub use run::{App, Ended, Start};
