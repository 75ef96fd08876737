//! Frames to the terminal: one at a time, written beside the loop, so that a terminal that takes no bytes holds up nothing.

use crate::term::{Frame, FrameWriter, Pacer, emit};
use crate::ui::{Moment, Ui};
use ratatui::layout::Size;
use std::future::pending;
use std::io;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// The bytes of a write that ended, to be used again, and how long it took.
type Written = (Vec<u8>, Duration);

/// The terminal as a place for frames.
pub(super) struct Screen {
    writer: FrameWriter,
    pacer: Pacer,
    began: Instant,
    /// Sequences that are no part of a frame (clipboard), sent before the next one.
    aside: Vec<u8>,
    /// A write under way; it gives the spent bytes back for the next one.
    writing: Option<JoinHandle<io::Result<Written>>>,
    spare: Vec<u8>,
}

impl Screen {
    pub(super) fn new(size: Size) -> Self {
        Self {
            writer: FrameWriter::new(size),
            pacer: Pacer::default(),
            began: Instant::now(),
            aside: Vec::new(),
            writing: None,
            spare: Vec::new(),
        }
    }

    pub(super) fn want(&mut self, frame: Frame) {
        self.pacer.want(frame);
    }

    pub(super) fn resize(&mut self, size: Size) {
        self.writer.resize(size);
        self.want(Frame::Input);
    }

    /// The next frame draws everything.
    pub(super) fn invalidate(&mut self) {
        self.writer.invalidate();
        self.want(Frame::Input);
    }

    /// Sends a sequence with the next frame.
    pub(super) fn send(&mut self, sequence: &[u8]) {
        self.aside.extend_from_slice(sequence);
        self.want(Frame::Input);
    }

    /// When the wanted frame may be drawn, if one is wanted and none is under way.
    pub(super) fn due(&self) -> Option<Instant> {
        self.pacer.due().map(|due| self.began + due)
    }

    /// Waits until the frame under way is written; for ever if there is none. May be dropped and called again.
    pub(super) async fn written(&mut self) -> io::Result<()> {
        let Some(writing) = &mut self.writing else { return pending().await };
        let result = writing.await;
        self.writing = None;
        let (mut bytes, took) = result.map_err(io::Error::other)??;
        self.pacer.written(bytes.len(), took);
        bytes.clear();
        self.spare = bytes;
        Ok(())
    }

    /// Waits until no frame is under way.
    pub(super) async fn settled(&mut self) -> io::Result<()> {
        if self.writing.is_some() { self.written().await } else { Ok(()) }
    }

    /// Whether the frame that is drawn now is one to take the newest picture for.
    pub(super) fn takes_news(&self) -> bool {
        self.pacer.takes_news(self.began.elapsed())
    }

    /// Hears that a second has passed; `young` if an age on screen is told in seconds.
    pub(super) fn second(&mut self, young: bool) {
        if self.pacer.ages_are_due(self.began.elapsed(), young) {
            self.pacer.want(Frame::Data);
        }
    }

    /// Hears how long it took to take the newest picture and draw it.
    pub(super) fn made(&mut self, work: Duration) {
        self.pacer.made(work);
    }

    /// Draws, and begins to write what changed.
    pub(super) fn draw(&mut self, ui: &mut Ui, moment: Moment) {
        let mut bytes = std::mem::take(&mut self.spare);
        bytes.append(&mut self.aside);
        let canvas = self.writer.canvas();
        if self.pacer.begin(self.began.elapsed()) != Frame::Input {
            ui.render(canvas.area, canvas, moment);
        } else if ui.render_moving(canvas.area, canvas, moment) {
            self.pacer.want(Frame::Rest);
        }
        self.writer.encode(&mut bytes, ui.cursor());
        if bytes.is_empty() {
            self.spare = bytes;
            self.pacer.written(0, Duration::ZERO);
            return;
        }
        let write = move || {
            let start = Instant::now();
            emit(&bytes).map(|()| (bytes, start.elapsed()))
        };
        self.writing = Some(tokio::task::spawn_blocking(write));
    }

    /// Whether the terminal has not taken the last frame yet.
    pub(super) fn is_writing(&self) -> bool {
        self.writing.is_some()
    }
}
