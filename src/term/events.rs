//! Events from the terminal, in small batches: a burst of keys or resizes costs one frame. What came in one piece (a paste,
//! keys typed ahead over a slow link) is told apart from what was typed after a look.

use crossterm::event::{self, Event};
use std::io;
use std::thread;
use std::time::Duration;
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
    /// Starts reading. The terminal must be in raw mode.
    pub fn new() -> io::Result<Self> {
        let (sender, events) = mpsc::channel(WAITING);
        // a thread that wakes the loop itself: on a busy machine a key waits for each thread it is handed to
        thread::Builder::new().name("keys".to_owned()).spawn(move || read(&sender))?;
        Ok(Self { events })
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

/// Reads until nobody takes the events any more, or there can be none.
fn read(sender: &mpsc::Sender<io::Result<Came>>) {
    loop {
        let came = event::read().map(|event| (event, event::poll(Duration::ZERO).unwrap_or_default()));
        let ended = came.is_err();
        if sender.blocking_send(came).is_err() || ended {
            return;
        }
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
