//! The configuration: where it is found, what it may say, and what is wrong with it, to the line and column.

mod problem;

pub use problem::{Problem, closest};
