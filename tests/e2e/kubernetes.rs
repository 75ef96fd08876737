//! A real Kubernetes API server with its controllers and scheduler: the program asks it, `kubectl` checks.

mod access;
mod delete;
mod door;
mod grace;
mod held;
mod image;
mod link;
mod marks;
mod owners;
mod rebalance;
mod revision;
mod steps;
mod strategy;

use crate::platform::{Client, evacuate, quarterdeck, required, wait_gone};
use crate::pty::Pty;
use std::process::Command;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);
const ROLLOUT: Duration = Duration::from_secs(90);

/// A namespace of its own for each test, with one Deployment in it; deleted when the test ends, however it ends.
struct Workload {
    kubectl: Client,
    namespace: &'static str,
}

impl Workload {
    fn create(namespace: &'static str, replicas: u32) -> Self {
        let kubectl = Client::kubectl();
        kubectl.attempt(&["delete", "namespace", namespace, "--wait=true", "--timeout=60s"]);
        kubectl.run(&format!("create namespace {namespace}"));
        kubectl.run(&format!("-n {namespace} create deployment web --image=app:1 --replicas={replicas}"));
        let new = Self { kubectl, namespace };
        new.ready(replicas);
        new
    }

    /// A CronJob `nightly` that the clock starts on New Year's Day.
    fn nightly(&self, image: &str) {
        let image = format!("--image={image}");
        let schedule = ["--schedule", "0 0 1 1 *"];
        self.kubectl
            .args(&[&["-n", self.namespace, "create", "cronjob", "nightly", &image], &schedule[..], &["--", "true"]].concat());
    }

    fn run(&self, line: &str) -> String {
        self.kubectl.run(&format!("-n {} {line}", self.namespace))
    }

    fn until(&self, what: &str, line: &str, accept: impl Fn(&str) -> bool) -> String {
        self.kubectl.until(what, ROLLOUT, &format!("-n {} {line}", self.namespace), accept)
    }

    fn ready(&self, replicas: u32) {
        let want = format!("{replicas}/{replicas}/{replicas}");
        self.until(
            "deployment is ready",
            "get deployment web -o jsonpath={.spec.replicas}/{.status.readyReplicas}/{.status.updatedReplicas}",
            |out| out == want,
        );
    }

    /// `name|node|uid` of each pod.
    fn pods(&self) -> Vec<String> {
        let out = self
            .run("get pods -l app=web -o jsonpath={range.items[*]}{.metadata.name}|{.spec.nodeName}|{.metadata.uid}{\"\\n\"}{end}");
        out.lines().map(String::from).collect()
    }
}

impl Drop for Workload {
    fn drop(&mut self) {
        self.kubectl.attempt(&["delete", "namespace", self.namespace, "--wait=false"]);
    }
}

/// Pods that do not end by themselves, and what makes them. Left behind, their namespace would not go, and whoever evacuates
/// their node would wait for them.
struct Stuck<'a>(&'a Workload, &'static str);

impl Drop for Stuck<'_> {
    fn drop(&mut self) {
        let Self(Workload { kubectl, namespace }, maker) = self;
        kubectl.attempt(&["-n", namespace, "delete", maker, "--cascade=orphan"]);
        kubectl.attempt(&["-n", namespace, "delete", "replicasets", "--all", "--cascade=orphan"]);
        kubectl.attempt(&["-n", namespace, "delete", "pods", "--all", "--grace-period=0", "--force"]);
    }
}

fn open(size: (u16, u16)) -> (Pty, tempfile::TempDir) {
    quarterdeck(size, &[("KUBECONFIG", &required("KUBECONFIG"))])
}

/// The testbed's kubeconfig as `change` makes it.
fn config_with(change: impl Fn(&str) -> String) -> tempfile::NamedTempFile {
    let text = std::fs::read_to_string(required("KUBECONFIG")).unwrap();
    let changed = change(&text);
    assert_ne!(changed, text, "the testbed's kubeconfig is not as this test knows it");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), changed).unwrap();
    file
}

/// The program with this kubeconfig.
fn open_with(config: &tempfile::NamedTempFile, env: &[(&str, &str)]) -> (Pty, tempfile::TempDir) {
    let mut all = vec![("KUBECONFIG", config.path().to_str().unwrap())];
    all.extend(env);
    quarterdeck((200, 50), &all)
}

/// Goes to the services pane with the cursor on the Deployment.
fn point_at(app: &mut Pty, workload: &Workload) {
    app.send("4");
    app.wait_for(workload.namespace, SOON);
    app.send(&format!("/{}\r", workload.namespace));
    app.wait_for("1 of ", SOON);
}

#[test]
fn scales_from_two_to_five_and_the_operation_ends_when_five_are_ready() {
    let workload = Workload::create("e2e-scale", 2);
    let (mut app, _home) = open((200, 50));
    point_at(&mut app, &workload);
    app.send("s");
    app.wait_for("2→", SOON);
    app.send("\x155\r");
    workload.ready(5);
    app.send("9");
    app.wait_for("done", ROLLOUT);
    app.wait_for("2→5", SOON);
}

#[test]
fn says_that_an_autoscaler_holds_the_number_and_that_it_set_it_back() {
    let workload = Workload::create("e2e-autoscaled", 2);
    // slow enough to be set back before all are ready
    let annotations = r#"{"spec":{"template":{"metadata":{"annotations":{"quarterdeck.testbed/ready-after":"15s"}}}}}"#;
    workload.run(&format!("patch deployment web -p {annotations}"));
    workload.ready(2);
    workload.run("autoscale deployment web --min=2 --max=3 --cpu-percent=50");
    let (mut app, _home) = open((200, 50));
    point_at(&mut app, &workload);
    app.send("s");
    app.wait_for("2→", SOON);
    app.send("\x155");
    app.wait_for("the autoscaler sets it back to 3 soon: web, 2 to 3", SOON);
    app.wait_for("y to go on", SOON);
    app.send("y");
    workload.until("the autoscaler set it back", "get deployment web -o jsonpath={.spec.replicas}", |out| out == "3");
    app.send("9");
    app.wait_for("set to 5, and then to 3: the autoscaler sets this number (web, 2 to 3)", ROLLOUT);
}

#[test]
fn redeploys_every_pod() {
    let workload = Workload::create("e2e-redeploy", 2);
    let before = workload.pods();
    let (mut app, _home) = open((80, 24));
    point_at(&mut app, &workload);
    app.send("r");
    app.wait_for("enter to go on", SOON);
    app.send("\r");
    let start = Instant::now();
    while workload.pods().iter().any(|pod| before.contains(pod)) {
        assert!(start.elapsed() < ROLLOUT, "old pods still there: {:?}", workload.pods());
        std::thread::sleep(Duration::from_millis(300));
    }
    workload.ready(2);
    app.send("9");
    app.wait_for("done", ROLLOUT);
}

#[test]
fn says_why_a_rollout_is_stuck_and_rolls_it_back() {
    let workload = Workload::create("e2e-rollback", 2);
    workload.run("set image deployment/web app=fail/app:2");
    workload.until(
        "the new pod is stuck",
        "get pods -o jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}",
        |out| out.contains("ImagePull"),
    );
    let (mut app, _home) = open((200, 50));
    point_at(&mut app, &workload);
    app.wait_for("the new tasks do not start: cannot pull", SOON);
    app.send("R");
    app.wait_for("y to go on", SOON);
    app.send("y");
    workload
        .until("image is back", "get deployment web -o jsonpath={.spec.template.spec.containers[0].image}", |out| out == "app:1");
    workload.ready(2);
    app.send("9");
    app.wait_for("done", ROLLOUT);
}

#[test]
fn evacuates_a_node_through_the_eviction_api() {
    let workload = Workload::create("e2e-evacuate", 6);
    let node = workload.pods()[0].split('|').nth(1).unwrap().to_string();
    let (mut app, _home) = open((200, 50));
    evacuate(&mut app, &node, SOON);
    app.send("9");
    let start = Instant::now();
    while workload.pods().iter().any(|pod| pod.split('|').nth(1) == Some(node.as_str())) {
        assert!(start.elapsed() < ROLLOUT, "pods still on {node}: {:?}; the screen is\n{}", workload.pods(), app.screen());
        std::thread::sleep(Duration::from_millis(300));
    }
    workload.ready(6);
    app.send("9");
    app.wait_for("done", ROLLOUT);
    assert_eq!(workload.run(&format!("get node {node} -o jsonpath={{.spec.unschedulable}}")), "true");
    workload.run(&format!("uncordon {node}"));
}

#[test]
fn an_eviction_waits_for_the_disruption_budget() {
    let workload = Workload::create("e2e-budget", 2);
    workload.run("create poddisruptionbudget web --selector=app=web --min-available=2");
    workload.until("the budget is seen", "get pdb web -o jsonpath={.status.currentHealthy}", |out| out == "2");
    let before = workload.pods();
    let name = before[0].split('|').next().unwrap().to_string();
    let (mut app, _home) = open((200, 50));
    app.send("5");
    app.wait_for(&name[name.len() - 5..], SOON);
    app.send(&format!("/{name}\r"));
    app.wait_for("1 of ", SOON);
    app.send("m");
    // the preview; the namespace's own name holds the word, too
    app.wait_for("budget web", SOON);
    app.send("y");
    app.send("9");
    app.wait_for("waits for budget web", SOON);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(workload.pods(), before, "the budget allows no disruption");
    workload.run("delete pdb web");
    let start = Instant::now();
    while workload.pods().iter().any(|pod| pod.starts_with(&name)) {
        assert!(start.elapsed() < ROLLOUT, "not moved after the budget was gone; the screen is\n{}", app.screen());
        std::thread::sleep(Duration::from_millis(300));
    }
    app.wait_for("done", ROLLOUT);
    app.wait_for(" runs on node-", SOON);
}

#[test]
fn shows_the_logs_of_all_pods() {
    let workload = Workload::create("e2e-logs", 2);
    let (mut app, _home) = open((200, 50));
    point_at(&mut app, &workload);
    app.send("l");
    for pod in workload.pods() {
        let name = pod.split('|').next().unwrap().to_string();
        app.wait_for(&name[name.len() - 5..], SOON);
    }
}

#[test]
fn tells_within_fifteen_seconds_that_a_node_is_lost_or_deleted() {
    let kubectl = Client::kubectl();
    let nodes = kubectl.run("get nodes -o jsonpath={.items[*].metadata.name}");
    let node = nodes.split_whitespace().last().unwrap().to_string();
    let (mut app, _home) = open((200, 50));
    app.send("3");
    app.wait_for(&node, SOON);
    assert!(!app.screen().contains("down"), "no node is down yet:\n{}", app.screen());
    testbed(&["node-kill", &node]);
    kubectl.until("the control plane knows", Duration::from_secs(60), &format!("get node {node}"), |out| out.contains("NotReady"));
    let known = Instant::now();
    app.wait_for("down", Duration::from_secs(15));
    println!("lost node on screen {:.1} s after the control plane knew", known.elapsed().as_secs_f64());
    testbed(&["node-start", &node]);
    kubectl.until("the node is back", Duration::from_secs(60), &format!("get node {node}"), |out| !out.contains("NotReady"));
    wait_gone(&app, "down", Duration::from_secs(15));

    // deleted, as an autoscaler does it; then it joins again
    let mut object: serde_json::Value = serde_json::from_str(&kubectl.run(&format!("get node {node} -o json"))).unwrap();
    for field in ["uid", "resourceVersion", "creationTimestamp"] {
        object["metadata"].as_object_mut().unwrap().remove(field);
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    serde_json::to_writer(&file, &object).unwrap();
    app.wait_for(&format!(" {node} "), SOON);
    kubectl.run(&format!("delete node {node} --wait=true"));
    let deleted = Instant::now();
    wait_gone(&app, &format!(" {node} "), Duration::from_secs(15));
    println!("deleted node off the screen after {:.1} s", deleted.elapsed().as_secs_f64());
    kubectl.run(&format!("create --validate=false -f {}", file.path().display()));
    app.wait_for(&format!(" {node} "), Duration::from_secs(15));
}

#[test]
fn says_what_a_weak_user_may_not_read() {
    let weak = format!("{}-nobody", required("KUBECONFIG"));
    let (app, _home) = quarterdeck((200, 50), &[("KUBECONFIG", &weak)]);
    app.wait_for("cannot list pods", SOON);
    app.wait_for("forbidden", SOON);
}

fn testbed(args: &[&str]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/testbed/kube");
    assert!(Command::new(script).args(args).status().unwrap().success(), "{script} {args:?}");
}
