//! What was done, or half done, is taken back.

use super::*;

/// Kills the program and starts another, which offers what the first has left, and has had time to do what it should not.
fn killed(mut app: Pty, home: &tempfile::TempDir) -> Pty {
    app.signal("KILL");
    app.end(SOON);
    let env = [("DOCKER_HOST", required("DOCKER_HOST")), ("HOME", home.path().to_str().unwrap().to_owned())];
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut app = Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), (200, 50), &[], &env);
    app.wait_for("was left unfinished", SOON);
    app.send("9");
    app.wait_for("‖ paused", SOON);
    std::thread::sleep(Duration::from_secs(2));
    app
}

/// Takes back the only operation there was, once it is done: `image` is then again what it was `before`.
fn undo(app: &mut Pty, docker: &Client, image: &str, before: &str) {
    app.send("9");
    app.wait("done", ROLLOUT, |screen| screen.contains("✔ done") && screen.contains("u undo"));
    app.send("u");
    app.wait_for(&format!("goes back to image {before}"), SOON);
    app.wait_for("y to go on", SOON);
    app.send("y");
    docker.until("the image is back", ROLLOUT, image, |out| out == before);
    app.wait("both are done", ROLLOUT, |screen| screen.matches("✔ done").count() == 2);
}

#[test]
fn takes_back_another_image_unless_someone_changed_it_since() {
    let docker = Client::docker(&required("DOCKER_HOST"));
    let service = Service::create(&docker, "imaged", "app:1", 2);
    let image = "service inspect imaged --format {{.Spec.TaskTemplate.ContainerSpec.Image}}";
    let (mut app, _home) = open((200, 50));
    point_at(&mut app, "imaged");
    app.send("i");
    app.wait_for("set image imaged", SOON);
    app.send("\x15app:2");
    app.wait_for("app:1 → app:2", SOON);
    app.send("\ry");
    docker.until("the image is set", ROLLOUT, image, |out| out == "app:2");
    undo(&mut app, &docker, image, "app:1");
    service.running(2);
    // the first one is not taken back again
    app.send("\x1b[Bu");
    app.wait_for("it was changed by someone since then", SOON);
}

#[test]
fn takes_back_a_roll_back() {
    let docker = Client::docker(&required("DOCKER_HOST"));
    let service = Service::create(&docker, "returned", "app:1", 2);
    docker.run("service update --quiet --no-resolve-image --image app:2 returned");
    let image = "service inspect returned --format {{.Spec.TaskTemplate.ContainerSpec.Image}}";
    docker.until("the image is set", ROLLOUT, image, |out| out == "app:2");
    let (mut app, _home) = open((200, 50));
    point_at(&mut app, "returned");
    app.send("R");
    app.wait_for("y to go on", SOON);
    app.send("y");
    docker.until("the first image is back", ROLLOUT, image, |out| out == "app:1");
    undo(&mut app, &docker, image, "app:2");
    service.running(2);
}

#[test]
fn an_evacuation_that_a_killed_program_left_is_cancelled_and_what_it_added_goes() {
    let docker = Client::docker(&required("DOCKER_HOST"));
    let _service = Service::create(&docker, "stuck", "app:1", 3);
    // no other node has the room for a second one, so the evacuation waits
    let cores: f64 = docker.run("info --format {{.NCPU}}").parse().unwrap();
    docker.run(&format!("service update --quiet --no-resolve-image --reserve-cpu {:.1} stuck", cores * 0.6));
    let replicas = "service inspect stuck --format {{.Spec.Mode.Replicated.Replicas}}{{.Spec.Labels}}";
    assert_eq!(docker.run(replicas), "3map[]");
    let (mut app, home) = open((200, 50));
    evacuate(&mut app, "node2", SOON);
    docker.until("one more", ROLLOUT, replicas, |out| out.starts_with('4') && out.contains("quarterdeck"));
    let mut app = killed(app, &home);
    assert!(docker.run(replicas).starts_with('4'), "nothing goes back by itself");
    app.send("x");
    app.wait_for("took back the tasks that 1 service had more for it (stuck); node2 stays paused", SOON);
    assert_eq!(docker.run(replicas), "3map[]");
    let record = std::fs::read_to_string(home.path().join(".local/state/quarterdeck/audit/audit-000001.jsonl")).unwrap();
    let last = record.lines().last().unwrap();
    assert!(last.contains("\"stage\":\"cancelled\"") && last.contains("took back"), "{record}");
    docker.run("node update --availability active node2");
}

#[test]
fn a_move_that_a_killed_program_left_is_cancelled_and_the_constraint_goes() {
    let docker = Client::docker(&required("DOCKER_HOST"));
    let _service = Service::create(&docker, "held", "app:1", 3);
    // no other node may take a second one, so the move waits
    docker.run("service update --detach --no-resolve-image --replicas-max-per-node 1 held");
    let seen = "service inspect held --format {{.Spec.TaskTemplate.Placement}}{{.Spec.Labels}}";
    let before = docker.run(seen);
    let (mut app, home) = open((200, 50));
    app.send("5");
    app.wait_for("held.1", SOON);
    app.send("/held.1\r");
    app.wait_for("1 of ", SOON);
    app.send("m");
    app.wait_for("y to go on", SOON);
    app.send("y");
    docker.until("its node is forbidden", ROLLOUT, seen, |out| out.contains("node.id!=") && out.contains("quarterdeck.avoids."));
    app.send("9");
    app.wait_for("0 of 1 task moved · 1 does not start", SOON);
    let mut app = killed(app, &home);
    assert!(docker.run(seen).contains("node.id!="), "nothing goes back by itself");
    app.send("x");
    app.wait_for("its old node is allowed again (held)", SOON);
    assert_eq!(docker.run(seen), before);
}
