//! Quarterdeck: a terminal control room for container platforms.
//!
//! # The map of the house
//!
//! Two one-way streets:
//!
//! ```text
//! facts    cluster → backend::watch → Delta → engine::ingest (batches) → model::Store (the only writer)
//!                  → watch<Arc<World>> (keeps only the newest) → ui::sync → panes → Buffer → one write per frame
//! intents  key → input (keymap × context) → Command → ui::update → Effect → app → Request (bounded)
//!                  → engine::executor → backend::execute → the result comes back on the first street
//! ```
//!
//! Nothing goes sideways. The screen never guesses: an action shows as an operation and is verified by observation. The
//! ui does no I/O. A dead cluster stalls neither another cluster nor the process.
//!
//! A room imports only rooms above it in this list; `tests/it/arch.rs` holds the matrix.
//!
//! | room | owns |
//! |---|---|
//! | [`util`] | time, text width, sanitising, human units, backoff |
//! | [`model`] | the records, the changes to them, and the store |
//! | [`analysis`] | what is wrong and why, rollout verdicts, previews, spread |
//! | [`config`] | the configuration file, its errors to line and column |
//! | [`backend`] | Kubernetes, Docker (engine and Swarm), and the simulated fleet |
//! | [`engine`] | supervisors, ingest, executor, log tails, the audit file |
//! | [`input`], [`theme`] | command table and keymaps; roles and colours |
//! | [`ui`] | panes, overlays, widgets: pure |
//! | [`term`] | the terminal: enter, leave, events, frame writer |
//! | [`app`] | the one loop |
//! | [`cli`] | command line, snapshot |

pub mod analysis;
pub mod app;
pub mod backend;
pub mod cli;
pub mod config;
pub mod engine;
pub mod input;
pub mod model;
pub mod term;
pub mod theme;
pub mod ui;
pub mod util;
