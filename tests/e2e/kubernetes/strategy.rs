//! Rollouts that rest where their update strategy ends, and numbers set where a rollout had failed.

use super::*;

#[test]
fn a_partition_and_an_update_by_hand_are_no_pause_that_someone_must_end() {
    let workload = Workload::create("e2e-strategy", 1);
    let template = r#"{"metadata":{"labels":{"app":"db"}},"spec":{"containers":[{"name":"app","image":"app:1"}]}}"#;
    let update = r#"{"type":"RollingUpdate","rollingUpdate":{"partition":2}}"#;
    let spec = format!(
        r#"{{"serviceName":"db","replicas":3,"updateStrategy":{update},"selector":{{"matchLabels":{{"app":"db"}}}},"template":{template}}}"#
    );
    let meta = r#"{"name":"strategy-db","namespace":"e2e-strategy"}"#;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!(r#"{{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{meta},"spec":{spec}}}"#))
        .unwrap();
    workload.kubectl.run(&format!("apply -f {}", file.path().display()));
    workload.until("all are ready", "get statefulset strategy-db -o jsonpath={.status.readyReplicas}", |out| out == "3");
    let (mut app, _home) = open((200, 50));
    app.send("5");
    app.wait_for("strategy-db-2", SOON);
    app.send("4");
    app.wait_for("strategy-db", SOON);
    app.send("/strategy-db\r");
    app.wait("the cursor is on it", SOON, |screen| {
        screen.lines().any(|line| line.contains('▸') && line.contains("strategy-db")) && screen.contains("i image")
    });
    app.send("i");
    app.wait_for("set image", SOON);
    app.send("\x15app:2");
    app.wait_for("replaces 1 task, a few at a time", SOON);
    app.wait_for("the first 2 tasks keep the definition they have (partition): strategy-db-0, strategy-db-1", SOON);
    app.send("\ry");
    app.send("9");
    app.wait_for("3 of 3 ready; 2 tasks keep the definition they had (partition)", ROLLOUT);
    let images = "get pods -l app=db -o jsonpath={.items[*].spec.containers[0].image}";
    assert_eq!(workload.run(images), "app:1 app:1 app:2");

    // the same set by hand: its number can be changed, its definition is refused before it is confirmed
    workload.run(r#"patch statefulset strategy-db -p {"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}"#);
    app.send("4");
    app.wait_for("are deleted (OnDelete)", SOON);
    app.send("r");
    app.wait_for("its update strategy is OnDelete: delete its tasks one by one instead", SOON);
    app.send("s");
    app.wait_for("3→", SOON);
    app.send("\x154\r");
    app.send("9");
    app.wait_for("4 of 4 ready", ROLLOUT);
    assert!(!app.screen().contains("someone paused this service"), "{}", app.screen());
}

#[test]
fn what_a_failed_rollout_left_is_scaled_to_none() {
    let workload = Workload::create("e2e-failed", 2);
    workload.run(r#"patch deployment web -p {"spec":{"progressDeadlineSeconds":3}}"#);
    workload.run("set image deployment/web app=fail/app:2");
    workload.until("it is given up", "get deployment web -o jsonpath={.status.conditions[*].reason}", |out| {
        out.contains("ProgressDeadlineExceeded")
    });
    let (mut app, _home) = open((200, 50));
    point_at(&mut app, &workload);
    app.send("s");
    app.wait_for("2→", SOON);
    app.send("\x150\r");
    app.wait_for("type web", SOON);
    app.send("web\r");
    app.send("9");
    app.wait_for("scaled to none: nothing runs", ROLLOUT);
    app.wait_for("✔ done", SOON);
    workload.until("none is left", "get pods -l app=web -o name", str::is_empty);
}
