//! From an engine's address to answered requests: addresses, streams, HTTP.

pub mod dial;
pub mod endpoint;
pub mod error;
pub mod http;
mod tls;

pub use endpoint::{Endpoint, Tls};
pub use error::HttpError;
