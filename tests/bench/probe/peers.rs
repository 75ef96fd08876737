//! Other terminal programs beside Quarterdeck on the same cluster, in turns: how long each takes until all pods are listed,
//! and its processor time and memory until then. Those that are not installed are named, and left out.

use super::fleet::{Fleet, read};
use super::measure::{Answer, cpu, grouped, mb};
use super::pty::Pty;
use std::thread::sleep;
use std::time::Duration;

/// Another program, and what it is started with to list the pods of all namespaces.
struct Peer {
    name: &'static str,
    args: &'static [&'static str],
}

/// Both write above the list how many there are: `[10,000]` or `[10000]`.
const PEERS: [Peer; 2] = [Peer { name: "k9s", args: &["-A", "--command", "pods"] }, Peer { name: "sofka", args: &["-A"] }];

/// Between one program and the next.
const REST: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_secs(180);

/// `TURNS` starts of each.
pub fn run() -> Answer {
    let turns: usize = std::env::var("TURNS").map_or(5, |n| n.parse().expect("TURNS is a number"));
    let fleet = Fleet::open();
    let mut answer = Answer::default();
    answer.count("pods", fleet.pods);
    answer.count("turns", turns);
    let (there, missing): (Vec<_>, Vec<_>) = PEERS.iter().partition(|peer| installed(peer.name));
    answer.say("not_installed", missing.iter().map(|peer| peer.name).collect::<Vec<_>>());
    let (mut ours, mut all, mut others) = (Turns::default(), Vec::new(), vec![Turns::default(); there.len()]);
    for _ in 0..turns {
        all.push(quarterdeck(&fleet, &mut ours));
        for (peer, turns) in there.iter().zip(&mut others) {
            peer.start(&fleet, turns);
        }
    }
    ours.tell("quarterdeck", &mut answer);
    answer.spread("quarterdeck_all_kinds", all);
    for (peer, turns) in there.iter().zip(others) {
        turns.tell(peer.name, &mut answer);
    }
    answer
}

/// Until the pods are listed, as the others list them; then how many milliseconds after its start all kinds are read.
fn quarterdeck(fleet: &Fleet, turns: &mut Turns) -> f64 {
    sleep(REST);
    let mut app = fleet.start(None);
    app.send("5");
    let all = format!("tasks · {} ", grouped(fleet.pods));
    app.until("all tasks", LIMIT, |screen| screen.contains(&all));
    turns.take(&app);
    app.send("2");
    app.until("all kinds", LIMIT, read);
    app.since_start().as_secs_f64() * 1e3
}

/// Whether a program of this name can be started.
fn installed(name: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(name).is_file())
}

impl Peer {
    /// In a home folder of its own: what one start leaves behind helps none of the next.
    fn start(&self, fleet: &Fleet, turns: &mut Turns) {
        sleep(REST);
        let home = tempfile::tempdir().unwrap();
        let config = fleet.kubeconfig();
        let env = [("HOME", home.path()), ("KUBECONFIG", &config)].map(|(name, path)| (name, path.to_str().unwrap()));
        let app = Pty::spawn(self.name, (200, 50), self.args, &env);
        let all = [grouped(fleet.pods), fleet.pods.to_string()].map(|pods| format!("[{pods}]"));
        app.until(self.name, LIMIT, |screen| all.iter().any(|words| screen.contains(words)));
        turns.take(&app);
    }
}

/// What one program took until it had listed all pods, start after start.
#[derive(Clone, Default)]
struct Turns {
    took: Vec<f64>,
    cpu: Vec<f64>,
    peak: Vec<f64>,
}

impl Turns {
    fn take(&mut self, app: &Pty) {
        self.took.push(app.since_start().as_secs_f64() * 1e3);
        self.cpu.push(cpu(app.pid()) * 1e3);
        self.peak.push(mb(app.resident_at_most()));
    }

    fn tell(self, name: &str, answer: &mut Answer) {
        answer.spread(&format!("{name}_pods"), self.took);
        answer.spread(&format!("{name}_cpu"), self.cpu);
        answer.number(&format!("{name}_peak_mb"), self.peak.into_iter().fold(0.0, f64::max));
    }
}
