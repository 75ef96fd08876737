//! A server on the loopback that answers from a script, for tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::client::client;
use super::credentials::Credentials;
use super::http::Api;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What was asked, one line a request: its path, and its body where it has one.
pub(super) type Asked = Arc<Mutex<Vec<String>>>;

/// What the server answers to one request after the other; when the script ends it answers no more.
pub(super) async fn server(script: Vec<(u16, String)>) -> (Api, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Asked::default();
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut kept = Vec::new();
        let mut script = script.into_iter();
        while let Ok((mut stream, _)) = listener.accept().await {
            let request = request(&mut stream).await;
            log.lock().push(request);
            match script.next() {
                Some((code, body)) => {
                    let head = format!("HTTP/1.1 {code} x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
                }
                None => kept.push(stream),
            }
        }
    });
    let config = kube::Config::new(url.parse().unwrap());
    (Api::new(client(config).unwrap(), Arc::new(Credentials::default()), &url), asked)
}

async fn request(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let small = head.to_ascii_lowercase();
    let length = small.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let path = head.split(' ').nth(1).unwrap_or_default();
    if body.is_empty() { path.to_owned() } else { format!("{path} {}", String::from_utf8(body).unwrap()) }
}
