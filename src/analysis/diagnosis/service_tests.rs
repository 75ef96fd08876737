//! The rules of services, each as a row: what is there, and the finding's level, headline, why and extra.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::analysis::fixture::{self, Fixture, ago, service as row, starting, stuck, task};
use crate::model::{Ending, Rollout, ServiceKind, Usage};

type Want = Option<(Level, &'static str, &'static str, &'static str)>;

fn check(name: &str, service_row: Service, tasks: Vec<Task>, want: Want) -> Option<Finding> {
    let mut fixture = Fixture::kubernetes();
    fixture.service(service_row);
    for task in tasks {
        fixture.task(task);
    }
    let found = service(&fixture.state(), &Key::from("web"), fixture::NOW);
    let got = found.as_ref().map(|f| (f.level, f.headline.as_str(), f.why.as_str(), f.extra.as_str()));
    assert_eq!(got, want, "{name}");
    found
}

fn rollout(state: RolloutState, note: Option<&str>) -> Rollout {
    Rollout { state, note: note.map(Text::new) }
}

fn died(key: &str, restarts: u32, s: u64, reason: &str) -> Task {
    let last_end = Some(Ending { at: Some(ago(s)), exit: 137, reason: Text::new(reason) });
    Task { restarts, last_end, ..task(key, "web", "n1") }
}

#[test]
fn healthy_is_quiet() {
    check("whole", row("web", 2), vec![task("t1", "web", "n1"), task("t2", "web", "n1")], None);
    check("scaled to none", row("web", 0), vec![], None);
    let progressing =
        Service { ready: 1, changed: Some(ago(30)), rollout: rollout(RolloutState::Progressing, None), ..row("web", 2) };
    check("a young rollout", progressing, vec![starting("t1", "web", None, 20)], None);
    let held = Service { rollout: rollout(RolloutState::Paused, None), ..row("web", 2) };
    check("held on purpose and whole", held, vec![], None);
    check("one restart", row("web", 1), vec![died("t1", 1, 60, "exit 1")], None);
    check("restarts of yesterday", row("web", 1), vec![died("t1", 9, 90_000, "exit 1")], None);
    let job = Service { kind: ServiceKind::Job, ready: 0, ..row("web", 1) };
    let ended = Task { state: TaskState::Succeeded, ready: false, ..task("t1", "web", "n1") };
    check("a job that ended well", job, vec![ended], None);
}

#[test]
fn a_lone_container_that_failed_is_told_for_a_day() {
    let container = || Service { kind: ServiceKind::Container, ready: 0, ..row("web", 0) };
    let failed = |s| Task {
        state: TaskState::Failed,
        ready: false,
        wanted: false,
        why: Some("exit 3".into()),
        since: ago(s),
        ..task("t1", "web", "n1")
    };
    let want = Some((Level::Warning, "failed", "exit 3", "nothing starts it again"));
    check("an hour ago", container(), vec![failed(3_600)], want);
    check("two days ago", container(), vec![failed(172_800)], None);
    let stopped = Task { state: TaskState::Stopped, ..failed(60) };
    check("stopped by hand", container(), vec![stopped], None);
    // evicted pods stay, and others have taken their place
    check("of a service", row("web", 1), vec![failed(60), task("t2", "web", "n1")], None);
}

#[test]
fn what_is_missing_is_told_with_the_tasks_reasons() {
    let short = |ready| Service { ready, ..row("web", 5) };
    let found = check(
        "three of one reason",
        short(2),
        vec![
            stuck("t1", "web", "image not found: web:1.3", 240),
            stuck("t2", "web", "image not found: web:1.3", 200),
            stuck("t3", "web", "image not found: web:1.3", 100),
            stuck("t4", "web", "restarting after exit 1", 300),
        ],
        Some((Level::Failing, "2/5 ready", "image not found: web:1.3", "3 tasks")),
    );
    assert_eq!(found.as_ref().unwrap().since, Some(ago(240)));
    assert_eq!(found.unwrap().subject.as_str(), "shop/web");
    let pending =
        Task { state: TaskState::Pending, node: None, ..stuck("t1", "web", "no node satisfies node.labels.ssd == true", 18 * 60) };
    let want = Some((Level::Failing, "4/5 ready", "no node satisfies node.labels.ssd == true", "1 task"));
    check("pending", short(4), vec![pending], want);
    let want = Some((Level::Failing, "4/5 ready", "the platform has not made the missing tasks", "1 task missing"));
    check("no task at all", short(4), vec![], want);
    let slow = starting("t1", "web", None, 300);
    check("slow start", short(4), vec![slow], Some((Level::Failing, "4/5 ready", "starting", "1 task")));
}

#[test]
fn rollouts_that_were_given_up_say_why() {
    let failed =
        Service { ready: 2, updated: 1, rollout: rollout(RolloutState::Failed, Some("deadline exceeded")), ..row("web", 2) };
    let want = Some((Level::Warning, "2/2 ready", "rollout failed: image not found: x", "1 task"));
    check("what runs still serves", failed.clone(), vec![stuck("t1", "web", "image not found: x", 9)], want);
    let want = Some((Level::Warning, "2/2 ready", "rollout failed: deadline exceeded", ""));
    check("the platform's note", failed, vec![], want);
    let paused = Service { ready: 1, updated: 1, rollout: rollout(RolloutState::Paused, None), ..row("web", 2) };
    check("paused half way", paused, vec![], Some((Level::Failing, "1/2 ready", "rollout paused", "")));
}

#[test]
fn restarts_and_memory_are_warnings_while_all_serve() {
    let tasks = vec![died("t1", 6, 120, "out of memory (limit 256 MiB)"), died("t2", 3, 900, "exit 1")];
    let want = Some((Level::Warning, "2/2 ready", "restarting, last time: out of memory (limit 256 MiB)", "9 restarts of 2 tasks"));
    check("restarting", row("web", 2), tasks, want);

    let mut fixture = Fixture::kubernetes();
    fixture.service(row("web", 1)).task(task("t1", "web", "n1"));
    for (mem, warned) in [(200 << 20, false), (240 << 20, true)] {
        fixture.usage(Kind::Task, "t1", Usage { mem, ..Usage::default() });
        let found = service(&fixture.state(), &Key::from("web"), fixture::NOW);
        assert_eq!(found.map(|f| f.why.to_string()), warned.then(|| "memory above 90% of its limit (256 MiB)".to_owned()));
    }
}

#[test]
fn a_failed_job_is_told_with_its_last_end() {
    let job = Service {
        kind: ServiceKind::Job,
        ready: 0,
        rollout: rollout(RolloutState::Failed, Some("backoff limit reached")),
        ..row("web", 1)
    };
    let last = Task { state: TaskState::Failed, ready: false, ..died("t1", 0, 60, "exit 2") };
    check("failed", job, vec![last], Some((Level::Failing, "failed", "exit 2: backoff limit reached", "")));
}

#[test]
fn a_rollout_whose_new_tasks_do_not_start_is_told_while_the_old_ones_serve() {
    let rolling = Service { rollout: rollout(RolloutState::Progressing, None), updated: 1, ..row("web", 2) };
    let old = || vec![task("t1", "web", "n1"), task("t2", "web", "n1")];
    let mut tasks = old();
    tasks.push(stuck("t3", "web", "image not found: web:2", 20));
    let want = Some((Level::Warning, "2/2 ready", "the new tasks do not start: image not found: web:2", "1 task"));
    check("stuck", rolling.clone(), tasks, want);
    let mut tasks = old();
    tasks.push(starting("t3", "web", Some("pulling image"), 20));
    check("under way", rolling, tasks, None);
}

#[test]
fn counts_that_come_before_the_tasks_that_explain_them_are_no_trouble_yet() {
    let mut fixture = Fixture::kubernetes();
    let long_ago = Some(ago(100 * 86_400));
    fixture.service(Service { changed: long_ago, ..row("web", 2) });
    fixture.task(task("t1", "web", "n1")).task(task("t2", "web", "n1"));
    let short = Service { changed: long_ago, ready: 1, ..row("web", 2) };
    let web = Key::from("web");
    fixture.service(short.clone());
    assert_eq!(service(&fixture.state(), &web, fixture::NOW), None, "its tasks may say why in a moment");
    // nothing explains it for long
    let late = Timestamp(fixture::NOW.0 + 180_000);
    let found = service(&fixture.state(), &web, late).unwrap();
    assert_eq!((found.why.as_str(), found.since), ("the platform has not made the missing tasks", Some(fixture::NOW)));
    // it was so when it was first seen, before and after the tasks were listed
    let mut fixture = Fixture::kubernetes();
    fixture.service(short);
    let mut listing = ClusterState::clone(&fixture.state());
    listing.sync[Kind::Task.index()] = KindSync::Loading(0);
    assert_eq!(service(&listing, &web, fixture::NOW), None);
    assert_eq!(service(&fixture.state(), &web, fixture::NOW).unwrap().since, long_ago);
}
