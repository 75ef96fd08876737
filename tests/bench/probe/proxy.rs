//! A TCP relay on loopback that counts what passes: what a program costs its API server, seen from outside.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Bytes and connections so far.
#[derive(Debug, Default)]
pub struct Counts {
    /// From the server.
    pub down: AtomicU64,
    /// To the server.
    pub up: AtomicU64,
    /// Connections opened.
    pub connections: AtomicU64,
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
    pub fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        let all = Arc::clone(&counts);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                all.connections.fetch_add(1, Ordering::Relaxed);
                if let Ok(server) = TcpStream::connect(upstream) {
                    let (c, s) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                    pump(client, server, Arc::clone(&all), |counts| &counts.up);
                    pump(s, c, Arc::clone(&all), |counts| &counts.down);
                }
            }
        });
        Self { address, counts }
    }

    /// Bytes that came from the server so far.
    pub fn down(&self) -> u64 {
        self.counts.down.load(Ordering::Relaxed)
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, counts: Arc<Counts>, which: fn(&Counts) -> &AtomicU64) {
    from.set_nodelay(true).unwrap();
    thread::spawn(move || {
        let mut buffer = vec![0; 256 << 10];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            which(&counts).fetch_add(n as u64, Ordering::Relaxed);
            if to.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}
