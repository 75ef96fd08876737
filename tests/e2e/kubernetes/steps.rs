//! What becomes of each task of an evacuation, as the operations page tells it.

use super::*;

#[test]
fn each_task_of_an_evacuation_says_what_it_waits_for_and_then_where_it_went() {
    let workload = Workload::create("e2e-steps", 3);
    workload.run("create poddisruptionbudget web --selector=app=web --min-available=3");
    workload.until("the budget is seen", "get pdb web -o jsonpath={.status.currentHealthy}", |out| out == "3");
    let node = workload.pods()[0].split('|').nth(1).unwrap().to_string();
    let alone = format!(r#"{{"apiVersion":"v1","spec":{{"nodeName":"{node}"}}}}"#);
    workload.kubectl.args(&["-n", workload.namespace, "run", "bare", "--image=app:1", "--overrides", &alone]);
    let (mut app, _home) = open((110, 34));
    evacuate(&mut app, &node, SOON);
    app.send("9");
    app.wait_for("waits: budget web allows 0 (min available 3)", SOON);
    app.wait_for("belongs to no service: nothing would make it again", SOON);
    workload.run("delete pdb web");
    // a task of an earlier test's service may end on this node meanwhile: it has no successor
    let moved =
        |screen: &str| screen.lines().any(|line| ["✔ web-", "→ web-", " on node-", "ready"].iter().all(|part| line.contains(part)));
    app.wait("it says where it went", ROLLOUT, moved);
    app.wait_for("e2e-steps/web 3 of 3 ready · eu-a ", ROLLOUT);
    app.wait_for("✔ done", ROLLOUT);
    assert!(!app.screen().contains("waits: budget"), "{}", app.screen());
    workload.run(&format!("uncordon {node}"));
}
