//! From the chunks of a watch to its steps.

use super::super::decode::{self, Line};
use super::super::failure::Failure;
use super::super::raw::Listed;
use super::Step;

/// Longest line of a watch: etcd holds objects of up to about 1.5 MiB, aggregated servers larger ones.
const LINE: usize = 8 << 20;

/// What a piece of a watch brought.
pub(super) struct Heard<T> {
    /// The steps, to be sent together.
    pub steps: Vec<Step<T>>,
    /// The version to go on from once they are sent; empty where there is none.
    pub version: String,
    /// The newest version that was told of, as a number; 0 where versions are none.
    newest: u64,
}

impl<T: Listed> Heard<T> {
    /// Nothing yet, after what came up to `version`.
    pub fn after(version: &str) -> Self {
        Self { steps: Vec::new(), version: String::new(), newest: version.parse().unwrap_or_default() }
    }

    /// Hears a chunk of a watch, of which `begun` holds the line that has not ended yet.
    pub fn chunk(&mut self, chunk: &[u8], begun: &mut Vec<u8>) -> Result<(), Failure> {
        let mut rest = chunk;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (head, tail) = rest.split_at(end);
            rest = tail.get(1..).unwrap_or_default();
            if begun.is_empty() {
                self.line(head)?;
            } else {
                begun.extend_from_slice(head);
                self.line(begun)?;
                begun.clear();
            }
        }
        begun.extend_from_slice(rest);
        if begun.len() > LINE {
            return Err(Failure::decode(format!("an object is larger than {} MiB", LINE >> 20)));
        }
        Ok(())
    }

    /// Versions of a kind grow. Where they do not, the server was restored from an older copy, or something between it and
    /// us muddles its account: what is held may be wrong.
    fn order(&mut self, version: &str) -> Result<(), Failure> {
        let Ok(version) = version.parse() else { return Ok(()) };
        if version < self.newest {
            return Err(Failure::disorder(version, self.newest));
        }
        self.newest = version;
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Failure> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let (item, gone) = match decode::line::<T>(line)? {
            None => return Ok(()),
            Some(Line::Error(status)) => return Err(Failure::from_status(status)),
            Some(Line::Bookmark(mark)) => {
                self.order(&mark.metadata.resource_version)?;
                self.version = mark.metadata.resource_version;
                return Ok(());
            }
            Some(Line::Added(item) | Line::Modified(item)) => (item, false),
            Some(Line::Deleted(item)) => (item, true),
        };
        self.order(&item.meta().resource_version)?;
        item.meta().resource_version.as_str().clone_into(&mut self.version);
        self.steps.push(if gone { Step::Gone(item) } else { Step::Item(item) });
        Ok(())
    }
}
