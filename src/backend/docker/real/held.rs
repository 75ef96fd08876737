//! Something between us and the engine that lets all through but events.

use super::*;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// By when a list of everything has come and no event can come any more.
const TOLD: Duration = Duration::from_secs(75);

/// Hands everything on until events are asked for, and of these only that they come.
async fn back(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, events: Arc<AtomicBool>) {
    let (mut bytes, mut head) = (vec![0; 16 << 10], Vec::new());
    while let Ok(n @ 1..) = from.read(&mut bytes).await {
        if !events.load(SeqCst) {
            to.write_all(&bytes[..n]).await.unwrap();
            continue;
        }
        let begun = head.len();
        head.extend_from_slice(&bytes[..n]);
        let end = head.windows(4).position(|four| four == b"\r\n\r\n").map_or(head.len(), |at| at + 4);
        if begun < end {
            to.write_all(&head[begun..end]).await.unwrap();
        }
    }
}

async fn forth(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, events: Arc<AtomicBool>) {
    let mut bytes = vec![0; 16 << 10];
    while let Ok(n @ 1..) = from.read(&mut bytes).await {
        events.fetch_or(bytes[..n].windows(8).any(|part| part == b"/events?"), SeqCst);
        to.write_all(&bytes[..n]).await.unwrap();
    }
}

/// A session through such a thing, with the folder its socket is in.
async fn session() -> (Session, tempfile::TempDir) {
    let (dir, host) = (tempfile::tempdir().unwrap(), std::env::var("DOCKER_HOST").unwrap());
    let (near, far) = (dir.path().join("engine.sock"), Path::new(host.strip_prefix("unix://").unwrap()).to_owned());
    let listener = tokio::net::UnixListener::bind(&near).unwrap();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let (far, events) = (UnixStream::connect(&far).await.unwrap(), Arc::default());
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::spawn(forth(near_in, far_out, Arc::clone(&events)));
            tokio::spawn(back(far_in, near_out, events));
        }
    });
    (Session::at(&format!("unix://{}", near.display())).await, dir)
}

/// Waits until the operator is told of it.
async fn told(session: &mut Session, words: &str) {
    let end = Instant::now() + TOLD;
    while !session.notices().iter().any(|text| text.contains(words)) {
        assert!(Instant::now() < end, "nothing is told of {words}: {:?}", session.notices());
        session.during(Duration::from_secs(1)).await;
    }
    println!("{:?}", session.notices());
}

#[tokio::test]
#[ignore = "needs a real engine that is no swarm manager in DOCKER_HOST"]
async fn engine_a_container_of_which_no_event_came_is_listed_and_told_of() {
    let (mut session, _dir) = session().await;
    session.during(Duration::from_secs(2)).await;
    let id = docker(&["run", "-d", "--name", "unheard", "busybox:qd", "sleep", "1000"]);
    session.until("listed", TOLD, |s| s.tasks.get(id.as_str()).is_some()).await;
    told(&mut session, "the events of containers had left something out (1 new)").await;
    docker(&["rm", "-f", &id]);
    session.until("gone", TOLD, |s| s.tasks.get(id.as_str()).is_none()).await;
    told(&mut session, "the events of containers had left something out (1 gone)").await;
    assert_eq!(session.notices().len(), 2);
}

#[tokio::test]
#[ignore = "needs a real swarm manager in DOCKER_HOST"]
async fn swarm_a_service_of_which_no_event_came_is_listed_and_told_of() {
    let (mut session, _dir) = session().await;
    session.during(Duration::from_secs(2)).await;
    let id = docker(&["service", "create", "-d", "--name", "unheard", "busybox:qd", "sleep", "1000"]);
    session.until("listed", TOLD, |s| s.services.get(id.as_str()).is_some()).await;
    told(&mut session, "the events of services had left something out (1 new)").await;
    docker(&["service", "rm", &id]);
    session.until("gone", TOLD, |s| s.services.get(id.as_str()).is_none()).await;
    told(&mut session, "the events of services had left something out (1 gone)").await;
}
