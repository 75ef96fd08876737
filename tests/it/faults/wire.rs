//! The connections to the server, which may be cut, fall silent, or become slow.

use super::fault::Fault;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    #[default]
    Well,
    /// All are reset, new ones soon after they were made.
    Reset,
    /// All are closed, new ones soon after they were made.
    Closed,
    /// All fall silent, for ever.
    Dead,
    /// All are silent as long as this lasts.
    Still,
    /// Byte by byte.
    Sliced,
}

impl Flow {
    /// What a fault does to connections.
    pub fn of(fault: Fault) -> Self {
        match fault {
            Fault::Reset => Self::Reset,
            Fault::Closed => Self::Closed,
            Fault::BlackHole => Self::Dead,
            Fault::Stall => Self::Still,
            Fault::Slices => Self::Sliced,
            _ => Self::Well,
        }
    }
}

/// How long a connection lives that is made while all are being cut.
const SHORT: Duration = Duration::from_millis(50);

/// Carries bytes between a client and the server until one of them ends, or `flow` cuts them off; `came` is told of all that
/// the server sends.
pub async fn carry(
    mut client: TcpStream,
    mut server: impl AsyncRead + AsyncWrite + Unpin,
    mut flow: watch::Receiver<Flow>,
    came: impl Fn(usize),
) {
    let (mut up, mut down) = ([0; 4_096], [0; 16_384]);
    if matches!(*flow.borrow(), Flow::Reset | Flow::Closed) {
        sleep(SHORT).await;
    }
    loop {
        let now = *flow.borrow_and_update();
        match now {
            Flow::Reset => return drop(client.set_zero_linger()),
            Flow::Closed => return,
            Flow::Dead => std::future::pending().await,
            Flow::Still => {
                if flow.changed().await.is_err() {
                    return;
                }
                continue;
            }
            Flow::Well | Flow::Sliced => {}
        }
        tokio::select! {
            changed = flow.changed() => if changed.is_err() { return },
            read = client.read(&mut up) => match read {
                Ok(read @ 1..) => if server.write_all(&up[..read]).await.is_err() { return },
                _ => return,
            },
            read = server.read(&mut down) => match read {
                Ok(read @ 1..) => {
                    came(read);
                    let piece = if now == Flow::Sliced { 1 } else { read };
                    for piece in down[..read].chunks(piece) {
                        if client.write_all(piece).await.is_err() {
                            return;
                        }
                    }
                }
                _ => return,
            },
        }
    }
}
