//! Services deleted with their tasks and without.

use super::*;

#[test]
fn deletes_a_deployment_and_leaves_its_pods_and_then_what_was_left_with_them() {
    let workload = Workload::create("e2e-delete", 2);
    let before = workload.pods();
    let (mut app, _home) = open((200, 50));
    point_at(&mut app, &workload);
    app.send("\x04");
    app.wait_for("▸background", SOON);
    app.send("\x1b[B\x1b[B");
    app.wait_for("deletes it; its 2 tasks go on", SOON);
    app.send("web\r");
    workload.until("the deployment is gone", "get deployments -o name", str::is_empty);
    app.send("9");
    app.wait_for("the service is gone; its tasks go on", ROLLOUT);
    assert_eq!(workload.pods(), before);
    // the replicaset that the deployment had is a service of its own now
    let left = workload.run("get replicasets -o jsonpath={.items[0].metadata.name}");
    app.send("4");
    app.wait_for(&left, SOON);
    app.send("\x04");
    app.wait_for(&format!("type {left} to go on"), SOON);
    app.wait_for("deletes it; then its 2 tasks end", SOON);
    app.send(&format!("{left}\r"));
    workload.until("the pods are gone", "get pods -o name", str::is_empty);
    app.send("9");
    app.wait_for("the service and its tasks are gone", ROLLOUT);
}
