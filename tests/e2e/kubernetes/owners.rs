//! Pods that are not of the service that was looked at, or of none: what keeps them running decides what becomes of them.

use super::*;

/// A ReplicationController, which is no service here, with pods of these labels on this node.
fn controller(workload: &Workload, name: &str, replicas: u32, labels: &str, node: &str) {
    let template = format!(
        r#"{{"metadata":{{"labels":{{"by":"{name}",{labels}}}}},"spec":{{"nodeSelector":{{"kubernetes.io/hostname":"{node}"}},"containers":[{{"name":"app","image":"app:1"}}]}}}}"#
    );
    let spec = format!(r#"{{"replicas":{replicas},"selector":{{"by":"{name}"}},"template":{template}}}"#);
    let meta = format!(r#"{{"name":"{name}","namespace":"{}"}}"#, workload.namespace);
    let file = tempfile::NamedTempFile::new().unwrap();
    let object = format!(r#"{{"apiVersion":"v1","kind":"ReplicationController","metadata":{meta},"spec":{spec}}}"#);
    std::fs::write(file.path(), object).unwrap();
    workload.kubectl.run(&format!("apply -f {}", file.path().display()));
    let ready = format!("get rc {name} -o jsonpath={{.status.readyReplicas}}");
    workload.until("the controller's pods are ready", &ready, |out| out == replicas.to_string());
}

#[test]
fn an_evacuation_tells_of_a_controllers_pod_and_a_bare_one_and_is_done_when_all_that_leaves_has_left() {
    let workload = Workload::create("e2e-owners", 1);
    let node = workload.pods()[0].split('|').nth(1).unwrap().to_string();
    // it does not end before it is deleted by force
    let _stuck = Stuck(&workload, "rc/rc");
    controller(&workload, "rc", 1, r#""quarterdeck.testbed/act":"stuck""#, &node);
    let alone = format!(r#"{{"apiVersion":"v1","spec":{{"nodeName":"{node}"}}}}"#);
    workload.kubectl.args(&["-n", workload.namespace, "run", "bare", "--image=app:1", "--overrides", &alone]);
    workload.until("the bare pod is ready", "get pod bare", |out| out.contains("1/1"));
    let kept = workload.run("get pods -l by=rc -o jsonpath={.items[0].metadata.name}");
    let (mut app, _home) = open((200, 50));
    app.send("5");
    app.wait_for(&kept, SOON);
    app.send("3");
    app.wait_for(&node, SOON);
    app.send(&format!("/{node}\r"));
    app.wait_for("1 of ", SOON);
    app.send("E");
    app.wait_for("(ReplicationController); whether a budget holds it", SOON);
    app.wait_for("bare belongs to no service, nothing would make a new one", SOON);
    app.send(&format!("{node}\r"));
    app.send("9");
    app.wait_for("belongs to no service: nothing would make it again", SOON);
    app.wait_for("was told to go, and ends", SOON);
    std::thread::sleep(Duration::from_secs(4));
    assert!(!app.screen().contains("✔ done"), "its pod is there yet:\n{}", app.screen());
    workload.run(&format!("delete pod {kept} --grace-period=0 --force"));
    app.wait_for("✔ done", ROLLOUT);
    app.wait_for("e2e-owners/bare stays: nothing would make it again", SOON);
    workload.run("get pod bare");
    workload.run(&format!("uncordon {node}"));
}

#[test]
fn a_rebalance_leaves_pods_alone_that_only_have_the_same_labels() {
    let workload = Workload::create("e2e-labels", 3);
    let node = workload.pods()[0].split('|').nth(1).unwrap().to_string();
    let nodes = workload.kubectl.run("get nodes -o jsonpath={.items[*].metadata.name}");
    let others: Vec<&str> = nodes.split_whitespace().filter(|other| *other != node).collect();
    others.iter().for_each(|other| drop(workload.run(&format!("cordon {other}"))));
    let here = workload.kubectl.attempt(&["-n", workload.namespace, "delete", "pods", "-l", "app=web"]);
    workload.ready(3);
    others.iter().for_each(|other| drop(workload.run(&format!("uncordon {other}"))));
    assert!(here.0, "{}", here.1);
    controller(&workload, "twin", 5, r#""app":"web""#, &node);
    let of = "get pods -l by=twin -o jsonpath={.items[*].metadata.uid}";
    let before = workload.run(of);
    let (mut app, _home) = open((160, 40));
    app.send("3");
    app.wait_for(&node, SOON);
    app.send("5");
    app.wait_for("twin-", SOON);
    point_at(&mut app, &workload);
    app.send("m");
    app.wait_for("moves 2 of 3 tasks", SOON);
    app.send("y");
    app.send("9");
    // where the scheduler puts them is its own choice: it may say that no more is won
    app.wait("it is over", ROLLOUT, |screen| screen.contains("✔ done") || screen.contains("hold the others where they are"));
    assert_eq!(workload.run(of), before, "{}", app.screen());
}
