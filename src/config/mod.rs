//! The configuration: where it is found, what it may say, and what is wrong with it, to the line and column.

mod layers;
mod paths;
mod problem;
mod schema;

pub use layers::{Layer, chain};
pub use paths::Paths;
pub use problem::{Problem, closest};
pub use schema::{ClusterConfig, Config, DockerTls, Endpoint, LogLevel};
