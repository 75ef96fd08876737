//! The configuration: where it is found, what it may say, and what is wrong with it, to the line and column.

mod folder;
mod layers;
mod paths;
mod problem;
mod schema;

pub use folder::layers_in;
pub use layers::{Layer, chain};
pub use paths::Paths;
pub use problem::{Problem, closest};
pub use schema::{ClusterConfig, Config, Endpoint, LogLevel};
