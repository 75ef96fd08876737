//! A program in a pseudo-terminal: keys in, the screen out. Shared by all suites that drive the built program.
#![allow(dead_code, reason = "each suite uses what it needs")]

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Nobody answers what has just come on screen in less.
const REACTION: Duration = Duration::from_millis(30);

/// A running program and its terminal.
pub struct Pty {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    seen: Arc<Mutex<Seen>>,
    started: Instant,
    held: Arc<AtomicBool>,
}

struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    first: Option<Instant>,
}

impl Seen {
    fn take(&mut self, bytes: &[u8]) {
        self.first.get_or_insert_with(Instant::now);
        self.parser.process(bytes);
        self.bytes.extend_from_slice(bytes);
    }
}

/// What lies between the program's machine and the terminal.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// From one end to the other: half a round trip.
    pub delay: Duration,
    /// Bytes a second to the terminal.
    pub rate: u32,
}

impl Link {
    /// How long so many bytes are on the wire.
    fn takes(self, bytes: usize) -> Duration {
        Duration::from_secs(bytes as u64) / self.rate
    }
}

impl Pty {
    /// Starts `program` in a terminal of `size` (columns, rows), with only these variables beside `PATH` in its
    /// environment.
    pub fn spawn(program: &str, size: (u16, u16), args: &[&str], env: &[(&str, &str)]) -> Self {
        Self::spawn_behind(None, program, size, args, env)
    }

    /// The same, in a terminal at the other end of a link. Nothing is kept for the link but what the kernel keeps: the
    /// program's writes wait for it.
    pub fn spawn_behind(link: Option<Link>, program: &str, size: (u16, u16), args: &[&str], env: &[(&str, &str)]) -> Self {
        let size = PtySize { cols: size.0, rows: size.1, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        for (name, value) in [("PATH", std::env::var("PATH").unwrap().as_str()), ("TERM", "xterm-256color"), ("LANG", "C.UTF-8")] {
            command.env(name, value);
        }
        for (name, value) in env {
            command.env(name, value);
        }
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let seen =
            Arc::new(Mutex::new(Seen { parser: vt100::Parser::new(size.rows, size.cols, 0), bytes: Vec::new(), first: None }));
        let into = Arc::clone(&seen);
        let held = Arc::new(AtomicBool::new(false));
        let waits = Arc::clone(&held);
        // a link carries little at a time, so that it takes nothing early
        let mut buffer = vec![0; if link.is_some() { PACKET } else { 65_536 }];
        let slow = link.map(|link| wire(link, move |bytes| into.lock().unwrap().take(bytes)));
        let direct = Arc::clone(&seen);
        // named: the probe looks up what it waited for
        let reads = thread::Builder::new().name("terminal".to_owned()).spawn(move || {
            let mut free = Instant::now();
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                match (link, &slow) {
                    (Some(link), Some(slow)) => {
                        free = free.max(Instant::now()) + link.takes(n);
                        thread::sleep(free.saturating_duration_since(Instant::now()));
                        let _ = slow.send((Instant::now(), buffer[..n].to_vec()));
                    }
                    _ => direct.lock().unwrap().take(&buffer[..n]),
                }
                while waits.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(5));
                }
            }
        });
        reads.unwrap();
        let mut keys: Box<dyn Write + Send> = pair.master.take_writer().unwrap();
        if let Some(link) = link {
            keys = Box::new(Typed(wire(link, move |bytes| keys.write_all(bytes).unwrap())));
        }
        Self { child, master: pair.master, keys, seen, started, held }
    }

    /// Starts Quarterdeck itself, with `home` as its home folder.
    pub fn quarterdeck(size: (u16, u16), args: &[&str], home: &Path) -> Self {
        Self::spawn(env!("CARGO_BIN_EXE_quarterdeck"), size, args, &[("HOME", home.to_str().unwrap())])
    }

    /// Types.
    pub fn send(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Takes no more bytes from the program (but for one read that may be under way), or takes them again.
    pub fn hold(&self, held: bool) {
        self.held.store(held, Ordering::Relaxed);
    }

    /// The rows of the screen.
    pub fn screen(&self) -> String {
        self.seen.lock().unwrap().parser.screen().contents()
    }

    /// Whether the alternate screen is on.
    pub fn alternate(&self) -> bool {
        self.seen.lock().unwrap().parser.screen().alternate_screen()
    }

    /// How many bytes have come so far.
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().bytes.len()
    }

    /// All bytes that came after the first `from`.
    pub fn bytes(&self, from: usize) -> Vec<u8> {
        self.seen.lock().unwrap().bytes[from..].to_vec()
    }

    /// From the start of the process to its first byte.
    pub fn first_byte(&self) -> Duration {
        self.seen.lock().unwrap().first.unwrap() - self.started
    }

    /// How long it has run.
    pub fn since_start(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits until the screen satisfies `is`, and as long as it takes to react to that; fails with the screen if it does not
    /// within `limit`.
    pub fn wait(&self, what: &str, limit: Duration, is: impl Fn(&str) -> bool) {
        self.until(what, limit, is);
        thread::sleep(REACTION);
    }

    /// The same, and back at once.
    pub fn until(&self, what: &str, limit: Duration, is: impl Fn(&str) -> bool) {
        let end = Instant::now() + limit;
        while !is(&self.screen()) {
            assert!(Instant::now() < end, "waited {limit:?} for {what}; the screen is\n{}", self.screen());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until `text` is on the screen.
    pub fn wait_for(&self, text: &str, limit: Duration) {
        self.wait(text, limit, |screen| screen.contains(text));
    }

    /// Waits until no byte has come for `quiet`.
    pub fn wait_quiet(&self, quiet: Duration, limit: Duration) {
        let end = Instant::now() + limit;
        let mut last = (self.count(), Instant::now());
        while last.1.elapsed() < quiet && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
            if self.count() != last.0 {
                last = (self.count(), Instant::now());
            }
        }
    }

    /// Another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        let size = PtySize { cols: columns, rows, pixel_width: 0, pixel_height: 0 };
        self.seen.lock().unwrap().parser.screen_mut().set_size(rows, columns);
        self.master.resize(size).unwrap();
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends a signal, by name as `kill` knows it, to the process.
    pub fn signal(&self, name: &str) {
        let status = std::process::Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// The state letter of the process: `S` sleeping, `T` stopped, `Z` ended.
    pub fn state(&self) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
    }

    /// Resident memory in KiB.
    pub fn resident(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most it was so far.
    pub fn resident_at_most(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// A number of the process's status (proc_pid_status(5)).
    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Waits for the end and gives the exit code.
    pub fn end(&mut self, limit: Duration) -> u32 {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // what it said last is on its way
                thread::sleep(Duration::from_millis(50));
                return status.exit_code();
            }
            assert!(Instant::now() < end, "it did not end within {limit:?}; the screen is\n{}", self.screen());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Bytes that a link carries at a time.
const PACKET: usize = 64;

/// What was sent over a link, and when.
type Sent = (Instant, Vec<u8>);

/// The delay of a link: hands on what is sent into it when it arrives.
fn wire(link: Link, mut arrive: impl FnMut(&[u8]) + Send + 'static) -> Sender<Sent> {
    let (sender, receiver): (_, Receiver<Sent>) = channel();
    thread::spawn(move || {
        while let Ok((sent, bytes)) = receiver.recv() {
            thread::sleep((sent + link.delay).saturating_duration_since(Instant::now()));
            arrive(&bytes);
        }
    });
    sender
}

/// Keys on their way over a link.
struct Typed(Sender<Sent>);

impl Write for Typed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.0.send((Instant::now(), bytes.to_vec()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
