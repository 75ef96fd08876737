//! Log views against a scripted cluster, in paused time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::tests::{link, secs, start, until};
use crate::analysis::fixture;
use crate::backend::BackendError;
use crate::engine::Engine;
use crate::model::*;
use crate::util::time::Timestamp;
use std::time::Duration;
use tokio::time::sleep;

fn line(at: i64, text: &str) -> LogLine {
    LogLine { at: Some(Timestamp(at)), task: Text::new(""), stream: Stream::Out, text: Text::new(text) }
}

async fn open(engine: &Engine, kind: Kind, key: &str) {
    until(engine, secs(1), |w| link(w, 0).is_live() && !w.clusters[0].tasks.is_empty()).await;
    let object = ObjectRef { cluster: ClusterId::from("one"), kind, key: Key::from(key) };
    let target = LogTarget { object, container: None, previous: false };
    engine.requests.send(Request::Tail { id: TailId(1), target }).await.unwrap();
}

/// What stands in the view, in short.
fn shown(world: &World) -> Vec<String> {
    let Some(tail) = world.tail(TailId(1)) else { return Vec::new() };
    tail.buffer
        .iter_from(0)
        .map(|(_, item)| match item {
            LogItem::Line(line) => line.text.to_string(),
            LogItem::Gap { lines, .. } => format!("gap {lines:?}"),
            LogItem::Joined { task, .. } => format!("joined {task}"),
            LogItem::Left { task, .. } => format!("left {task}"),
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_service_is_one_view_and_later_tasks_join() {
    let (engine, scripts) = start(&["one"]);
    *scripts[0].rows.lock() = vec![fixture::service("web", 2)];
    *scripts[0].tasks.lock() = vec![fixture::task("web-x-aa", "web", "n1"), fixture::task("web-x-bb", "web", "n1")];
    let (a, b) = (scripts[0].stream("web-x-aa"), scripts[0].stream("web-x-bb"));
    // what was before is shown by time, not by who answers first
    a.send(Ok(vec![line(10, "a10"), line(30, "a30")])).await.unwrap();
    b.send(Ok(vec![line(20, "b20")])).await.unwrap();
    open(&engine, Kind::Service, "web").await;
    until(&engine, secs(1), |w| shown(w) == ["a10", "b20", "a30"]).await;
    until(&engine, secs(1), |w| w.tail(TailId(1)).unwrap().state == TailState::Following(2)).await;
    let c = scripts[0].stream("web-x-cc");
    c.send(Ok(vec![line(40, "c40")])).await.unwrap();
    scripts[0].send(Delta::Task(Change::Upsert(fixture::task("web-x-cc", "web", "n1")))).await;
    until(&engine, secs(1), |w| shown(w)[3..] == ["joined cc", "c40"]).await;
    // one ends with its task
    scripts[0].send(Delta::Task(Change::Remove(Key::from("web-x-aa")))).await;
    sleep(secs(1)).await;
    drop(a);
    until(&engine, secs(1), |w| shown(w).last().is_some_and(|s| s == "left aa")).await;
    until(&engine, secs(1), |w| w.tail(TailId(1)).unwrap().state == TailState::Following(2)).await;
    engine.requests.send(Request::Untail(TailId(1))).await.unwrap();
    until(&engine, secs(1), |w| w.tails.is_empty()).await;
    sleep(secs(1)).await;
    assert!(b.is_closed() && c.is_closed(), "closing the view closes its streams");
}

#[tokio::test(start_paused = true)]
async fn a_lost_stream_is_marked_and_opened_again_where_it_stopped() {
    let (engine, scripts) = start(&["one"]);
    *scripts[0].tasks.lock() = vec![fixture::task("t", "", "n1")];
    let first = scripts[0].stream("t");
    let second = scripts[0].stream("t");
    first.send(Ok(vec![line(1_000, "one"), line(2_000, "two")])).await.unwrap();
    first.send(Err(BackendError::Unreachable("connection reset".into()))).await.unwrap();
    second.send(Ok(vec![line(2_000, "two"), line(3_000, "three")])).await.unwrap();
    open(&engine, Kind::Task, "t").await;
    until(&engine, secs(5), |w| shown(w) == ["one", "two", "gap None", "three"]).await;
    assert_eq!(scripts[0].opened.lock().last().unwrap().since, Some(Timestamp(2_000)));
}

#[tokio::test(start_paused = true)]
async fn many_small_pieces_are_no_reason_to_drop_lines() {
    let (engine, scripts) = start(&["one"]);
    *scripts[0].tasks.lock() = vec![fixture::task("t", "", "n1")];
    let stream = scripts[0].stream("t");
    open(&engine, Kind::Task, "t").await;
    sleep(secs(1)).await;
    // three thousand a second, each on its own
    for n in 0..6_000 {
        stream.send(Ok(vec![line(n + 1, "x")])).await.unwrap();
        if n % 3 == 0 {
            sleep(Duration::from_millis(1)).await;
        }
    }
    until(&engine, secs(1), |w| shown(w).len() == 6_000).await;
    assert_eq!(engine.world.borrow().tail(TailId(1)).unwrap().buffer.lost(), 0);
}

#[tokio::test(start_paused = true)]
async fn lines_that_come_too_fast_are_dropped_where_a_gap_stands() {
    let (engine, scripts) = start(&["one"]);
    *scripts[0].tasks.lock() = vec![fixture::task("t", "", "n1")];
    let stream = scripts[0].stream("t");
    open(&engine, Kind::Task, "t").await;
    sleep(secs(1)).await;
    let all = 200_000;
    for batch in 0..all / 100 {
        stream.send(Ok((0..100).map(|n| line(batch * 100 + n + 1, "x")).collect())).await.unwrap();
    }
    sleep(Duration::from_secs(30)).await;
    stream.send(Ok(vec![line(all + 1, "last")])).await.unwrap();
    until(&engine, secs(1), |w| shown(w).last().is_some_and(|s| s == "last")).await;
    let world = engine.world.borrow().clone();
    let buffer = &world.tail(TailId(1)).unwrap().buffer;
    let (mut lines, mut lost) = (buffer.range().start, 0);
    for (_, item) in buffer.iter_from(0) {
        match item {
            LogItem::Gap { lines: Some(n), .. } => lost += n,
            _ => lines += 1,
        }
    }
    assert!(lost > 0, "nothing was dropped");
    assert_eq!(lines + lost, all as u64 + 1, "each line is shown or counted");
}
