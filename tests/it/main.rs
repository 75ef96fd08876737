//! The integration tests, one binary: what holds for the whole house, and the program as its users meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arch;
mod audit;
mod cli;
mod colours;
mod config;
mod credentials;
mod discovery;
mod exits;
mod faults;
mod figures;
mod fuzz;
mod hostile;
mod link;
mod oracle;
mod outages;
mod pty;
mod term;
