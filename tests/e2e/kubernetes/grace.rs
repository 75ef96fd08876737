//! How long a pod that is deleted has to end.

use super::*;

#[test]
fn deletes_a_pod_that_does_not_end_within_no_time() {
    let workload = Workload::create("e2e-grace", 1);
    let stuck = r#"{"spec":{"template":{"metadata":{"labels":{"quarterdeck.testbed/act":"stuck"}},"spec":{"terminationGracePeriodSeconds":7}}}}"#;
    let _stuck = Stuck(&workload, "deployment/web");
    workload.run(&format!("patch deployment web -p {stuck}"));
    workload.ready(1);
    workload.until("one pod", "get pods -o name", |out| out.lines().count() == 1);
    let pod = workload.run("get pods -o jsonpath={.items[0].metadata.name}");
    let (mut app, _home) = open((200, 50));
    app.send("5");
    app.wait_for(&pod, SOON);
    app.send(&format!("/{pod}\r"));
    app.wait_for("1 of ", SOON);
    app.send("\x04");
    app.wait_for("its own grace period, 7 s", SOON);
    app.send(&format!("{pod}\r"));
    let grace = format!("get pod {pod} -o jsonpath={{.metadata.deletionGracePeriodSeconds}}");
    workload.until("it is told to end", &grace, |out| out == "7");
    std::thread::sleep(Duration::from_secs(9));
    assert_eq!(workload.run(&grace), "7", "it does not end");
    app.send("\x04");
    app.wait_for("▸its own", SOON);
    app.send("\x1b[B");
    app.wait_for("killed at once", SOON);
    app.send(&format!("{pod}\r"));
    workload.until("it is gone", "get pods -o name", |out| !out.contains(&pod));
    app.send("9");
    app.wait_for(&format!("delete {pod} within 0 s"), SOON);
    app.wait_for("✔ done", ROLLOUT);
}
