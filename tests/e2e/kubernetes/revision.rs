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
    app.wait_for("2 of 2 ready", ROLLOUT);
}
