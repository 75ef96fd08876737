//! What was refused is asked for again.

use super::*;
use tokio::time::{advance, pause, resume, timeout};

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

#[tokio::test]
async fn a_watch_that_ends_while_what_was_refused_is_asked_for_does_not_put_it_off() {
    let asked = Asked::default();
    let ok = |(code, body): (u16, String)| (format!("{code} x"), body);
    let mut first = Some(());
    let answer = move |path: &str| match path {
        path if path.contains("/shop/") => ok(list(10, "", &[node("a", 1)])),
        path if path.ends_with("limit=1") && first.take().is_some() => Default::default(),
        path if path.contains("/ops/") => ok(refusal(r#"in the namespace \"ops\""#)),
        _ => ok(refusal(EVERYWHERE)),
    };
    let api = answering(answer, &asked).await;
    let (mut steps, _link) = follow_in::<RawPod>(api, &["shop", "ops"]);
    words(&mut steps, 3).await;
    later(41).await;
    later(5).await;
    assert_eq!(times(&asked, "/api/v1/namespaces/ops/"), 3, "{asked:?}");
}

/// A server that answers to the first list so, and to all after it with a node.
async fn at_first(first: &(String, String), asked: &Asked) -> Api {
    let mut first = Some(first.clone());
    answering(move |_| first.take().unwrap_or_else(|| ("200 x".to_owned(), list(10, "", &[node("a", 1)]).1)), asked).await
}

#[tokio::test]
async fn a_kind_that_was_refused_or_put_off_for_long_is_asked_for_again_after_40_seconds() {
    let denied = r#"{"code":403,"reason":"Forbidden","message":"nodes is forbidden"}"#;
    for (status, body) in [
        ("403 x", denied),
        ("503 x\r\nretry-after: 3600", r#"{"code":503,"message":"not now"}"#),
        ("429 x\r\nretry-after: 3600", r#"{"code":429,"message":"not now"}"#),
    ] {
        let asked = Asked::default();
        let api = at_first(&(status.to_owned(), body.to_owned()), &asked).await;
        let (mut steps, _link) = follow(api);
        let said = words(&mut steps, 1).await;
        assert!(said[0].starts_with("cannot list nodes: "), "{said:?}");
        later(38).await;
        assert_eq!((asked.lock().len(), steps.try_recv().is_err()), (1, true), "{status}: too soon");
        later(2).await;
        let rows = timeout(Duration::from_secs(5), words(&mut steps, 3)).await;
        assert_eq!(rows.unwrap_or_else(|_| panic!("{status}: not asked for again")), ["begin", "+a", "end"]);
    }
}
