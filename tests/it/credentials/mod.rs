//! Who we say we are, and whom we believe: the backends against servers on the loopback that look at credentials. The table
//! of what is promised is in `src/backend/kubernetes/credentials.rs` and `src/backend/docker/transport/mod.rs`.

mod authority;
mod certificates;
mod docker;
mod oidc;
mod proxies;
mod server;
mod ssh;
mod tokens;

use base64::Engine as _;
use quarterdeck::backend::kubernetes::{Context, Proxies, discover_files};
use quarterdeck::backend::{Backend, BackendError, Connector};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A context of a kubeconfig in `folder`, with these fields of its cluster and its user.
fn context(folder: &Path, cluster: &str, user: &str) -> Context {
    let file = folder.join("config");
    let text = format!(
        "clusters: [{{name: c, cluster: {{{cluster}}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n\
         contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
    );
    std::fs::write(&file, text).unwrap();
    discover_files(&[file], &Proxies::default()).contexts.remove(0)
}

/// Connects, or says why not.
async fn connect(context: &Context) -> Result<Arc<dyn Backend>, BackendError> {
    context.connect().await
}

/// The words of an attempt that must not work.
async fn refusal(context: &Context) -> String {
    connect(context).await.err().expect("it must not connect").to_string()
}

/// So much time passes for us in a moment.
async fn later(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// For the `-data` fields of a kubeconfig.
fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
