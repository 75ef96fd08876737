//! The way of a pod and of its log from bytes to rows without a server, for `tests/bench/decode.rs` and `tests/fuzz`.

use super::convert::{self, Names};
use super::decode::{self, Line};
use super::follow::Step;
use super::follow::heard::{Begun, Heard};
use super::http::Form;
use super::logs::Splitter;
use super::raw::RawPod;
use crate::backend::BackendError;
use crate::model::{LogLine, Task, Text};

/// What a session does with pods, as far as it costs by the pod.
#[derive(Debug, Default)]
pub struct Pipeline {
    names: Names,
}

impl Pipeline {
    /// The rows of a page of a list.
    pub fn page(&mut self, body: &[u8]) -> Result<Vec<Task>, BackendError> {
        let page = decode::page::<RawPod>(body, &mut |_| {}).map_err(|failure| failure.about("read a page of pods"))?;
        Ok(page.items.iter().flatten().map(|pod| self.row(pod)).collect())
    }

    /// The row of an object that a line of a watch tells of; none for a line that tells of none.
    pub fn line(&mut self, line: &[u8]) -> Result<Option<Task>, BackendError> {
        let line = decode::line::<RawPod>(line).map_err(|failure| failure.about("read a change of a pod"))?;
        Ok(line.and_then(|line| self.changed(line)))
    }

    /// The same for a frame, which is what a line is in Protocol Buffers.
    pub fn frame(&mut self, frame: &[u8]) -> Result<Option<Task>, BackendError> {
        let line = decode::frame::<RawPod>(frame).map_err(|failure| failure.about("read a change of a pod"))?;
        Ok(self.changed(line))
    }

    /// The rows that a watch tells of, in Protocol Buffers or else in JSON, which arrives in these pieces; and why it cannot
    /// be read any further, if so.
    pub fn watch<'a>(
        &mut self,
        protobuf: bool,
        mut pieces: impl Iterator<Item = &'a [u8]>,
    ) -> (Vec<Task>, Result<(), BackendError>) {
        let form = if protobuf { Form::Protobuf } else { Form::Json };
        let (mut heard, mut begun) = (Heard::<RawPod>::after(""), Begun::new(form));
        let read = pieces.try_for_each(|piece| heard.chunk(piece, &mut begun));
        let told = heard.steps.iter().filter_map(|step| match step {
            Step::Item(pod) | Step::Gone(pod) => Some(self.row(pod)),
            _ => None,
        });
        (told.collect(), read.map_err(|failure| failure.about("watch pods")))
    }

    fn changed(&mut self, line: Line<RawPod>) -> Option<Task> {
        match line {
            Line::Added(pod) | Line::Modified(pod) | Line::Deleted(pod) => Some(self.row(&pod)),
            Line::Bookmark(_) | Line::Error(_) => None,
        }
    }

    /// The lines of a log that arrives in these pieces.
    pub fn log<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<LogLine> {
        let (mut splitter, task) = (Splitter::default(), Text::new("t"));
        let mut lines: Vec<LogLine> = pieces.flat_map(|piece| splitter.feed(piece, &task)).collect();
        lines.extend(splitter.rest(&task));
        lines
    }

    fn row(&mut self, pod: &RawPod) -> Task {
        convert::pod(pod, None, false, &mut self.names)
    }
}
