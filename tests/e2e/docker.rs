//! A real single Docker engine: the program asks it, `docker` checks.

use crate::platform::{Client, quarterdeck, required};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

struct Container<'a> {
    docker: &'a Client,
    name: &'static str,
}

impl<'a> Container<'a> {
    fn run(docker: &'a Client, name: &'static str, labels: &[&str]) -> Self {
        docker.attempt(&["rm", "--force", name]);
        let mut args = vec!["run", "--detach", "--name", name, "--network", "none"];
        labels.iter().for_each(|label| args.extend(["--label", label]));
        args.extend([
            "app:1",
            "/bin/sh",
            "-c",
            "trap exit TERM; n=0; while :; do n=$((n+1)); echo line $n from within; sleep 1 & wait; done",
        ]);
        docker.args(&args);
        Self { docker, name }
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        self.docker.attempt(&["rm", "--force", self.name]);
    }
}

#[test]
fn stops_and_starts_a_container_and_follows_its_log() {
    let host = required("DOCKER_HOST");
    let docker = Client::docker(&host);
    let _container = Container::run(&docker, "lone", &[]);
    let (mut app, _home) = quarterdeck((200, 50), &[("DOCKER_HOST", &host)]);
    app.send("5");
    app.wait_for("lone", SOON);
    app.send("/lone\r");
    app.wait_for("1 of ", SOON);
    app.send("l");
    app.wait_for("from within", SOON);
    app.send("\x1b");
    app.wait_for("1 of ", SOON);
    app.send("x");
    app.wait_for("y to go on", SOON);
    app.send("y");
    docker.until("stopped", Duration::from_secs(30), "inspect lone --format {{.State.Running}}", |out| out == "false");
    app.wait_for("stopped", SOON);
    app.send("u");
    app.wait_for("enter to go on", SOON);
    app.send("\r");
    docker.until("started", Duration::from_secs(30), "inspect lone --format {{.State.Running}}", |out| out == "true");
    // its row, not the word of the operation that starts it
    app.wait_for("running for ", SOON);
    app.send("r");
    app.wait_for("starts it again", SOON);
    app.send("y");
    app.send("9");
    app.wait_for("restart lone", SOON);
    app.wait("the restart to be seen", Duration::from_secs(40), |screen| {
        screen.lines().any(|line| line.contains("restart lone") && line.contains("done"))
    });
    app.send("5D");
    app.wait_for("type lone to go on", SOON);
    app.send("lone\r");
    docker.until("deleted", Duration::from_secs(30), "ps --all --quiet --filter name=^lone$", str::is_empty);
}

#[test]
fn groups_compose_containers_into_their_service() {
    let host = required("DOCKER_HOST");
    let docker = Client::docker(&host);
    let labels = ["com.docker.compose.project=blog", "com.docker.compose.service=wiki"];
    let _one = Container::run(&docker, "blog-wiki-1", &labels);
    let _two = Container::run(&docker, "blog-wiki-2", &labels);
    let (mut app, _home) = quarterdeck((80, 24), &[("DOCKER_HOST", &host)]);
    app.send("4");
    app.wait_for("wiki", SOON);
    app.wait_for("2/2", SOON);
    docker.run("stop --time 1 blog-wiki-2");
    app.wait_for("1/1", SOON);
}

#[test]
fn prunes_what_nothing_uses_and_says_what_it_came_to() {
    let host = required("DOCKER_HOST");
    let docker = Client::docker(&host);
    docker.attempt(&["rm", "--force", "spent"]);
    docker.args(&["run", "--detach", "--name", "spent", "--network", "none", "busybox:qd", "/bin/sh", "-c", "echo over"]);
    docker.run("wait spent");
    docker.run("volume create kept");
    let (mut app, _home) = quarterdeck((160, 50), &[("DOCKER_HOST", &host)]);
    app.send("3");
    app.wait_for("engine", SOON);
    app.send("X");
    app.wait("what there is", SOON, |screen| screen.contains("spent") && screen.contains("kept: 1 named volume: kept"));
    app.wait_for("y to go on", SOON);
    app.send("y");
    docker.until("removed", SOON, "ps --all --quiet --filter name=^spent$", str::is_empty);
    app.send("9");
    app.wait("how it went", SOON, |screen| {
        screen.lines().any(|line| line.contains("prune node") && line.contains("done"))
            && screen.contains("removed, the engine holds")
    });
    assert_eq!(docker.run("volume ls --quiet --filter name=^kept$"), "kept");
    docker.run("volume rm kept");
}
