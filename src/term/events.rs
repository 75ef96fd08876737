//! Events from the terminal, in small batches: a burst of keys or resizes costs one frame.

use crossterm::event::{Event, EventStream};
use futures::StreamExt;
use std::future::poll_fn;
use std::io;
use std::task::Poll;

/// Events of one turn at most; more wait for the next, so that frames are drawn between them.
const BATCH: usize = 64;

/// The terminal's events.
#[derive(Debug)]
pub struct Events {
    stream: EventStream,
}

impl Events {
    /// Starts reading. The terminal must be in raw mode.
    #[allow(clippy::new_without_default, reason = "it takes hold of the terminal: not a value")]
    pub fn new() -> Self {
        Self { stream: EventStream::new() }
    }

    /// Waits for an event and takes all that are there, at most [`BATCH`], with resizes collapsed to the last. May be
    /// dropped and called again without losing events.
    pub async fn batch(&mut self) -> io::Result<Vec<Event>> {
        // the stream remembers the waker of the first poll that found nothing, and no later one: every poll has to be
        // made with the waker of the task, or the next key waits until something else wakes it
        poll_fn(|cx| {
            let mut batch = Vec::new();
            while batch.len() < BATCH {
                match self.stream.poll_next_unpin(cx) {
                    Poll::Ready(Some(Ok(event))) => batch.push(event),
                    // after what came before it: an error that lasts comes again
                    Poll::Ready(Some(Err(error))) if batch.is_empty() => return Poll::Ready(Err(error)),
                    Poll::Ready(None) if batch.is_empty() => {
                        return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                    }
                    Poll::Pending if batch.is_empty() => return Poll::Pending,
                    Poll::Ready(_) | Poll::Pending => break,
                }
            }
            collapse(&mut batch);
            Poll::Ready(Ok(batch))
        })
        .await
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
