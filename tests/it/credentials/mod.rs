//! Who we say we are, and whom we believe: the backends against servers on the loopback that look at credentials. The table
//! of what is promised is in `src/backend/kubernetes/credentials.rs` and `src/backend/docker/transport/mod.rs`.

mod authority;
mod certificates;
mod docker;
mod proxies;
mod server;
mod ssh;
mod tokens;

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

/// RFC 4648, for the `-data` fields of a kubeconfig.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let six = |chunk: &[u8], at: usize| {
        let bit = |n: usize| chunk.get(n / 8).is_some_and(|byte| byte >> (7 - n % 8) & 1 == 1);
        let value = (0..6).fold(0, |value, n| value << 1 | usize::from(bit(6 * at + n)));
        if at <= chunk.len() { char::from(LETTERS[value]) } else { '=' }
    };
    bytes.chunks(3).flat_map(|chunk| (0..4).map(move |at| six(chunk, at))).collect()
}
