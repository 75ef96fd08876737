//! A real Swarm of three nodes: the program asks its manager, `docker` checks.

mod back;

use crate::platform::{Client, evacuate, quarterdeck, required, wait_gone};
use crate::pty::Pty;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);
const ROLLOUT: Duration = Duration::from_secs(90);

/// A service that prints a line a second; removed again when the test ends, however it ends.
struct Service<'a> {
    docker: &'a Client,
    name: &'static str,
}

impl<'a> Service<'a> {
    fn create(docker: &'a Client, name: &'static str, image: &str, replicas: u32) -> Self {
        docker.attempt(&["service", "rm", name]);
        let replicas = replicas.to_string();
        docker.args(&[
            "service",
            "create",
            "--detach",
            "--name",
            name,
            "--replicas",
            &replicas,
            "--no-resolve-image",
            "--endpoint-mode",
            "dnsrr",
            "--update-monitor",
            "1s",
            "--rollback-monitor",
            "1s",
            "--stop-grace-period",
            "1s",
            "--restart-delay",
            "1s",
            image,
            "/bin/sh",
            "-c",
            "trap exit TERM; n=0; while :; do n=$((n+1)); echo line $n of $HOSTNAME; sleep 1 & wait; done",
        ]);
        docker.until(
            "service is up",
            ROLLOUT,
            &format!("service ps {name} --filter desired-state=running --format {{{{.CurrentState}}}}"),
            |out| out.lines().filter(|line| line.starts_with("Running")).count() == replicas.parse::<usize>().unwrap(),
        );
        Self { docker, name }
    }

    /// Tasks the Swarm wants running and that run: one line each with id and node.
    fn running(&self, count: usize) -> Vec<String> {
        let line = format!(
            "service ps {} --no-trunc --filter desired-state=running --format {{{{.ID}}}}|{{{{.Node}}}}|{{{{.CurrentState}}}}",
            self.name
        );
        let out = self
            .docker
            .until("tasks running", ROLLOUT, &line, |out| out.lines().filter(|l| l.contains("|Running")).count() == count);
        out.lines().map(String::from).collect()
    }
}

impl Drop for Service<'_> {
    fn drop(&mut self) {
        self.docker.attempt(&["service", "rm", self.name]);
    }
}

fn open(size: (u16, u16)) -> (Pty, tempfile::TempDir) {
    quarterdeck(size, &[("DOCKER_HOST", &required("DOCKER_HOST"))])
}

/// Goes to the services pane with the cursor on the service.
fn point_at(app: &mut Pty, service: &str) {
    app.send("4");
    app.wait_for(service, SOON);
    app.send(&format!("/{service}\r"));
    app.wait_for("1 of ", SOON);
}

#[test]
fn scales_from_two_to_five_and_the_operation_ends_when_five_run() {
    let docker = Client::docker(&required("DOCKER_HOST"));
    let service = Service::create(&docker, "scaled", "app:1", 2);
    let (mut app, _home) = open((200, 50));
    point_at(&mut app, "scaled");
    app.send("s");
    app.wait_for("2→", SOON);
    app.send("\x155\r");
    assert_eq!(service.running(5).len(), 5);
    app.send("9");
    app.wait_for("done", ROLLOUT);
    app.wait_for("2→5", SOON);
}

#[test]
fn redeploys_every_task() {
    let docker = Client::docker(&required("DOCKER_HOST"));
    let service = Service::create(&docker, "redeployed", "app:1", 2);
    let before = service.running(2);
    let (mut app, _home) = open((80, 24));
    point_at(&mut app, "redeployed");
    app.send("r");
    app.wait_for("enter to go on", SOON);
    app.send("\r");
    let id = |line: &String| line.split('|').next().unwrap().to_string();
    let start = Instant::now();
    while service.running(2).iter().any(|now| before.iter().any(|old| id(old) == id(now))) {
        assert!(start.elapsed() < ROLLOUT, "old tasks still run: {before:?}");
        std::thread::sleep(Duration::from_millis(300));
    }
    app.send("9");
    app.wait_for("done", ROLLOUT);
}

#[test]
fn rolls_back_to_the_image_before() {
    let docker = Client::docker(&required("DOCKER_HOST"));
    let service = Service::create(&docker, "rolled", "app:1", 2);
    docker.run("service update --detach --no-resolve-image --image app:2 rolled");
    docker.until("updated", ROLLOUT, "service inspect rolled --format {{.UpdateStatus.State}}", |out| out == "completed");
    let (mut app, _home) = open((200, 50));
    point_at(&mut app, "rolled");
    app.send("R");
    app.wait_for("y to go on", SOON);
    app.send("y");
    docker.until("image is back", ROLLOUT, "service inspect rolled --format {{.Spec.TaskTemplate.ContainerSpec.Image}}", |out| {
        out == "app:1"
    });
    service.running(2);
    app.send("9");
    app.wait_for("done", ROLLOUT);
}

#[test]
fn evacuates_a_node_and_everything_runs_elsewhere() {
    let docker = Client::docker(&required("DOCKER_HOST"));
    let service = Service::create(&docker, "moved", "app:1", 3);
    assert!(service.running(3).iter().any(|line| line.contains("|node2|")), "the Swarm spreads three tasks over three nodes");
    let (mut app, _home) = open((200, 50));
    evacuate(&mut app, "node2", SOON);
    app.send("9");
    let start = Instant::now();
    while service.running(3).iter().any(|line| line.contains("|node2|")) {
        assert!(start.elapsed() < ROLLOUT, "tasks still on node2; the screen is\n{}", app.screen());
        std::thread::sleep(Duration::from_millis(300));
    }
    app.send("9");
    app.wait_for("done", ROLLOUT);
    let moved =
        |screen: &str| screen.lines().any(|line| line.contains("✔ moved.") && line.contains("→ ") && line.contains(", ready"));
    app.wait("it says where it went", SOON, moved);
    docker.until("node2 takes no tasks", SOON, "node inspect node2 --format {{.Spec.Availability}}", |out| out != "active");
    docker.run("node update --availability active node2");
}

#[test]
fn drains_a_node_as_the_swarm_does_and_takes_it_back() {
    let docker = Client::docker(&required("DOCKER_HOST"));
    let service = Service::create(&docker, "drained", "app:1", 3);
    let (mut app, _home) = open((80, 24));
    app.send("3");
    app.wait_for("node2", SOON);
    app.send("/node2\r");
    app.wait_for("1 of ", SOON);
    app.send("D");
    app.wait_for("type node2", SOON);
    app.send("node2\r");
    docker.until("node2 is drained", SOON, "node inspect node2 --format {{.Spec.Availability}}", |out| out == "drain");
    app.wait_for("drained", SOON);
    assert!(service.running(3).iter().all(|line| !line.contains("|node2|")), "tasks still on node2");
    app.send("9");
    app.wait_for("done", ROLLOUT);
    app.send("\x1b");
    app.wait_for("node2", SOON);
    app.send("u");
    app.wait_for("activate node node2", SOON);
    app.send("\r");
    docker.until("node2 is back", SOON, "node inspect node2 --format {{.Spec.Availability}}", |out| out == "active");
}

#[test]
fn deletes_a_task_on_its_own_engine_and_says_before_that_it_cannot_elsewhere() {
    let docker = Client::docker(&required("DOCKER_HOST"));
    let service = Service::create(&docker, "deleted", "app:1", 3);
    let tasks = service.running(3);
    let slot = |node: &str| {
        let id = tasks.iter().find(|line| line.contains(&format!("|{node}|"))).unwrap().split('|').next().unwrap();
        docker.run(&format!("inspect --type task --format {{{{.Slot}}}} {id}"))
    };
    let (mut app, _home) = open((200, 50));
    app.send("5");
    let press = |app: &mut Pty, node: &str| {
        let name = format!("deleted.{}", slot(node));
        app.wait_for(&name, SOON);
        app.send(&format!("/{name}\r"));
        app.wait_for("1 of ", SOON);
        app.send("\x04");
        name
    };
    press(&mut app, "node3");
    app.wait_for("connect to node3", SOON);
    app.send("\x1b");
    let name = press(&mut app, "node1");
    app.wait_for(&format!("type {name}"), SOON);
    app.send(&format!("{name}\r"));
    app.send("9");
    app.wait_for("done", ROLLOUT);
    let id = |line: &String| line.split('|').next().unwrap().to_owned();
    let now: Vec<_> = service.running(3).iter().map(id).collect();
    let gone: Vec<_> = tasks.iter().filter(|task| !now.contains(&id(task))).collect();
    assert!(gone.len() == 1 && gone[0].contains("|node1|"), "{gone:?}");
}

#[test]
fn reschedules_one_task_to_another_node() {
    let docker = Client::docker(&required("DOCKER_HOST"));
    let service = Service::create(&docker, "resched", "app:1", 1);
    let node = service.running(1)[0].split('|').nth(1).unwrap().to_string();
    let (mut app, _home) = open((200, 50));
    app.send("5");
    app.wait_for("resched.1", SOON);
    app.send("/resched.1\r");
    app.wait_for("1 of ", SOON);
    app.send("m");
    app.wait_for("y to go on", SOON);
    app.send("y");
    let start = Instant::now();
    while service.running(1)[0].split('|').nth(1) == Some(node.as_str()) {
        assert!(start.elapsed() < ROLLOUT, "still on {node}; the screen is\n{}", app.screen());
        std::thread::sleep(Duration::from_millis(300));
    }
    app.send("9");
    app.wait_for("done", ROLLOUT);
    let spec = docker.run("service inspect resched --format {{.Spec.TaskTemplate.Placement}}");
    assert!(!spec.contains("node.id"), "the constraint that moved it is still there: {spec}");
}

#[test]
fn shows_the_logs_of_all_replicas_and_of_those_that_join() {
    let docker = Client::docker(&required("DOCKER_HOST"));
    let service = Service::create(&docker, "chatty", "app:1", 2);
    let (mut app, _home) = open((200, 50));
    point_at(&mut app, "chatty");
    app.send("l");
    let hosts = |count: usize| -> Vec<String> {
        service.running(count);
        docker
            .until("logs", SOON, "service logs --raw --tail 3 chatty", |out| hosts_in(out).len() == count)
            .lines()
            .map(String::from)
            .collect()
    };
    for host in hosts_in(&hosts(2).join("\n")) {
        app.wait_for(&format!("of {host}"), SOON);
    }
    docker.run("service scale --detach chatty=3");
    for host in hosts_in(&hosts(3).join("\n")) {
        app.wait_for(&format!("of {host}"), SOON);
    }
}

/// The containers' host names in lines that end with `of HOST`.
fn hosts_in(logs: &str) -> Vec<String> {
    let mut hosts: Vec<String> =
        logs.lines().filter_map(|line| line.rsplit_once(" of ").map(|(_, host)| host.trim().to_string())).collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

#[test]
fn tells_within_fifteen_seconds_that_a_worker_and_then_that_the_manager_is_gone() {
    let docker = Client::docker(&required("DOCKER_HOST"));
    // the manager hears of a silent worker after three heartbeats: 5 s each by default
    docker.run("swarm update --dispatcher-heartbeat 2s");
    let (mut app, _home) = open((200, 50));
    app.send("3");
    app.wait_for("node3", SOON);
    assert!(!app.screen().contains("down"), "no node is down yet:\n{}", app.screen());
    testbed(&["kill", "3"]);
    docker.until("the manager knows", Duration::from_secs(40), "node ls --format {{.Hostname}}={{.Status}}", |out| {
        out.contains("node3=Down")
    });
    let known = Instant::now();
    app.wait_for("down", Duration::from_secs(15));
    println!("worker down on screen {:.1} s after the manager knew", known.elapsed().as_secs_f64());
    testbed(&["start", "3"]);
    docker.until("node3 is back", Duration::from_secs(60), "node ls --format {{.Hostname}}={{.Status}}", |out| {
        out.contains("node3=Ready")
    });

    let killed = Instant::now();
    testbed(&["kill", "1"]);
    app.wait_for("stale", Duration::from_secs(15));
    println!("manager gone on screen {:.1} s after the kill", killed.elapsed().as_secs_f64());
    testbed(&["start", "1"]);
    wait_gone(&app, "stale", Duration::from_secs(60));
    docker.until("all nodes are back", Duration::from_secs(60), "node ls --format {{.Status}}", |out| {
        out.lines().filter(|l| *l == "Ready").count() == 3
    });
}

#[test]
fn reaches_an_engine_over_tls_by_its_docker_context_and_says_what_is_wrong_with_others() {
    let (host, tls) = (required("TLS_HOST"), required("TLS_DIR"));
    let config = tempfile::tempdir().unwrap();
    let docker = Client::docker_config(config.path());
    let context = |name: &str, files: &str| {
        docker.args(&["context", "create", name, "--docker", &format!("host={host}{}", files.replace('@', &format!("{tls}/")))]);
    };
    context("secure", ",ca=@ca.pem,cert=@cert.pem,key=@key.pem");
    context("stranger", ",ca=@engine.crt,cert=@cert.pem,key=@key.pem");
    context("nobody", ",ca=@ca.pem");
    for (name, says) in
        [("secure", "live"), ("stranger", "its certificate is of an unknown authority (check ca.pem)"), ("nobody", "unauthorised")]
    {
        // they are one engine: alone, each is shown
        let only = tempfile::tempdir().unwrap();
        let folder = |kind: &str| format!("contexts/{kind}/{}", hash_of(config.path(), name));
        for kind in ["meta", "tls"] {
            copy(&config.path().join(folder(kind)), &only.path().join(folder(kind)));
        }
        let (mut app, _home) = quarterdeck((200, 50), &[("DOCKER_CONFIG", only.path().to_str().unwrap())]);
        app.send("2");
        app.wait(&format!("{name}: {says}"), SOON, |screen| screen.contains(name) && screen.contains(says));
    }
}

/// The folder that docker's client keeps a context in.
fn hash_of(config: &Path, name: &str) -> String {
    let mut all = std::fs::read_dir(config.join("contexts/meta")).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: &std::path::PathBuf| {
        std::fs::read_to_string(path.join("meta.json")).unwrap().contains(&format!("\"Name\":\"{name}\""))
    };
    all.find(of).unwrap().file_name().unwrap().to_str().unwrap().to_owned()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &to) } else { assert!(std::fs::copy(entry.path(), to).is_ok()) }
    }
}

#[test]
fn reaches_an_engine_through_ssh() {
    // the ssh of this test logs in nowhere: it runs what it is told to run over there right here, beside a banner
    let bin = tempfile::tempdir().unwrap();
    let ssh = bin.path().join("ssh");
    let socket = required("DOCKER_HOST");
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> {0}/asked\necho 'Authorised use only' >&2\nDOCKER_HOST={socket} exec docker system dial-stdio\n",
        bin.path().display()
    );
    std::fs::write(&ssh, script).unwrap();
    std::fs::set_permissions(&ssh, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
    let (mut app, _home) = quarterdeck((200, 50), &[("DOCKER_HOST", "ssh://ops@edge-1"), ("PATH", &path)]);
    app.send("3");
    app.wait("the swarm's nodes", SOON, |screen| ["node1", "node2", "node3", "1 live"].iter().all(|word| screen.contains(word)));
    assert!(!app.screen().contains("Authorised"), "what ssh says does not get onto the screen:\n{}", app.screen());
    let asked = std::fs::read_to_string(bin.path().join("asked")).unwrap();
    assert!(asked.lines().all(|line| line.contains("edge-1") && line.ends_with("docker system dial-stdio")), "{asked}");
}

fn testbed(args: &[&str]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/testbed/swarm");
    assert!(Command::new(script).args(args).status().unwrap().success(), "{script} {args:?}");
}

#[test]
fn shows_how_a_machine_joins_when_asked_and_makes_a_new_token() {
    let host = required("DOCKER_HOST");
    let docker = Client::docker(&host);
    let line = "swarm join-token --quiet worker";
    let token = docker.run(line);
    let (mut app, _home) = quarterdeck((160, 50), &[("DOCKER_HOST", &host)]);
    app.send("3");
    app.wait_for("leader", SOON);
    app.send("J");
    app.wait_for("docker swarm join --token ••••", SOON);
    assert!(!app.screen().contains(&token), "before it was asked for");
    app.send("r");
    app.wait_for(&token, SOON);
    app.send("\x1b");
    wait_gone(&app, &token, SOON);
    app.send("W");
    app.wait_for("y to go on", SOON);
    app.send("y");
    let new = docker.until("another token", SOON, line, |out| out != token);
    app.send("9");
    app.wait("the rotation to be seen", SOON, |screen| {
        screen.lines().any(|line| line.contains("rotate join token of workers") && line.contains("done"))
    });
    app.send("3J");
    app.wait_for("docker swarm join --token ••••", SOON);
    app.send("r");
    app.wait_for(&new, SOON);
}
