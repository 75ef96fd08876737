//! A Docker engine that is none, alone or as the manager of a Swarm: it answers what it is made with, and writes down what
//! it is asked.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What it has.
#[derive(Clone, Default)]
pub struct Held {
    /// Its containers, as the list gives them.
    pub containers: Vec<Value>,
    /// What a container's details say beside its state.
    pub detail: Value,
    /// Lines of each container's log, without their ends.
    pub lines: Vec<Vec<u8>>,
    /// Whether it manages the Swarm of the fixtures.
    pub swarm: bool,
    /// The tokens that workers and managers join its Swarm with.
    pub tokens: [String; 2],
    /// Answers of an API server by path; it has empty lists beside them. Without any it is an engine.
    pub pages: Vec<(&'static str, u16, String)>,
    /// Words of the answer to everything else; without any, what would change something is not answered at all.
    pub refusal: String,
    /// The status of that answer to what would change something; 500 if it is none.
    pub refused: u16,
}

/// A running engine; it ends with the process.
pub struct Platform {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    sent: Arc<Mutex<String>>,
}

impl Platform {
    pub fn start(held: Held) -> Self {
        Self::start_with(|_| held)
    }

    /// One whose answers say where it is.
    pub fn start_with(held: impl FnOnce(&SocketAddr) -> Held) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let held = held(&address);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let sent = Arc::default();
        let (log, said, held) = (Arc::clone(&asked), Arc::clone(&sent), Arc::new(held));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, said, held) = (Arc::clone(&log), Arc::clone(&said), Arc::clone(&held));
                thread::spawn(move || serve(stream, &held, &log, &said));
            }
        });
        Self { address, asked, sent }
    }

    /// Where it is, for `DOCKER_HOST`.
    pub fn host(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// Methods and paths of all requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// All headers and bodies of all requests so far.
    pub fn sent(&self) -> String {
        self.sent.lock().unwrap().clone()
    }

    /// Those that would change something.
    pub fn changes(&self) -> Vec<String> {
        self.asked().into_iter().filter(|line| !line.starts_with("GET ") && !line.starts_with("HEAD ")).collect()
    }
}

/// A container of a Compose service.
pub fn container(n: usize, text: &str, state: &str) -> Value {
    json!({
        "Id": format!("{n:064x}"), "Names": [format!("/k{n}{text}")], "Image": format!("im{text}"), "Created": 1_767_225_600,
        "State": state, "Status": format!("Up 3 months {text}"),
        "Labels": {"com.docker.compose.project": format!("pj{text}"), "com.docker.compose.service": format!("sv{n}{text}")},
    })
}

fn serve(stream: TcpStream, held: &Held, log: &Mutex<Vec<String>>, said: &Mutex<String>) {
    let mut out = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if lines.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut length = 0;
        loop {
            let mut header = String::new();
            if lines.read_line(&mut header).unwrap_or(0) == 0 || header.trim().is_empty() {
                break;
            }
            said.lock().unwrap().push_str(&header);
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        if lines.read_exact(&mut body).is_err() {
            return;
        }
        said.lock().unwrap().push_str(&String::from_utf8_lossy(&body));
        log.lock().unwrap().push(first.trim().trim_end_matches(" HTTP/1.1").to_owned());
        let path = path_of(&first);
        let path = path.strip_prefix("/v1.43").unwrap_or(path);
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        if !first.starts_with("GET ") && !first.starts_with("HEAD ") {
            if held.refusal.is_empty() {
                thread::sleep(Duration::from_secs(600));
            }
            send(
                &mut out,
                if held.refused == 0 { 500 } else { held.refused },
                json!({"message": held.refusal, "error": "refused", "error_description": held.refusal}).to_string().as_bytes(),
            );
            continue;
        }
        if !held.pages.is_empty() {
            if first.contains("watch=") {
                let _ = out.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
                thread::sleep(Duration::from_secs(600));
                return;
            }
            let empty = || (200, r#"{"kind":"List","metadata":{"resourceVersion":"1"},"items":[]}"#.to_owned());
            let page = held.pages.iter().find(|(path, ..)| *path == path_of(&first));
            let (status, body) = page.map_or_else(empty, |(_, status, body)| (*status, body.clone()));
            send(&mut out, status, body.as_bytes());
            continue;
        }
        match parts[..] {
            ["events"] => {
                let _ = out.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
                thread::sleep(Duration::from_secs(600));
                return;
            }
            ["containers", _, "logs"] => {
                let mut body = Vec::new();
                for line in &held.lines {
                    let line = [b"2026-01-01T00:00:00.5Z ", line.as_slice(), b"\n"].concat();
                    body.extend([1, 0, 0, 0]);
                    body.extend(u32::try_from(line.len()).unwrap().to_be_bytes());
                    body.extend(line);
                }
                send(&mut out, 200, &body);
            }
            _ => match answer(held, &parts) {
                Some(value) => send(&mut out, 200, value.to_string().as_bytes()),
                None => send(&mut out, 404, json!({"message": held.refusal}).to_string().as_bytes()),
            },
        }
    }
}

fn path_of(first: &str) -> &str {
    first.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default()
}

fn send(out: &mut TcpStream, status: u16, body: &[u8]) {
    let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    let _ = out.write_all(&[head.as_bytes(), body].concat());
}

fn answer(held: &Held, parts: &[&str]) -> Option<Value> {
    let fixture = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let of = |all: Value, id: &str| all.as_array()?.iter().find(|one| one["ID"] == id).cloned();
    let nodes = || fixture(include_str!("../../fixtures/docker/swarm/nodes.json"));
    let services = || fixture(include_str!("../../fixtures/docker/swarm/services.json"));
    let tasks = || fixture(include_str!("../../fixtures/docker/swarm/tasks.json"));
    Some(match *parts {
        ["_ping"] => json!("OK"),
        ["version"] => json!({"Version": "24.0.0", "ApiVersion": "1.43", "MinAPIVersion": "1.12"}),
        ["info"] if held.swarm => {
            let node = nodes()[0]["ID"].clone();
            json!({"ID": "e", "Name": "e", "NCPU": 8, "ServerVersion": "24.0.0",
                "Swarm": {"NodeID": node, "LocalNodeState": "active", "ControlAvailable": true}})
        }
        ["info"] => json!({"ID": "e", "Name": "e", "NCPU": 8, "MemTotal": 1_u64 << 34, "ServerVersion": "24.0.0"}),
        ["swarm"] if held.swarm => json!({"ID": "s", "Version": {"Index": 12}, "Spec": {"Name": "default"},
            "JoinTokens": {"Worker": held.tokens[0], "Manager": held.tokens[1]}}),
        ["nodes"] if held.swarm => nodes(),
        ["services"] if held.swarm => services(),
        ["tasks"] if held.swarm => tasks(),
        ["nodes", id] if held.swarm => of(nodes(), id)?,
        ["services", id] if held.swarm => of(services(), id)?,
        ["tasks", id] if held.swarm => of(tasks(), id)?,
        ["containers", "json"] => Value::from(held.containers.clone()),
        ["containers", id, "json"] => {
            let one = held.containers.iter().find(|one| one["Id"] == id)?;
            let mut detail = json!({"Id": id, "Name": one["Names"][0], "State": {"Status": one["State"], "ExitCode": 137},
                "RestartCount": 3, "Config": {"Tty": false}});
            for (key, value) in held.detail.as_object().into_iter().flatten() {
                detail[key] = value.clone();
            }
            detail
        }
        _ => return None,
    })
}
