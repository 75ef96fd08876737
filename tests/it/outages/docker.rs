//! An engine that is shut down and killed again and again, while containers come and go.

use super::real::{at, attempt, get, list, required, run, testbed};
use super::{Bench, Reading, times};
use crate::faults::writer::Dice;
use quarterdeck::backend::Connector;
use quarterdeck::backend::docker::{Env, discover};
use quarterdeck::model::Kind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// After an outage of an engine the picture must be equal within this time.
pub const WITHIN: Duration = Duration::from_secs(10);

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
        let host = format!("unix://{}", self.link.display());
        let var = |name: &str| (name == "DOCKER_HOST").then(|| host.clone());
        let mut found = discover(&Env { var: &var, home: None, socket: PathBuf::from("/nonexistent") });
        Arc::new(found.remove(0))
    }
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

async fn read(socket: PathBuf) -> Option<Reading> {
    let (info, containers) = (get(&socket, "/info").await?, get(&socket, "/containers/json?all=1").await?);
    let id = at(&info, "/ID");
    let node = (id.to_owned(), format!("{id} {} paused=false", at(&info, "/ServerVersion")));
    let key = |container: &serde_json::Value| at(container, "/Id").to_owned();
    let runs = |container| matches!(at(container, "/State"), "running" | "restarting");
    let containers = list(&containers);
    let tasks = containers.iter().map(|one| (key(one), format!("{} runs={}", at(one, "/Image"), runs(one))));
    let services = containers.iter().map(|one| (key(one), at(one, "/Image").to_owned()));
    // events are not compared: those of before are kept, and an engine forgets them
    Some(vec![(Kind::Node, [node].into()), (Kind::Task, tasks.collect()), (Kind::Service, services.collect())])
}

/// A container comes, goes, stops or starts.
async fn change(docker: &str, dice: &mut Dice) {
    let all = run(docker, &["ps", "-aq"]).await;
    let all: Vec<&str> = all.lines().collect();
    let image = ["app:1", "app:2"][dice.below(2)];
    let policy = ["no", "always", "unless-stopped"][dice.below(3)];
    let some = if all.is_empty() { "" } else { all[dice.below(all.len())] };
    match dice.below(4) {
        _ if all.len() < 4 => drop(run(docker, &["run", "-d", "--network", "none", "--restart", policy, image]).await),
        0 | 1 if all.len() > 12 => drop(run(docker, &["rm", "-f", some]).await),
        0 => drop(run(docker, &["run", "-d", "--network", "none", "--restart", policy, image]).await),
        1 => drop(run(docker, &["rm", "-f", some]).await),
        2 => drop(run(docker, &["stop", "-t", "1", some]).await),
        // one that is being started again by its policy may refuse
        _ => drop(attempt(docker, &["start", some]).await),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the testbed's engine in DOCKER_HOST: tests/outages"]
async fn an_engine_that_was_away_is_shown_as_it_is_soon_after() {
    let (docker, door) = (required("DOCKER"), Door::open());
    let socket = door.socket().to_owned();
    let mut bench = Bench::start("docker", WITHIN, door.connector(), move || read(socket.clone())).await;
    let bed = Bed { door, seen: Arc::clone(&bench.seen), script: "docker", node: &[] };
    let mut dice = Dice::new(bench.dice.next());
    for _ in 0..4 {
        change(&docker, &mut dice).await;
    }
    for round in 0..times(4) {
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
