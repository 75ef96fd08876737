//! Another image for one of several containers.

use super::*;

#[test]
fn sets_the_image_of_the_second_container_and_of_no_other() {
    let workload = Workload::create("e2e-image", 2);
    let add = r#"{"spec":{"template":{"spec":{"containers":[{"name":"proxy","image":"proxy:1","args":["kept"]}]}}}}"#;
    workload.run(&format!("patch deployment web -p {add}"));
    workload.ready(2);
    let (mut app, _home) = open((200, 50));
    point_at(&mut app, &workload);
    app.send("i");
    app.wait_for("1 of 2", SOON);
    app.send("\x1b[B");
    app.wait_for("2 of 2", SOON);
    // strategic merge patches put what they add first: which one is second is the server's to say
    let before = workload.run("get deployment web -o jsonpath={.spec.template.spec.containers[*].image}");
    let (first, second) = before.split_once(' ').unwrap();
    app.send("\x15mirror/it:2");
    app.wait_for(&format!("{second} → mirror/it:2"), SOON);
    app.send("\ry");
    let want = format!("{first} mirror/it:2");
    workload
        .until("the image is set", "get deployment web -o jsonpath={.spec.template.spec.containers[*].image}", |out| out == want);
    assert_eq!(workload.run("get deployment web -o jsonpath={.spec.template.spec.containers[*].args[0]}"), "kept");
    workload.ready(2);
    app.send("9");
    app.wait_for("2 of 2 ready", ROLLOUT);
    // it goes back to what it was, to the letter
    app.wait_for("u undo", SOON);
    app.send("u");
    app.wait_for("goes back to revision 2", SOON);
    app.wait_for("y to go on", SOON);
    app.send("y");
    workload
        .until("both are back", "get deployment web -o jsonpath={.spec.template.spec.containers[*].image}", |out| out == before);
    app.wait("both done", ROLLOUT, |screen| screen.matches("✔ done").count() == 2);
    app.send("\x1b[Bu");
    app.wait_for("it was changed by someone since then", SOON);
}

#[test]
fn sets_the_image_of_a_container_that_runs_before_the_others() {
    let workload = Workload::create("e2e-init-image", 2);
    let add = r#"{"spec":{"template":{"spec":{"initContainers":[{"name":"seed","image":"seed:1","args":["kept"]}]}}}}"#;
    workload.run(&format!("patch deployment web -p {add}"));
    workload.ready(2);
    let main = "get deployment web -o jsonpath={.spec.template.spec.containers[*].image}";
    let seed = "get deployment web -o jsonpath={.spec.template.spec.initContainers[0].image}";
    let before = workload.run(main);
    let (mut app, _home) = open((80, 24));
    point_at(&mut app, &workload);
    app.send("i");
    app.wait_for("1 of 2", SOON);
    app.send("\x1b[B");
    app.wait_for("seed  seed:1", SOON);
    app.send("\x15mirror/seed:2");
    app.wait_for("seed:1 → mirror/seed:2", SOON);
    app.send("\ry");
    workload.until("the image is set", seed, |out| out == "mirror/seed:2");
    assert_eq!(workload.run("get deployment web -o jsonpath={.spec.template.spec.initContainers[0].args[0]}"), "kept");
    assert_eq!(workload.run(main), before);
    workload.ready(2);
    app.send("9");
    app.wait_for("2 of 2 ready", ROLLOUT);
    app.wait_for("u undo", SOON);
    app.send("u");
    app.wait_for("y to go on", SOON);
    app.send("y");
    workload.until("it is back", seed, |out| out == "seed:1");
}

#[test]
fn another_image_of_a_cronjob_is_taken_back_with_its_digest() {
    let workload = Workload::create("e2e-cron-image", 1);
    let digest = format!("app:1@sha256:{}", "ab".repeat(32));
    workload.nightly(&digest);
    let image = "get cronjob nightly -o jsonpath={.spec.jobTemplate.spec.template.spec.containers[0].image}";
    assert_eq!(workload.run(image), digest);
    let (mut app, _home) = open((160, 40));
    app.send("4");
    app.wait_for("services ·", SOON);
    app.send("/e2e-cron-image nightly\r");
    app.wait_for("/e2e-cron-image nightly · 1 of ", SOON);
    app.send("i");
    app.wait_for("set image e2e-cron-image/nightly", SOON);
    app.send("\x15app:2");
    app.wait_for("→ app:2", SOON);
    app.send("\ry");
    workload.until("the image is set", image, |out| out == "app:2");
    app.send("9");
    app.wait_for("u undo", ROLLOUT);
    app.send("u");
    app.wait_for("nightly: app:2 →", SOON);
    app.send("\ry");
    workload.until("it is back to the letter", image, |out| out == digest);
}

#[test]
fn redeploys_with_the_image_pulled_where_that_is_chosen() {
    let workload = Workload::create("e2e-pull", 2);
    let before = workload.pods();
    let policy = "get deployment web -o jsonpath={.spec.template.spec.containers[*].imagePullPolicy}";
    let as_it_was = workload.run(policy);
    let (mut app, _home) = open((200, 50));
    point_at(&mut app, &workload);
    app.send("r");
    app.wait_for("▸as it is", SOON);
    app.wait_for(&format!("imagePullPolicy {as_it_was}"), SOON);
    app.send("\x1b[B");
    app.wait_for("→ Always, from now on", SOON);
    assert_eq!(workload.run(policy), as_it_was, "looking changes nothing");
    app.send("\r");
    workload.until("nodes are told to pull", policy, |out| out == "Always");
    let start = Instant::now();
    while workload.pods().iter().any(|pod| before.contains(pod)) {
        assert!(start.elapsed() < ROLLOUT, "old pods still there: {:?}", workload.pods());
        std::thread::sleep(Duration::from_millis(300));
    }
    app.send("9");
    app.wait_for("✔ done", ROLLOUT);
}
