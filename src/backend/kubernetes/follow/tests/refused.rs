//! What was refused is asked for again.

use super::*;
use tokio::time::{advance, pause, resume};

/// Time goes on by so much, once what is under way is done.
async fn later(seconds: u64) {
    tokio::time::sleep(Duration::from_millis(300)).await;
    pause();
    advance(Duration::from_secs(seconds)).await;
    resume();
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// How often a path was asked for that begins so.
fn times(asked: &Asked, path: &str) -> usize {
    asked.lock().iter().filter(|asked| asked.starts_with(path)).count()
}

#[tokio::test]
async fn a_namespace_that_was_refused_is_asked_for_again_while_the_others_are_watched() {
    const OPS: &str = "/api/v1/namespaces/ops/pods?limit=1";
    let (asked, may) = (Asked::default(), Arc::new(AtomicBool::default()));
    let given = Arc::clone(&may);
    let ok = |(code, body): (u16, String)| (format!("{code} x"), body);
    let answer = move |path: &str| match path {
        path if path.contains("/shop/") => ok(list(10, "", &[node("a", 1)])),
        path if path.contains("/ops/") && given.load(Ordering::SeqCst) => ok(list(10, "", &[node("b", 2)])),
        path if path.contains("/ops/") => ok(refusal(r#"in the namespace \"ops\""#)),
        _ => ok(refusal(EVERYWHERE)),
    };
    let api = answering(answer, &asked).await;
    let (mut steps, _link) = follow_in::<RawPod>(api, &["shop", "ops"]);
    assert_eq!(words(&mut steps, 2).await, ["begin", "+a"]);
    assert!(words(&mut steps, 1).await[0].starts_with("end: only namespace shop; forbidden: dev may not list pods"));
    later(35).await;
    assert_eq!(times(&asked, OPS), 0, "{asked:?}");
    later(6).await;
    assert_eq!(times(&asked, OPS), 1, "{asked:?}");
    later(35).await;
    assert_eq!(times(&asked, OPS), 1, "refused again, and asked for at once: {asked:?}");
    assert!(steps.try_recv().is_err(), "what may not be read has changed nothing");
    may.store(true, Ordering::SeqCst);
    later(6).await;
    assert_eq!(words(&mut steps, 4).await, ["begin", "+a", "+b", "end: only namespaces shop, ops"]);
    assert_eq!(times(&asked, OPS), 2, "{asked:?}");
    // and what may be read in all that were named is not asked for any more
    later(41).await;
    assert_eq!(times(&asked, OPS), 2, "{asked:?}");
}
