//! What stands between the program and the API server, on the loopback: a relay that can fall silent without closing
//! anything, and a proxy that speaks CONNECT.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A listening door; it stays open until the test's process ends.
pub struct Door {
    /// Its port on 127.0.0.1.
    pub port: u16,
    held: Arc<Mutex<Arc<AtomicBool>>>,
    /// Connections that went through.
    pub passed: Arc<AtomicUsize>,
}

impl Door {
    /// Passes everything on to this port.
    pub fn relay(to: u16) -> Self {
        Self::open(move |_| Some(to))
    }

    /// Passes on what asks for it with CONNECT, whatever the name before the port.
    pub fn proxy() -> Self {
        Self::proxy_that(|_| "200 OK")
    }

    /// The same, if `answers` says `200` to the head of the request.
    pub fn proxy_that(answers: impl Fn(&str) -> &'static str + Send + Sync + 'static) -> Self {
        Self::open(move |client| {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") {
                client.read_exact(&mut byte).ok()?;
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).ok()?;
            let port = head.strip_prefix("CONNECT ")?.split(' ').next()?.rsplit(':').next()?.parse().ok()?;
            let answer = answers(&head);
            client.write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes()).ok()?;
            answer.starts_with("200").then_some(port)
        })
    }

    /// Passes on what asks for it as SOCKS5 has it (RFC 1928), by name and port, without a login.
    pub fn socks() -> Self {
        Self::open(|client| {
            let mut hello = [0; 2];
            client.read_exact(&mut hello).ok()?;
            client.read_exact(&mut vec![0; hello[1].into()]).ok()?;
            client.write_all(&[5, 0]).ok()?;
            let mut request = [0; 4];
            client.read_exact(&mut request).ok()?;
            let length = match request[3] {
                1 => 4,
                4 => 16,
                _ => {
                    let mut length = [0];
                    client.read_exact(&mut length).ok()?;
                    length[0].into()
                }
            };
            let mut rest = vec![0; length + 2];
            client.read_exact(&mut rest).ok()?;
            client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
            Some(u16::from_be_bytes([rest[length], rest[length + 1]]))
        })
    }

    fn open(target: impl Fn(&mut TcpStream) -> Option<u16> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let door = Self { port, held: Arc::default(), passed: Arc::default() };
        let (held, passed, target) = (Arc::clone(&door.held), Arc::clone(&door.passed), Arc::new(target));
        thread::spawn(move || {
            for mut client in listener.incoming().map_while(Result::ok) {
                let (held, passed, target) = (Arc::clone(&held.lock().unwrap()), Arc::clone(&passed), Arc::clone(&target));
                thread::spawn(move || {
                    let Some(port) = target(&mut client) else { return };
                    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return };
                    passed.fetch_add(1, Ordering::Relaxed);
                    let back = (server.try_clone().unwrap(), client.try_clone().unwrap(), Arc::clone(&held));
                    thread::spawn(move || pump(back.0, back.1, &back.2));
                    pump(client, server, &held);
                });
            }
        });
        door
    }

    /// Falls silent, or passes on again what is open and what comes. Nothing is closed.
    pub fn hold(&self, silent: bool) {
        self.held.lock().unwrap().store(silent, Ordering::Relaxed);
    }

    /// What is open now stays as it is for ever; new connections pass.
    pub fn renew(&self) {
        *self.held.lock().unwrap() = Arc::default();
    }
}

/// Copies one direction; while it is held, nothing moves and nothing closes.
fn pump(mut from: TcpStream, mut to: TcpStream, held: &AtomicBool) {
    let mut buffer = [0; 16_384];
    loop {
        let read = from.read(&mut buffer);
        while held.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20));
        }
        match read {
            Ok(n @ 1..) if to.write_all(&buffer[..n]).is_ok() => {}
            _ => break,
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
