//! Opens one byte stream to an engine: socket, TCP, TLS, or the standard streams of an ssh child.

use super::endpoint::{Endpoint, Tls};
use super::tls;
use crate::backend::detached::{self, Group};
use crate::backend::keepalive;
use rustls::pki_types::ServerName;
use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::{Child, ChildStdin, ChildStdout};

/// Longest time for a socket, a TCP connection or a TLS handshake.
const DIAL: Duration = Duration::from_secs(5);
/// What is kept of an ssh child's complaints.
const COMPLAINT: usize = 2_048;

/// A byte stream to an engine.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What ssh wrote to its standard error so far; explains why the stream ended.
pub type Complaint = Arc<parking_lot::Mutex<String>>;

/// Opens a stream; with ssh also returns where its complaints gather.
///
/// # Errors
/// The cause in words, without the address.
pub async fn dial(endpoint: &Endpoint) -> Result<(Box<dyn Stream>, Option<Complaint>), String> {
    match endpoint {
        Endpoint::Unix(path) => {
            let stream = within(UnixStream::connect(path)).await.map_err(|e| socket_words(&e))?;
            Ok((Box::new(stream), None))
        }
        Endpoint::Tcp { host, port, tls } => {
            // what is wrong with the certificates is wrong whether or not somebody listens
            let config = match tls.clone() {
                // files may lie on a slow disk
                Some(tls) => Some(tokio::task::spawn_blocking(move || tls::client_config(&tls)).await.map_err(|e| e.to_string())??),
                None => None,
            };
            let stream = within(TcpStream::connect((host.as_str(), *port))).await.map_err(|e| tcp_words(&e))?;
            // requests are small and wait for their answer
            stream.set_nodelay(true).and_then(|()| keepalive::watch_over(&stream)).map_err(|e| e.to_string())?;
            match config {
                None => Ok((Box::new(stream), None)),
                Some(config) => match secure(stream, host, config).await {
                    Ok(stream) => Ok((stream, None)),
                    Err(cause) => Err(format!("{cause}{}", tls.as_ref().and_then(|tls| advice(tls, &cause)).unwrap_or_default())),
                },
            }
        }
        Endpoint::Ssh { .. } => ssh(endpoint),
    }
}

async fn within<T>(attempt: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(DIAL, attempt)
        .await
        .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no connection within 5 s")))
}

fn tcp_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens there; is the engine running?".to_owned(),
        io::ErrorKind::TimedOut => "no connection within 5 s; is a VPN or a route missing?".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "there is no route to it; is a VPN down?".to_owned(),
        // the resolver's words
        _ => error.to_string(),
    }
}

fn socket_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such socket; is the engine running?".to_owned(),
        io::ErrorKind::PermissionDenied => "you may not open the socket; join its group (often `docker`)".to_owned(),
        io::ErrorKind::ConnectionRefused => "nothing listens on the socket; is the engine running?".to_owned(),
        _ => error.to_string(),
    }
}

/// What to do about a server whose certificate nobody here vouches for.
fn advice(tls: &Tls, cause: &str) -> Option<String> {
    let authority = tls.dir.as_ref()?.join("ca.pem");
    (cause.contains("unknown authority") && !authority.exists())
        .then(|| format!("; there is no {} that says who may have issued it", authority.display()))
}

async fn secure(stream: TcpStream, host: &str, config: Arc<rustls::ClientConfig>) -> Result<Box<dyn Stream>, String> {
    let name =
        ServerName::try_from(host.to_owned()).map_err(|_| format!("{host} is no name a certificate can be checked against"))?;
    let stream = within(tokio_rustls::TlsConnector::from(config).connect(name, stream)).await;
    Ok(Box::new(stream.map_err(|e| tls::words(&e).unwrap_or_else(|| format!("the TLS handshake failed: {e}")))?))
}

/// Arguments for the system's ssh, as `docker` itself calls it: the operator's ssh configuration, keys and agent apply.
/// `BatchMode` because a question for a password would be read from the terminal the screen is on.
fn ssh_arguments(endpoint: &Endpoint) -> Vec<String> {
    let Endpoint::Ssh { user, host, port, socket } = endpoint else { return Vec::new() };
    let mut args: Vec<String> =
        ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=2"]
            .map(str::to_owned)
            .into();
    if let Some(user) = user {
        args.extend(["-l".to_owned(), user.clone()]);
    }
    if let Some(port) = port {
        args.extend(["-p".to_owned(), port.to_string()]);
    }
    args.extend(["--".to_owned(), host.clone(), "docker".to_owned()]);
    if let Some(socket) = socket {
        // a POSIX shell reads the remote command
        args.push(format!("--host='unix://{}'", socket.replace('\'', r"'\''")));
    }
    args.extend(["system".to_owned(), "dial-stdio".to_owned()]);
    args
}

fn ssh(endpoint: &Endpoint) -> Result<(Box<dyn Stream>, Option<Complaint>), String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = detached::find("ssh", &path).ok_or("the program ssh, which logs in there, is not installed")?;
    // what it starts to reach the host (ProxyCommand) must not ask on our terminal either
    let mut child = detached::command(&program)
        .args(ssh_arguments(endpoint))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("the program ssh cannot be started: {e}"))?;
    let group = Group::of(&child);
    let (Some(input), Some(output), Some(mut errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
        return Err("the standard streams of ssh cannot be used".to_owned());
    };
    let complaint = Complaint::default();
    let kept = Arc::clone(&complaint);
    tokio::spawn(async move {
        let mut chunk = [0; 512];
        // ends with the child, whose end is bound to the stream
        while let Ok(n @ 1..) = errors.read(&mut chunk).await {
            let mut text = kept.lock();
            if text.len() < COMPLAINT {
                text.push_str(&String::from_utf8_lossy(chunk.get(..n).unwrap_or_default()));
            }
        }
    });
    Ok((Box::new(SshStream { _group: group, _child: child, input, output }), Some(complaint)))
}

/// The standard streams of an ssh child; dropping it ends the child and what it started.
struct SshStream {
    _group: Group,
    _child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl AsyncRead for SshStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_read(cx, buf)
    }
}

impl AsyncWrite for SshStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.input).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ssh_gets_user_port_and_a_quoted_socket_after_the_separator() {
        let plain = ssh_arguments(&Endpoint::parse("ssh://ops@box:2222", None).unwrap()).join(" ");
        assert!(plain.ends_with("-l ops -p 2222 -- box docker system dial-stdio"), "{plain}");
        let socket = ssh_arguments(&Endpoint::parse("ssh://box/run/it's.sock", None).unwrap()).join(" ");
        assert!(socket.ends_with(r"-- box docker --host='unix:///run/it'\''s.sock' system dial-stdio"), "{socket}");
    }
}
