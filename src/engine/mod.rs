//! The sync engine.

use crate::model::{Request, World};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// The engine's two ends: the newest picture, and requests. Dropping it does not stop the engine; [`Engine::shutdown`] does.
#[derive(Debug)]
pub struct Engine {
    /// The newest picture. Only the newest is kept: a slow reader skips, and never holds the engine up.
    pub world: watch::Receiver<Arc<World>>,
    /// Requests; bounded. `try_send` and say so if it is full.
    pub requests: mpsc::Sender<Request>,
}
