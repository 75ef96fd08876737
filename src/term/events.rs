//! Events from the terminal, in small batches: a burst of keys or resizes costs one frame. What came in one piece (a paste,
//! keys typed ahead over a slow link) is told apart from what was typed after a look.

use crossterm::event::{Event, EventStream};
use futures::{StreamExt, poll};
use std::io;
use std::task::Poll;
use tokio::sync::mpsc;

/// Events of one turn at most; more wait for the next, so that frames are drawn between them.
const BATCH: usize = 64;
/// Events that may wait; more stay with the terminal.
const WAITING: usize = 4 * BATCH;

/// The terminal's events.
#[derive(Debug)]
pub struct Events {
    events: mpsc::Receiver<io::Result<Came>>,
}

/// An event, and whether the next one was there when it was read.
type Came = (Event, bool);

/// Events of one turn.
#[derive(Debug)]
pub struct Batch {
    /// In their order.
    pub events: Vec<Event>,
    /// More of what came with them is to come.
    pub more: bool,
}

impl Events {
    /// Starts reading. The terminal must be in raw mode. Needs a tokio runtime.
    #[allow(clippy::new_without_default, reason = "it takes hold of the terminal: not a value")]
    pub fn new() -> Self {
        let (sender, events) = mpsc::channel(WAITING);
        // a task of its own: each look at the stream fights for a lock with the thread that waits for the terminal, and
        // the loop that takes the events is woken by much else
        tokio::spawn(async move {
            let mut stream = EventStream::new();
            let mut ahead = None;
            loop {
                let event = match ahead.take() {
                    Some(event) => event,
                    None => tokio::select! {
                        () = sender.closed() => return,
                        event = stream.next() => event,
                    },
                };
                let came = match event {
                    Some(Ok(event)) => {
                        if let Poll::Ready(next) = poll!(stream.next()) {
                            ahead = Some(next);
                        }
                        Ok((event, ahead.is_some()))
                    }
                    Some(Err(error)) => Err(error),
                    None => Err(io::ErrorKind::UnexpectedEof.into()),
                };
                let ended = came.is_err();
                if sender.send(came).await.is_err() || ended {
                    return;
                }
            }
        });
        Self { events }
    }

    /// Waits for an event and takes all that are there, at most [`BATCH`], with resizes collapsed to the last. May be
    /// dropped and called again without losing events. After an error there are no more.
    pub async fn batch(&mut self) -> io::Result<Batch> {
        let (first, mut more) = self.events.recv().await.ok_or(io::ErrorKind::UnexpectedEof)??;
        let mut events = vec![first];
        // an error is said by the next call, after what came before it
        while events.len() < BATCH
            && let Ok(Ok((event, goes_on))) = self.events.try_recv()
        {
            events.push(event);
            more = goes_on;
        }
        collapse(&mut events);
        Ok(Batch { events, more: more || !self.events.is_empty() })
    }
}

/// Keeps only the last resize: the size in between is not the size of anything.
fn collapse(batch: &mut Vec<Event>) {
    let last = batch.iter().rposition(|event| matches!(event, Event::Resize(..)));
    let mut index = 0;
    batch.retain(|event| {
        let keep = !matches!(event, Event::Resize(..)) || last == Some(index);
        index += 1;
        keep
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    #[test]
    fn only_the_last_resize_stays_and_keys_keep_their_order() {
        let key = |c| Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        let mut batch = vec![Event::Resize(1, 1), key('a'), Event::Resize(2, 2), key('b'), Event::Resize(3, 3), key('c')];
        collapse(&mut batch);
        assert_eq!(batch, [key('a'), key('b'), Event::Resize(3, 3), key('c')]);
    }
}
