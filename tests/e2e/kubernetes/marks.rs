//! Labels and taints of a node.

use super::*;

/// The node that is labelled and tainted; as it was when the test ends, however it ends.
struct Marked {
    kubectl: Client,
    name: &'static str,
}

impl Marked {
    fn labels(&self, what: &str, want: &str) {
        let line = format!("get node {} -o jsonpath={{.metadata.labels.e2e-disk}}|{{.metadata.labels.e2e-old}}", self.name);
        self.kubectl.until(what, SOON, &line, |out| out == want);
    }

    fn taints(&self, what: &str, want: &str) {
        let line = format!("get node {} -o jsonpath={{range.spec.taints[*]}}{{.key}}={{.value}}:{{.effect}};{{end}}", self.name);
        self.kubectl.until(what, SOON, &line, |out| out == want);
    }
}

impl Drop for Marked {
    fn drop(&mut self) {
        self.kubectl.attempt(&["label", "node", self.name, "e2e-disk-", "e2e-old-"]);
        // kubectl takes none away where one of them is not there
        for taint in ["e2e-kept-", "e2e-off-", "e2e-evict-"] {
            self.kubectl.attempt(&["taint", "node", self.name, taint]);
        }
    }
}

/// Goes to the nodes with this one alone on the page.
fn show(app: &mut Pty, name: &str) {
    app.send("3");
    app.wait_for(name, SOON);
    app.send(&format!("/{name}\r"));
    app.wait_for("1 of ", SOON);
}

#[test]
fn a_node_is_labelled_and_tainted_and_both_are_taken_back() {
    let node = Marked { kubectl: Client::kubectl(), name: "node-6" };
    node.kubectl.attempt(&["label", "node", "node-6", "e2e-old=x", "--overwrite"]);
    node.kubectl.attempt(&["taint", "node", "node-6", "e2e-kept=1:PreferNoSchedule", "--overwrite"]);
    node.labels("as it begins", "|x");
    let (mut app, _home) = open((200, 50));
    show(&mut app, "node-6");
    app.send("b");
    app.wait_for("e2e-old=x", SOON);
    app.send("e2e-disk=ssd e2e-old-");
    app.wait_for("e2e-disk: none → ssd", SOON);
    app.wait_for("e2e-old: x → none", SOON);
    app.send("\r");
    node.labels("labelled", "ssd|");
    // a dialog is for the node as it is shown: what has just changed must be seen before
    app.send("9");
    app.wait("done", SOON, |screen| screen.matches("✔ done").count() == 1);
    app.send("3");
    app.wait_for("1 of ", SOON);
    app.send("T");
    app.wait_for("it has e2e-kept=1:PreferNoSchedule", SOON);
    app.send("e2e-off=1:NoSchedule");
    app.wait_for("none → e2e-off=1:NoSchedule", SOON);
    app.send("\r");
    node.taints("tainted beside the other", "e2e-kept=1:PreferNoSchedule;e2e-off=1:NoSchedule;");
    // the newest stands first
    app.send("9");
    app.wait("both done", SOON, |screen| screen.matches("✔ done").count() == 2);
    app.send("u");
    app.wait_for("takes away e2e-off=1:NoSchedule", SOON);
    app.send("\r");
    node.taints("no longer tainted", "e2e-kept=1:PreferNoSchedule;");
    app.wait("all done", SOON, |screen| screen.matches("✔ done").count() == 3);
    // and not over what someone did meanwhile
    node.kubectl.run("label node node-6 e2e-disk=hdd --overwrite");
    std::thread::sleep(Duration::from_secs(2));
    app.send("G");
    app.send("u");
    app.wait_for("it was changed by someone since then", SOON);
    node.labels("as someone wanted it", "hdd|");
}

#[test]
fn what_does_not_tolerate_a_node_any_more_is_deleted_as_was_said_before() {
    let workload = Workload::create("e2e-evict", 1);
    // where the scheduler puts it is nobody's choice: what is on the node is what is put there below
    workload.run("delete deployment web");
    workload.until("its task is gone", "get pods -o name", str::is_empty);
    let node = Marked { kubectl: Client::kubectl(), name: "node-5" };
    let pinned = |name: &str, tolerations: &str| {
        let spec = format!(r#"{{"spec":{{"nodeName":"node-5","tolerations":[{tolerations}]}}}}"#);
        node.kubectl.args(&["-n", "e2e-evict", "run", name, "--image=app:1", "--overrides", &spec]);
        workload.until(name, &format!("get pod {name} -o jsonpath={{.status.phase}}"), |out| out == "Running");
    };
    pinned("goes", "");
    pinned("stays", r#"{"key":"e2e-evict","operator":"Exists"}"#);
    let (mut app, _home) = open((200, 50));
    show(&mut app, "node-5");
    app.send("T");
    app.send("e2e-evict=1:NoExecute");
    app.wait_for("up to 2 tasks would be deleted", SOON);
    app.wait_for("goes (nothing makes", SOON);
    app.wait_for("stays (nothing", SOON);
    app.wait_for("which of them tolerate it is not known here", SOON);
    app.send("\r");
    app.wait_for("type node-5", SOON);
    app.send("node-5\r");
    node.taints("tainted", "e2e-evict=1:NoExecute;");
    let left =
        workload.until("one is deleted", "get pods -o name --field-selector spec.nodeName=node-5", |out| !out.contains("goes"));
    assert!(left.contains("stays"), "{left}");
    app.send("9");
    app.wait("done", SOON, |screen| screen.matches("✔ done").count() == 1);
}
