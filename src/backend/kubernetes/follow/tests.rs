//! The loop against a scripted server on the loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod pages;
mod refused;

use super::*;
use crate::backend::kubernetes::raw::{RawNode, RawPod};
use crate::backend::kubernetes::scripted::{Asked, server};
use crate::model::{Fact, Interest};
use tokio_util::task::AbortOnDropHandle;

fn follow(api: Api) -> (mpsc::Receiver<Vec<Step<RawNode>>>, Link) {
    follow_in(api, &[])
}

fn follow_in<T: Listed>(api: Api, namespaces: &[&str]) -> (mpsc::Receiver<Vec<Step<T>>>, Link) {
    let (out, steps) = mpsc::channel(100);
    let link = Link::new();
    let lists = Arc::new(Semaphore::new(2));
    let namespaces = namespaces.iter().map(|n| (*n).to_owned()).collect();
    tokio::spawn(
        Follower {
            api,
            kind: out.into(),
            link: link.clone(),
            lists,
            namespaces,
            audit: AUDIT,
            sink: sink().0,
            seed: 60,
            plain: AtomicBool::default(),
        }
        .run(),
    );
    (steps, link)
}

const AUDIT: Duration = Duration::from_secs(600);

fn sink() -> (Sink, mpsc::Receiver<Fact>) {
    let (facts, told) = mpsc::channel(8);
    (Sink::new("c".into(), facts, tokio::sync::watch::channel(Interest::default()).1), told)
}

async fn words<T: Listed>(steps: &mut mpsc::Receiver<Vec<Step<T>>>, count: usize) -> Vec<String> {
    let mut out = Vec::new();
    while out.len() < count {
        let batch = tokio::time::timeout(Duration::from_secs(10), steps.recv()).await.expect("a step").unwrap();
        out.extend(batch.into_iter().map(|step| match step {
            Step::Begin => "begin".to_owned(),
            Step::Item(item) => format!("+{}", item.meta().name),
            Step::Gone(item) => format!("-{}", item.meta().name),
            Step::End(None) => "end".to_owned(),
            Step::End(Some(only)) => format!("end: {only}"),
            Step::Failed(why) => why.to_string(),
            Step::Absent => "absent".to_owned(),
        }));
    }
    out
}

fn node(name: &str, version: u32) -> String {
    format!(r#"{{"metadata":{{"name":"{name}","uid":"{name}","resourceVersion":"{version}"}}}}"#)
}

fn list(version: u32, next: &str, nodes: &[String]) -> (u16, String) {
    let body = format!(r#"{{"metadata":{{"resourceVersion":"{version}","continue":"{next}"}},"items":[{}]}}"#, nodes.join(","));
    (200, body)
}

fn event(kind: &str, object: &str) -> String {
    format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n")
}

#[tokio::test]
async fn pages_are_followed_and_a_watch_goes_on_from_the_last_version_seen() {
    let changes = [
        event("MODIFIED", &node("a", 11)),
        event("DELETED", &node("b", 12)),
        event("BOOKMARK", r#"{"metadata":{"resourceVersion":"20"}}"#),
    ];
    let pages = [list(10, "a/b=", &[node("a", 1)]), list(10, "", &[node("b", 2)])];
    let script = pages.into_iter().chain([(200, changes.concat()), list(20, "", &[])]).collect();
    let (api, asked) = server(script).await;
    let (mut steps, _link) = follow(api);
    assert_eq!(words(&mut steps, 6).await, ["begin", "+a", "+b", "end", "+a", "-b"]);
    until_asked(&asked, 5).await;
    let asked = asked.lock();
    assert_eq!(asked[0], "/api/v1/nodes?limit=500");
    assert_eq!(asked[1], "/api/v1/nodes?limit=2000&continue=a%2Fb%3D");
    assert!(asked[2].contains("resourceVersion=10&"), "{}", asked[2]);
    assert_eq!(asked[3], "/api/v1/nodes?limit=1", "whether the server has come so far");
    assert!(asked[4].contains("resourceVersion=20&"), "{}", asked[4]);
}

/// Waits until so much was asked.
async fn until_asked(asked: &Asked, count: usize) {
    while asked.lock().len() < count {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_server_that_has_not_come_to_the_version_that_was_followed_is_listed_anew() {
    let script =
        [list(10, "", &[node("a", 1)]), (200, event("ADDED", &node("b", 12))), list(11, "", &[]), list(11, "", &[node("a", 1)])];
    let (api, asked) = server(script.to_vec()).await;
    let (mut steps, link) = follow(api);
    assert_eq!(words(&mut steps, 7).await, ["begin", "+a", "end", "+b", "begin", "+a", "end"]);
    assert_eq!(asked.lock()[3], "/api/v1/nodes?limit=500", "not watched from where a restored server will be in a while");
    assert!(tokio::time::timeout(Duration::from_millis(50), link.ended()).await.is_err());
}

#[tokio::test]
async fn a_watch_that_is_silent_for_longer_than_a_bookmark_takes_is_begun_anew() {
    let asked = Asked::default();
    let api = listing(vec![list(10, "", &[node("a", 1)])], &asked).await;
    let (mut steps, link) = follow(api);
    assert_eq!(words(&mut steps, 3).await, ["begin", "+a", "end"]);
    until_asked(&asked, 2).await;
    for (more, times) in [(watch::SILENT - Duration::from_secs(10), 2), (Duration::from_secs(11), 4)] {
        tokio::time::sleep(Duration::from_millis(300)).await;
        tokio::time::pause();
        tokio::time::advance(more).await;
        tokio::time::resume();
        tokio::time::timeout(Duration::from_secs(10), until_asked(&asked, times)).await.expect("the watch is begun anew");
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(asked.lock().len(), times, "{asked:?}");
    }
    assert!(asked.lock()[3].starts_with("/api/v1/nodes?watch=true") && asked.lock()[3].contains("resourceVersion=10&"));
    assert!(steps.try_recv().is_err() && tokio::time::timeout(Duration::from_millis(50), link.ended()).await.is_err());
}

#[tokio::test]
async fn what_a_watch_told_before_it_broke_counts_and_is_not_asked_for_again() {
    let expired = event("ERROR", r#"{"code":500,"message":"etcd is not well"}"#);
    let told = [event("ADDED", &node("b", 11)), event("MODIFIED", &node("a", 12)), expired].concat();
    let (api, asked) = server(vec![list(10, "", &[node("a", 1)]), (200, told), list(12, "", &[])]).await;
    let (mut steps, _link) = follow(api);
    assert_eq!(words(&mut steps, 5).await, ["begin", "+a", "end", "+b", "+a"]);
    until_asked(&asked, 4).await;
    assert!(asked.lock()[3].contains("resourceVersion=12&"), "{asked:?}");
}

#[tokio::test]
async fn a_version_the_server_does_not_have_is_listed_anew_however_it_says_so() {
    let in_stream = event("ERROR", r#"{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}"#);
    let ahead = r#"{"code":504,"message":"Timeout: Too large resource version: 9, current: 5"}"#;
    for gone in [(200, in_stream), (410, "{}".to_owned()), (504, ahead.to_owned())] {
        let script = vec![list(10, "", &[node("a", 1)]), gone, list(30, "", &[node("c", 3)])];
        let (api, _) = server(script).await;
        let (mut steps, _link) = follow(api);
        assert_eq!(words(&mut steps, 6).await, ["begin", "+a", "end", "begin", "+c", "end"]);
    }
}

#[tokio::test]
async fn a_watch_that_goes_back_in_time_is_listed_anew() {
    let later = event("MODIFIED", &node("a", 12));
    let mark = |version: u32| event("BOOKMARK", &format!(r#"{{"metadata":{{"resourceVersion":"{version}"}}}}"#));
    // before the list, before what the watch told, and in a bookmark
    for (told, steps) in [
        (event("MODIFIED", &node("a", 9)), 0),
        ([later.clone(), event("DELETED", &node("a", 11))].concat(), 1),
        ([later, mark(11)].concat(), 1),
    ] {
        let script = vec![list(10, "", &[node("a", 1)]), (200, told), list(30, "", &[node("c", 3)])];
        let (api, _) = server(script).await;
        let (mut all, _link) = follow(api);
        assert_eq!(words(&mut all, 3 + steps).await[3..], ["+a"][..steps]);
        assert_eq!(words(&mut all, 3).await, ["begin", "+c", "end"]);
    }
}

#[tokio::test]
async fn what_a_watch_left_out_is_found_told_of_and_listed_anew_but_not_what_cannot_be_read() {
    let odd = r#"{"metadata":{"name":7,"uid":"odd","resourceVersion":"4"}}"#.to_owned();
    let page = || list(10, "", &[node("a", 1), node("b", 2), odd.clone()]);
    let have = |nodes: &[String]| list(10, "", nodes);
    // the server has a newer `a`, no `b`, and a `c`; then once more a newer `a`; and then what was listed
    let script = [
        page(),
        have(&[node("a", 5), node("c", 3), odd.clone()]),
        page(),
        have(&[node("a", 9), node("b", 2), odd.clone()]),
        page(),
        have(&[node("b", 2), odd.clone(), node("a", 1)]),
    ];
    let asked = Asked::default();
    let api = listing(script.to_vec(), &asked).await;
    let (out, mut steps) = mpsc::channel::<Vec<Step<RawNode>>>(100);
    let (sink, mut told) = sink();
    let lists = Arc::new(Semaphore::new(2));
    let audit = Duration::from_millis(200);
    let follower = Follower {
        api,
        kind: out.into(),
        link: Link::new(),
        lists,
        namespaces: Arc::from([]),
        audit,
        sink,
        seed: 60,
        plain: AtomicBool::default(),
    };
    let _following = AbortOnDropHandle::new(tokio::spawn(follower.run()));
    assert_eq!(words(&mut steps, 12).await, ["begin", "+a", "+b", "end"].repeat(3));
    for what in ["2 new, 1 changed, 1 gone", "1 new, 1 changed"] {
        let Some(Fact::Notice(notice)) = told.recv().await else { panic!() };
        let words = format!("c: the watch of nodes had left something out ({what}): all are listed anew");
        assert_eq!(notice.text.as_str(), words);
    }
    while asked.lock().len() < 9 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(told.try_recv().is_err(), "that an object cannot be read is no news");
    let asked = asked.lock();
    let audits: Vec<&String> = asked.iter().filter(|path| path.contains("Exact")).collect();
    assert_eq!(audits[0], "/api/v1/nodes?limit=500&resourceVersion=10&resourceVersionMatch=Exact");
}

/// A server whose lists come from a script, the last one again and again, and whose watches are silent.
async fn listing(script: Vec<(u16, String)>, asked: &Asked) -> Api {
    let mut at = 0;
    let next = move |_: &str| {
        at += 1;
        let (code, body) = script[(at - 1).min(script.len() - 1)].clone();
        (format!("{code} x"), body)
    };
    answering(next, asked).await
}

/// A server that answers to a path with this status, and headers after it, and this body, and whose watches are silent. A
/// status that is empty is no answer, and the end of all watches.
async fn answering(mut answer: impl FnMut(&str) -> (String, String) + Send + 'static, asked: &Asked) -> Api {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let log = Arc::clone(asked);
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let path = String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().to_owned();
            let watches = path.contains("watch=true");
            log.lock().push(path.clone());
            if watches {
                stream.write_all(b"HTTP/1.1 200 x\r\nconnection: close\r\n\r\n").await.unwrap();
                kept.push(stream);
            } else {
                let (status, body) = answer(&path);
                if status.is_empty() {
                    kept.clear();
                    kept.push(stream);
                    continue;
                }
                let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            }
        }
    });
    let config = kube::Config::new(url.parse().unwrap());
    let client = crate::backend::kubernetes::client::client(config).unwrap();
    Api::new(client, Arc::new(crate::backend::kubernetes::credentials::Credentials::default()), &url)
}

#[tokio::test]
async fn a_refusal_is_said_in_words_and_does_not_end_the_session() {
    let refused = r#"{"code":403,"reason":"Forbidden","message":"nodes is forbidden: User \"dev\" cannot list resource \"nodes\" in API group \"\" at the cluster scope"}"#;
    let (api, _) = server(vec![(403, refused.to_owned())]).await;
    let (mut steps, link) = follow(api);
    let want = "cannot list nodes: forbidden: dev may not list nodes; ask for `list` on `nodes` in the whole cluster";
    assert_eq!(words(&mut steps, 1).await, [want]);
    assert!(tokio::time::timeout(Duration::from_millis(50), link.ended()).await.is_err());
}

#[tokio::test]
async fn a_refusal_of_our_credentials_ends_the_session() {
    let (api, _) = server(vec![(401, r#"{"code":401,"message":"token expired"}"#.to_owned())]).await;
    let (_steps, link) = follow(api);
    let error = tokio::time::timeout(Duration::from_secs(5), link.ended()).await.unwrap();
    assert!(matches!(&error, crate::backend::BackendError::Unauthorised(why) if why.contains("token expired")), "{error:?}");
}

#[tokio::test]
async fn an_object_of_an_unknown_shape_hides_no_other() {
    let odd = r#"{"metadata":{"name":7},"spec":[]}"#.to_owned();
    let changes = [event("ADDED", &odd), event("ADDED", &node("c", 12))].concat();
    let (api, _) = server(vec![list(10, "", &[node("a", 1), odd, node("b", 2)]), (200, changes)]).await;
    let (mut steps, _link) = follow(api);
    assert_eq!(words(&mut steps, 5).await, ["begin", "+a", "+b", "end", "+c"]);
}

fn refusal(place: &str) -> (u16, String) {
    let message = format!(r#"pods is forbidden: User \"dev\" cannot list resource \"pods\" in API group \"\" {place}"#);
    (403, format!(r#"{{"code":403,"reason":"Forbidden","message":"{message}"}}"#))
}

const EVERYWHERE: &str = "at the cluster scope";

#[tokio::test]
async fn who_may_not_list_everywhere_sees_the_namespaces_that_were_named_as_one_list() {
    let script = vec![
        refusal(EVERYWHERE),
        list(10, "n", &[node("a", 1)]),
        list(10, "", &[node("b", 2)]),
        list(20, "", &[node("c", 3)]),
        refusal(r#"in the namespace \"ops\""#),
    ];
    let (api, asked) = server(script).await;
    let (mut steps, link) = follow_in::<RawPod>(api, &["shop", "pay", "ops"]);
    let end = "end: only namespaces shop, pay; forbidden: dev may not list pods; ask for `list` on `pods` in namespace ops";
    assert_eq!(words(&mut steps, 5).await, ["begin", "+a", "+b", "+c", end]);
    assert!(tokio::time::timeout(Duration::from_millis(50), link.ended()).await.is_err());
    while asked.lock().len() < 7 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let asked = asked.lock();
    let lists = ["/api/v1/pods", "/api/v1/namespaces/shop/pods", "/api/v1/namespaces/shop/pods", "/api/v1/namespaces/pay/pods"];
    for (path, want) in asked.iter().zip(lists) {
        assert!(path.starts_with(&format!("{want}?limit")), "{path}");
    }
    let watched = |path: &str| asked[5..].iter().any(|asked| asked.starts_with(&format!("{path}?watch=true")));
    assert!(watched("/api/v1/namespaces/shop/pods") && watched("/api/v1/namespaces/pay/pods"), "{asked:?}");
    assert!(asked[5..].iter().any(|path| path.contains("shop") && path.contains("resourceVersion=10&")), "{asked:?}");
    assert!(asked[5..].iter().any(|path| path.contains("pay") && path.contains("resourceVersion=20&")), "{asked:?}");
}

#[tokio::test]
async fn changes_of_each_namespace_come_and_all_are_watched_again_when_one_watch_ends() {
    let changes = [event("ADDED", &node("b", 11)), event("DELETED", &node("a", 12))].concat();
    let script = vec![refusal(EVERYWHERE), list(10, "", &[node("a", 1)]), (200, changes), list(12, "", &[])];
    let (api, asked) = server(script).await;
    let (mut steps, _link) = follow_in::<RawPod>(api, &["shop"]);
    assert_eq!(words(&mut steps, 5).await, ["begin", "+a", "end: only namespace shop", "+b", "-a"]);
    until_asked(&asked, 5).await;
    assert_eq!(asked.lock()[3], "/api/v1/namespaces/shop/pods?limit=1");
    assert!(asked.lock()[4].contains("/namespaces/shop/pods?watch=true") && asked.lock()[4].contains("resourceVersion=12&"));
}

#[tokio::test]
async fn a_kind_that_may_be_read_nowhere_says_what_was_tried() {
    let (api, _) = server(vec![refusal(EVERYWHERE), refusal(r#"in the namespace \"shop\""#)]).await;
    let (mut steps, _link) = follow_in::<RawPod>(api, &["shop"]);
    let want =
        "cannot list pods: forbidden: dev may not list pods; ask for `list` on `pods` in the whole cluster; nor in namespace shop";
    assert_eq!(words(&mut steps, 1).await, [want]);
}

#[tokio::test]
async fn what_was_said_of_a_watch_is_taken_back_by_a_list() {
    let garbage = (200, "{\"type\":\n".to_owned());
    let script = vec![list(10, "", &[node("a", 1)]), garbage, list(11, "", &[node("a", 1)])];
    let (api, asked) = server(script).await;
    let (mut steps, _link) = follow(api);
    let said = words(&mut steps, 7).await;
    assert!(said[3].starts_with("cannot watch nodes: the answer could not be read"), "{said:?}");
    assert_eq!(said[4..], ["begin", "+a", "end"]);
    assert!(asked.lock()[2].starts_with("/api/v1/nodes?limit"), "{asked:?}");
}
