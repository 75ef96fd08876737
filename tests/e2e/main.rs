//! End-to-end suites: the built program in a pseudo-terminal against a real platform. What the program shows is waited for
//! on its screen; whether the action really happened is asked of the platform's own client.
//!
//! Not part of a plain `cargo test`: `tests/run` starts the platforms and passes their addresses in the environment. A suite
//! without its address fails and says so; it never passes by doing nothing.

#[path = "../it/pty.rs"]
mod pty;

mod docker;
mod kubernetes;
mod platform;
mod swarm;
