//! Outages of an engine, alone or as the manager of a swarm: the ways it goes, and what happens meanwhile.

use super::real::{required, testbed};
use super::wire::{Far, Wire};
use super::{Bench, Reading, times};
use crate::faults::writer::Dice;
use quarterdeck::backend::Connector;
use quarterdeck::backend::docker::{Env, discover};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// The socket of an engine, and the link through which it is reached by what follows it: without that the engine is up, and
/// away.
pub struct Door {
    socket: PathBuf,
    link: PathBuf,
    _folder: tempfile::TempDir,
}

impl Door {
    /// To the engine of `DOCKER_HOST`.
    pub fn open() -> Self {
        let host = required("DOCKER_HOST");
        let socket = PathBuf::from(host.strip_prefix("unix://").expect("the testbed's engines have a socket"));
        let folder = tempfile::tempdir().unwrap();
        let door = Self { link: folder.path().join("engine.sock"), socket, _folder: folder };
        door.unlock();
        door
    }

    pub fn lock(&self) {
        std::fs::remove_file(&self.link).unwrap();
    }

    pub fn unlock(&self) {
        std::os::unix::fs::symlink(&self.socket, &self.link).unwrap();
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    pub fn connector(&self) -> Arc<dyn Connector> {
        connector(&format!("unix://{}", self.link.display()))
    }
}

/// To the engine of this address.
fn connector(host: &str) -> Arc<dyn Connector> {
    let var = |name: &str| (name == "DOCKER_HOST").then(|| host.to_owned());
    let mut found = discover(&Env { var: &var, home: None, socket: PathBuf::from("/nonexistent") });
    Arc::new(found.remove(0))
}

/// Follows the engine of `DOCKER_HOST` over a wire that fails.
pub async fn wire<F>(
    platform: &'static str,
    read: impl Fn(PathBuf) -> F + Send + Sync + 'static,
    change: impl AsyncFn(&str, &mut Dice),
) where
    F: Future<Output = Option<Reading>> + Send,
{
    let (docker, door) = (required("DOCKER"), Door::open());
    let socket = door.socket().to_owned();
    let (wire, _lies) = Wire::to(Far::Socket(socket.clone())).await;
    let over = connector(&format!("tcp://127.0.0.1:{}", wire.port));
    Wire::faults(platform, &wire, over, move || read(socket.clone()), async |dice| change(&docker, dice).await).await;
}

/// One outage of an engine.
pub struct Outage {
    /// Without a word, or as a machine that is shut down.
    pub kill: bool,
    /// Whether it is up again, and things happen there, before anybody can reach it.
    pub hidden: bool,
    pub lasts: Duration,
}

impl Outage {
    /// Half of them are kills, half are hidden, and each fifth takes long.
    pub fn cast(dice: &mut Dice, round: usize) -> Self {
        let longest = if round % 5 == 4 { 40_000 } else { 4_000 };
        Self { kill: round % 2 == 1, hidden: dice.below(2) == 0, lasts: Duration::from_millis(dice.next() % longest) }
    }

    pub fn name(&self) -> String {
        let how = if self.kill { "killed" } else { "shut down" };
        let met = if self.hidden { "met later" } else { "met at once" };
        format!("{how} for {:.1} s, {met}", self.lasts.as_secs_f64())
    }

    /// Takes the engine away with `script` (and the number of the node, if it has one), and brings it back.
    pub async fn happen(&self, bed: &Bed, meanwhile: impl Future<Output = ()>) {
        if self.hidden {
            bed.door.lock();
        }
        testbed(bed.script, &[&[if self.kill { "kill" } else { "stop" }], bed.node].concat()).await;
        // one that is being shut down answers until the end
        bed.seen.leave(true);
        sleep(self.lasts).await;
        if !self.hidden {
            bed.seen.leave(false);
        }
        testbed(bed.script, &[&["start"], bed.node].concat()).await;
        meanwhile.await;
        if self.hidden {
            bed.seen.leave(false);
            bed.door.unlock();
        }
    }
}

/// What an outage happens to.
pub struct Bed {
    pub door: Door,
    pub seen: Arc<super::Seen>,
    pub script: &'static str,
    pub node: &'static [&'static str],
}

impl Bed {
    /// Takes it away again and again, `rounds` times in the short form, while `change` changes what is there; after each
    /// time what is shown must be what `read` reads.
    pub async fn outages<F>(
        platform: &'static str,
        within: Duration,
        node: &'static [&'static str],
        rounds: usize,
        read: impl Fn(PathBuf) -> F + Send + Sync + 'static,
        change: impl AsyncFn(&str, &mut Dice),
    ) where
        F: Future<Output = Option<Reading>> + Send,
    {
        let (docker, door) = (required("DOCKER"), Door::open());
        let socket = door.socket().to_owned();
        let mut bench = Bench::start(platform, within, door.connector(), move || read(socket.clone())).await;
        let bed = Self { door, seen: Arc::clone(&bench.seen), script: platform, node };
        let mut dice = Dice::new(bench.dice.next());
        for _ in 0..4 {
            change(&docker, &mut dice).await;
        }
        for round in 0..times(rounds) {
            let outage = Outage::cast(&mut bench.dice, round);
            let mut after = Dice::new(dice.next());
            let meanwhile = async {
                for _ in 0..3 {
                    change(&docker, &mut dice).await;
                }
            };
            bench.round(&outage.name(), outage.happen(&bed, meanwhile), change(&docker, &mut after)).await;
        }
        bench.end();
    }
}
