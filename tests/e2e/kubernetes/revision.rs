//! Back to a definition that is not the previous one.

use super::*;

#[test]
fn rolls_back_over_two_definitions() {
    let workload = Workload::create("e2e-revision", 2);
    workload.run("set env deployment/web API_TOKEN=hunter2 LEVEL=debug");
    workload.ready(2);
    for image in ["app:2", "app:3"] {
        workload.run(&format!("set image deployment/web *={image}"));
        workload.ready(2);
    }
    let (mut app, _home) = open((200, 50));
    point_at(&mut app, &workload);
    app.wait_for("at revision 4", SOON);
    app.send("R");
    app.wait_for("1 of 3", SOON);
    app.send("\x1b[B\x1b[B");
    app.wait_for("image: app:3 → app:1", SOON);
    app.wait_for("2 definitions lie between", SOON);
    app.wait_for("- spec.containers[app].env[LEVEL] debug", SOON);
    app.wait_for("- spec.containers[app].env[API_TOKEN] (masked)", SOON);
    assert!(!app.screen().contains("hunter2"), "{}", app.screen());
    app.send("y");
    let image = "get deployment web -o jsonpath={.spec.template.spec.containers[0].image}";
    workload.until("the first image is back", image, |out| out == "app:1");
    workload.ready(2);
    app.send("9");
    app.wait_for("to revision 1", SOON);
    app.wait("the roll back is done", ROLLOUT, |screen| screen.contains("u undo") && screen.contains("2 of 2 ready"));
    app.send("u");
    app.wait_for("- spec.containers[app].image app:1", SOON);
    app.wait_for("+ spec.containers[app].image app:3", SOON);
    app.wait_for("+ spec.containers[app].env[API_TOKEN] (masked)", SOON);
    app.send("y");
    workload.until("the last image is back", image, |out| out == "app:3");
    app.wait("both are done", ROLLOUT, |screen| screen.matches("✔ done").count() == 2);
}

/// Goes to the service of this kind and name, asks what a roll back would change, and waits until it is told.
fn told(app: &mut Pty, name: &str, lines: &[&str]) {
    app.send("4");
    app.wait_for("services ·", SOON);
    app.send(&format!("/\x15{name}\r"));
    app.wait(name, SOON, |screen| screen.contains(&format!("/{name} ")) && screen.contains("1 of "));
    app.send("R");
    app.wait_for("y to go on", SOON);
    lines.iter().for_each(|line| app.wait_for(line, SOON));
    app.send("y");
}

#[test]
fn what_a_statefulset_and_a_daemonset_would_change_is_told_and_an_undo_tells_it_too() {
    let workload = Workload::create("e2e-told", 2);
    let template = r#"{"metadata":{"labels":{"app":"NAME"}},"spec":{"containers":[{"name":"app","image":"app:1","env":[{"name":"LEVEL","value":"info"},{"name":"API_TOKEN","value":"hunter1"}]}]}}"#;
    let file = tempfile::NamedTempFile::new().unwrap();
    for (kind, name, more) in
        [("StatefulSet", "told-set", r#""serviceName":"told-set","replicas":2,"#), ("DaemonSet", "told-each", "")]
    {
        let template = template.replace("NAME", name);
        let spec = format!(r#"{{{more}"selector":{{"matchLabels":{{"app":"{name}"}}}},"template":{template}}}"#);
        let meta = format!(r#"{{"name":"{name}","namespace":"e2e-told"}}"#);
        let object = format!(r#"{{"apiVersion":"apps/v1","kind":"{kind}","metadata":{meta},"spec":{spec}}}"#);
        std::fs::write(file.path(), object).unwrap();
        workload.kubectl.run(&format!("apply -f {}", file.path().display()));
        let of = format!("{}/{name}", kind.to_lowercase());
        workload.kubectl.run(&format!("-n e2e-told rollout status {of} --timeout=60s"));
        workload.run(&format!("set env {of} LEVEL=debug API_TOKEN=hunter2"));
        workload.kubectl.run(&format!("-n e2e-told rollout status {of} --timeout=60s"));
    }
    let (mut app, _home) = open((120, 40));
    app.wait_for("told-set", SOON);
    for (name, of) in [("told-set", "statefulset/told-set"), ("told-each", "daemonset/told-each")] {
        let lines =
            ["- spec.containers[app].env[LEVEL] debug", "+ spec.containers[app].env[LEVEL] info", "env[API_TOKEN] (masked)"];
        told(&mut app, name, &lines);
        let level = format!("get {of} -o jsonpath={{.spec.template.spec.containers[0].env[0].value}}");
        workload.until("the first definition is back", &level, |out| out == "info");
        app.send("\x1b");
    }
    assert!(!app.screen().contains("hunter"), "{}", app.screen());

    // what takes back another image is a roll back, too, and says all that it changes
    point_at_web(&mut app);
    app.send("i");
    app.wait_for("set image e2e-told/web", SOON);
    app.send("\x15app:2");
    app.wait_for("→ app:2", SOON);
    app.send("\ry");
    app.send("9");
    app.wait("the image is set", ROLLOUT, |screen| screen.contains("u undo") && screen.contains("2 of 2 ready"));
    app.send("u");
    app.wait_for("- spec.containers[app].image app:2", SOON);
    app.wait_for("+ spec.containers[app].image app:1", SOON);
}

fn point_at_web(app: &mut Pty) {
    app.send("4");
    app.wait_for("services ·", SOON);
    app.send("/\x15e2e-told web\r");
    app.wait("web", SOON, |screen| screen.contains("/e2e-told web ") && screen.contains("1 of "));
}
