//! Rollouts paused and resumed, CronJobs suspended, resumed and run by hand.

use super::*;

const PAUSED: &str = "get deployment web -o jsonpath={.spec.paused}";

#[test]
fn holds_a_rollout_and_lets_it_go_on() {
    let workload = Workload::create("e2e-hold", 2);
    let (mut app, _home) = open((200, 50));
    point_at(&mut app, &workload);
    app.send("p");
    app.wait_for("a new definition makes no new tasks", SOON);
    app.send("\r");
    workload.until("it is paused", PAUSED, |out| out == "true");
    workload.run("set image deployment/web *=app:2");
    let seen = "get deployment web -o jsonpath={.metadata.generation}/{.status.observedGeneration}/{.status.updatedReplicas}";
    workload.until("the controllers have seen the image", seen, |out| out == "3/3/");
    app.wait_for("rollout paused", SOON);
    app.wait_for("0 of 2 of the newest definition", SOON);
    app.send("u");
    app.wait_for("replaces 2 tasks of an earlier definition", SOON);
    app.send("\r");
    workload.until("it is resumed", PAUSED, |out| out.is_empty() || out == "false");
    workload.ready(2);
    app.send("9");
    app.wait_for("it is held", ROLLOUT);
    app.wait_for("2 of 2 ready", ROLLOUT);
}

#[test]
fn runs_a_cronjob_now_and_holds_its_clock() {
    let workload = Workload::create("e2e-cron", 1);
    workload.nightly("app:1");
    let uid = workload.run("get cronjob nightly -o jsonpath={.metadata.uid}");
    let (mut app, _home) = open((200, 50));
    app.send("4");
    app.wait_for("nightly", SOON);
    app.send("/nightly\r");
    app.wait_for("1 of ", SOON);
    app.send("J");
    app.wait_for("starts a job from its template now", SOON);
    app.send("\r");
    let made = "get jobs -o jsonpath={.items[*].metadata.ownerReferences[0].uid}|{.items[*].metadata.annotations}";
    workload.until("the job is there", made, |out| {
        out.starts_with(&format!("{uid}|")) && out.contains(r#""cronjob.kubernetes.io/instantiate":"manual""#)
    });
    app.wait_for("nightly-manual-", SOON);
    app.send("9");
    app.wait_for("done", ROLLOUT);
    app.send("4gp");
    app.wait_for("the clock starts no job of it any more", SOON);
    app.send("\r");
    let suspended = "get cronjob nightly -o jsonpath={.spec.suspend}";
    workload.until("it is suspended", suspended, |out| out == "true");
    app.wait_for("suspended", SOON);
    app.send("u");
    app.wait_for("the clock starts jobs of it again", SOON);
    app.send("\r");
    workload.until("it is resumed", suspended, |out| out == "false");
}
