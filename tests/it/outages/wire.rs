//! A real server that is well, over a wire that is not: a proxy between the two resets, closes, silences, holds up or slices
//! what passes, while the engine lists everything for the first time and while it follows. TLS goes through it as it is.

use super::{Bench, Reading, times};
use crate::faults::wire::{Flow, carry};
use crate::faults::writer::Dice;
use crate::faults::{Fault, seed};
use crate::oracle::live;
use quarterdeck::backend::Connector;
use quarterdeck::model::Kind;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

/// After the end of a fault the picture must be equal within this time.
const WITHIN: Duration = Duration::from_secs(60);
/// Between two changes at the server while a fault lasts.
const CHANGE: Duration = Duration::from_millis(500);
/// What a wire can do.
const FAULTS: [Fault; 5] = [Fault::Reset, Fault::Closed, Fault::BlackHole, Fault::Stall, Fault::Slices];
/// How often it is tried to begin a fault in the first list, which may be over too soon.
const TRIES: usize = 20;
/// Rounds of all faults at both times in the long form.
const LONG: usize = 3;

/// Where the server is.
#[derive(Clone)]
pub enum Far {
    /// A port of this machine.
    Port(u16),
    Socket(PathBuf),
}

/// The wire to a server: a port of this machine.
pub struct Wire {
    pub port: u16,
    flow: watch::Sender<Flow>,
    /// Bytes that came from the server, and so many of them that a fault begins.
    came: AtomicUsize,
    limit: AtomicUsize,
    armed: watch::Sender<Flow>,
}

impl Wire {
    /// One to `far`; it lies as long as the task runs.
    pub async fn to(far: Far) -> (Arc<Self>, AbortOnDropHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Arc::new(Self {
            port: listener.local_addr().unwrap().port(),
            flow: watch::channel(Flow::Well).0,
            came: AtomicUsize::new(0),
            limit: AtomicUsize::new(usize::MAX),
            armed: watch::channel(Flow::Well).0,
        });
        let task = AbortOnDropHandle::new(tokio::spawn(Arc::clone(&wire).lie(listener, far)));
        (wire, task)
    }

    async fn lie(self: Arc<Self>, listener: TcpListener, far: Far) {
        let mut connections = JoinSet::new();
        loop {
            let client = tokio::select! {
                accepted = listener.accept() => accepted.unwrap().0,
                Some(_) = connections.join_next() => continue,
            };
            client.set_nodelay(true).unwrap();
            let (wire, far) = (Arc::clone(&self), far.clone());
            connections.spawn(async move {
                let came = |bytes| wire.came(bytes);
                let flow = wire.flow.subscribe();
                match far {
                    Far::Port(port) => {
                        let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                        server.set_nodelay(true).unwrap();
                        carry(client, server, flow, came).await;
                    }
                    Far::Socket(path) => {
                        let Ok(server) = UnixStream::connect(path).await else { return };
                        carry(client, server, flow, came).await;
                    }
                }
            });
        }
    }

    fn came(&self, bytes: usize) {
        let before = self.came.fetch_add(bytes, SeqCst);
        let limit = self.limit.load(SeqCst);
        if before < limit && limit <= before + bytes {
            self.flow.send_replace(*self.armed.borrow());
        }
    }

    /// The wire is so once so many more bytes have come.
    fn arm(&self, flow: Flow, bytes: usize) {
        self.armed.send_replace(flow);
        self.limit.store(self.came.load(SeqCst) + bytes.max(1), SeqCst);
    }

    fn set(&self, flow: Flow) {
        self.limit.store(usize::MAX, SeqCst);
        self.flow.send_replace(flow);
    }

    /// Each fault at each time in the long form, at one of both in the short one, while `change` changes what is there; after
    /// each what is shown must be what `read` reads, by another way.
    pub async fn faults<F>(
        platform: &'static str,
        wire: &Self,
        connector: Arc<dyn Connector>,
        read: impl Fn() -> F + Send + Sync + 'static,
        change: impl AsyncFn(&mut Dice),
    ) where
        F: Future<Output = Option<Reading>> + Send,
    {
        let mut bench = Bench::start(platform, WITHIN, connector, read).await;
        let mut dice = Dice::new(bench.dice.next());
        for _ in 0..4 {
            change(&mut dice).await;
        }
        let long = times(0) > 0;
        for round in 0..if long { LONG } else { 1 } {
            for (n, fault) in FAULTS.into_iter().enumerate() {
                for first in [true, false] {
                    if long || first == (n as u64 + seed()).is_multiple_of(2) {
                        fail(&mut bench, wire, (fault, first), long && round > 0, &mut dice, &change).await;
                    }
                }
            }
        }
        bench.end();
    }
}

/// One fault, in the first list or later.
async fn fail(
    bench: &mut Bench,
    wire: &Wire,
    (fault, first): (Fault, bool),
    long: bool,
    dice: &mut Dice,
    change: &impl AsyncFn(&mut Dice),
) {
    let lasts = fault.lasts(dice, long);
    let mut after = Dice::new(dice.next());
    if first {
        let mut all = 0;
        bench.anew(|| all = wire.came.load(SeqCst)).await;
        let mut world = bench.engine.world.clone();
        let listed = world.wait_for(|world| live(&world.clusters[0]) == Kind::ALL);
        drop(timeout(WITHIN, listed).await.expect("it is not listed over a good wire").unwrap());
        // what a first list takes, of which a part is let through
        all = wire.came.load(SeqCst) - all;
        let mut tries = 0..TRIES;
        loop {
            assert!(tries.next().is_some(), "whatever part of {all} bytes was let through, all was listed");
            wire.set(Flow::Well);
            bench.anew(|| wire.arm(Flow::of(fault), dice.below(all))).await;
            let mut flow = wire.flow.subscribe();
            let begun = timeout(Duration::from_secs(5), flow.wait_for(|flow| *flow != Flow::Well)).await;
            if begun.is_ok() && live(&bench.engine.world.borrow().clusters[0]) != Kind::ALL {
                break;
            }
        }
    } else {
        wire.set(Flow::of(fault));
    }
    let outage = async {
        let end = Instant::now() + lasts;
        while Instant::now() < end {
            change(dice).await;
            sleep(CHANGE).await;
        }
        wire.set(Flow::Well);
    };
    let when = if first { "first list" } else { "steady" };
    let name = format!("{fault:?} for {:.1} s, {when}", lasts.as_secs_f64());
    bench.round(&name, outage, change(&mut after)).await;
}
