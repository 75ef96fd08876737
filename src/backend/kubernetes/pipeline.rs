//! The way of a pod from bytes to its row without a server, for `tests/bench/decode.rs`.

use super::convert::{self, Names};
use super::decode::{self, Line};
use super::raw::RawPod;
use crate::backend::BackendError;
use crate::model::Task;

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
        Ok(match line {
            Some(Line::Added(pod) | Line::Modified(pod) | Line::Deleted(pod)) => Some(self.row(&pod)),
            _ => None,
        })
    }

    fn row(&mut self, pod: &RawPod) -> Task {
        convert::pod(pod, None, false, &mut self.names)
    }
}
