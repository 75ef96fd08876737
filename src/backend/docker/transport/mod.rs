//! From an engine's address to answered requests: addresses, streams, HTTP.
//!
//! What is promised of credentials, and the tests that hold it (`it` is the test binary of `tests/it`):
//!
//! | claim | test |
//! |---|---|
//! | a context's `ca.pem`, `cert.pem` and `key.pem` are used; a wrong authority or certificate is told in a sentence | `it::credentials::docker` |
//! | files that are broken or missing are named | `it::discovery::docker_contexts_with_broken_files…` |
//! | over ssh the system's `ssh` is run as docker runs it, and asks nothing | `dial::tests::ssh_gets_user_port…`, `it::credentials::ssh::a_docker_context_over_ssh…` |
//! | `ssh` and what it starts have no terminal and end with us | the same |
//! | its complaints are quoted with what to do, and so is that there is none | `it::credentials::ssh::what_ssh_complains_of…`, `…where_there_is_no_ssh…` |
//! | an address with a password or of an unknown kind is told in a sentence | `endpoint::tests::addresses_are_read…` |

pub mod dial;
pub mod endpoint;
pub mod error;
pub mod http;
mod tls;

pub use endpoint::{Endpoint, Tls};
pub use error::HttpError;
