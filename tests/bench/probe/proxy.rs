//! A relay on loopback that counts what passes: what a program costs its server, seen from outside.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Where a server listens.
#[derive(Clone, Debug)]
pub enum Upstream {
    /// On TCP.
    Tcp(SocketAddr),
    /// On a socket of the file system.
    Unix(PathBuf),
}

/// What passed so far.
#[derive(Debug, Default)]
pub struct Counts {
    /// Bytes from the server.
    pub down: AtomicU64,
    /// Bytes to the server.
    pub up: AtomicU64,
    /// Connections opened.
    pub connections: AtomicU64,
    /// First lines of requests that passed in clear text.
    requests: Mutex<Vec<String>>,
}

/// A running relay; it ends with the process.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    /// What passed.
    pub counts: Arc<Counts>,
}

impl Proxy {
    /// Relays to `upstream`.
    pub fn start(upstream: Upstream) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        let all = Arc::clone(&counts);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                all.connections.fetch_add(1, Ordering::Relaxed);
                client.set_nodelay(true).unwrap();
                let _ = match &upstream {
                    Upstream::Tcp(address) => TcpStream::connect(address).and_then(|server| {
                        server.set_nodelay(true)?;
                        let (read, end) = (server.try_clone()?, server.try_clone()?);
                        relay(client, read, server, move || end.shutdown(Shutdown::Both), &all)
                    }),
                    Upstream::Unix(path) => UnixStream::connect(path).and_then(|server| {
                        let (read, end) = (server.try_clone()?, server.try_clone()?);
                        relay(client, read, server, move || end.shutdown(Shutdown::Both), &all)
                    }),
                };
            }
        });
        Self { address, counts }
    }

    /// Bytes that came from the server so far.
    pub fn down(&self) -> u64 {
        self.counts.down.load(Ordering::Relaxed)
    }

    /// Requests that passed so far, as `GET /path`.
    pub fn requests(&self) -> Vec<String> {
        self.counts.requests.lock().unwrap().clone()
    }
}

/// Both ways of one connection.
fn relay(
    client: TcpStream,
    mut from_server: impl Read + Send + 'static,
    mut to_server: impl Write + Send + 'static,
    end: impl Fn() -> io::Result<()> + Send + 'static,
    counts: &Arc<Counts>,
) -> io::Result<()> {
    let (mut from_client, mut to_client, hang_up) = (client.try_clone()?, client.try_clone()?, client);
    let (up, down) = (Arc::clone(counts), Arc::clone(counts));
    thread::spawn(move || {
        pump(&mut from_client, &mut to_server, |bytes| {
            up.up.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            up.requests.lock().unwrap().extend(request(bytes));
        });
        let _ = end();
    });
    thread::spawn(move || {
        pump(&mut from_server, &mut to_client, |bytes| {
            down.down.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        });
        let _ = hang_up.shutdown(Shutdown::Both);
    });
    Ok(())
}

fn pump(from: &mut impl Read, to: &mut impl Write, seen: impl Fn(&[u8])) {
    let mut buffer = vec![0; 256 << 10];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        seen(&buffer[..n]);
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
}

/// The request that `bytes` begin with, without its query: clients send the head of one in one piece.
fn request(bytes: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(bytes.split(|byte| *byte == b'\r').next()?).ok()?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    words.next()?.starts_with("HTTP/1").then(|| format!("{method} {}", target.split('?').next().unwrap_or_default()))
}
