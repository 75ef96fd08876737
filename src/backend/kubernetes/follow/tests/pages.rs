//! How the pages of a list are asked for.

use super::*;

#[tokio::test]
async fn the_next_page_is_asked_for_while_nobody_has_taken_the_one_before() {
    let many: Vec<String> = (0..500).map(|n| node(&format!("n{n}"), n)).collect();
    let (api, asked) = server(vec![list(10, "more", &many), list(10, "", &[node("last", 2)])]).await;
    let (out, mut steps) = mpsc::channel::<Vec<Step<RawNode>>>(1);
    let (link, lists) = (Link::new(), Arc::new(Semaphore::new(2)));
    tokio::spawn(
        Follower {
            api,
            kind: out.into(),
            link,
            lists,
            namespaces: Arc::from([]),
            audit: AUDIT,
            sink: sink().0,
            seed: 60,
            plain: AtomicBool::default(),
        }
        .run(),
    );
    let mut waited = 0;
    while asked.lock().len() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        waited += 1;
        assert!(waited < 500, "only the first page was asked for");
    }
    let all = words(&mut steps, 503).await;
    assert_eq!((all[1].as_str(), all[500].as_str(), all[501].as_str(), all[502].as_str()), ("+n0", "+n499", "+last", "end"));
}

#[tokio::test]
async fn pages_stay_small_while_they_are_long_in_coming() {
    let asked = Asked::default();
    let mut pages = [(1_100, "a"), (0, "b"), (0, "")].into_iter();
    let slow_at_first = move |_: &str| {
        let (late, next) = pages.next().unwrap();
        std::thread::sleep(Duration::from_millis(late));
        ("200 x".to_owned(), list(10, next, &[node("a", 1)]).1)
    };
    let api = answering(slow_at_first, &asked).await;
    let (mut steps, _link) = follow(api);
    assert_eq!(words(&mut steps, 5).await, ["begin", "+a", "+a", "+a", "end"]);
    let pages = ["limit=500", "limit=500&continue=a", "limit=2000&continue=b"].map(|rows| format!("/api/v1/nodes?{rows}"));
    assert_eq!(asked.lock()[..3], pages);
}

#[tokio::test]
async fn pages_after_the_first_have_as_many_rows_as_a_megabyte_holds() {
    let page = |next: &str, bytes: usize| {
        let body = list(10, next, &[node("a", 1)]).1;
        (200, " ".repeat(bytes - body.len()) + &body)
    };
    let (api, asked) = server(vec![page("b", 1 << 19), page("c", 4 << 20), page("d", 1 << 20), list(10, "", &[])]).await;
    let (mut steps, _link) = follow(api);
    words(&mut steps, 5).await;
    let rows: Vec<String> = asked.lock()[..4].iter().map(|path| path[..].replace("/api/v1/nodes?limit=", "")).collect();
    assert_eq!(rows, ["500", "1000&continue=b", "500&continue=c", "500&continue=d"]);
}
