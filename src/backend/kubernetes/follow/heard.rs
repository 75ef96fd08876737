//! From the chunks of a watch to its steps.

use super::super::decode::{self, Line};
use super::super::failure::Failure;
use super::super::http::Form;
use super::super::raw::Listed;
use super::Step;

/// Longest line of a watch: etcd holds objects of up to about 1.5 MiB, aggregated servers larger ones.
const LINE: usize = 8 << 20;

/// The length before a frame (Kubernetes' own framing: four bytes, the highest first).
const PREFIX: usize = 4;

/// A line or frame that has begun.
pub(in super::super) struct Begun {
    form: Form,
    piece: Vec<u8>,
}

impl Begun {
    /// Of a watch of which nothing has come yet.
    pub fn new(form: Form) -> Self {
        Self { form, piece: Vec::new() }
    }
}

/// What a piece of a watch brought.
pub(in super::super) struct Heard<T> {
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

    /// Hears a chunk of a watch, of which `begun` holds what has not ended yet.
    pub fn chunk(&mut self, chunk: &[u8], begun: &mut Begun) -> Result<(), Failure> {
        let Begun { form, piece } = begun;
        let mut rest = chunk;
        while let Some((head, tail)) = cut(*form, piece, rest) {
            rest = tail;
            if piece.is_empty() {
                self.piece(*form, head)?;
            } else {
                piece.extend_from_slice(head);
                self.piece(*form, piece)?;
                piece.clear();
            }
        }
        piece.extend_from_slice(rest);
        if piece.len() > LINE {
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

    fn piece(&mut self, form: Form, piece: &[u8]) -> Result<(), Failure> {
        let told = match form {
            Form::Json if piece.iter().all(u8::is_ascii_whitespace) => None,
            Form::Json => decode::line::<T>(piece)?,
            Form::Protobuf => Some(decode::frame::<T>(piece.get(PREFIX..).unwrap_or_default())?),
        };
        let (item, gone) = match told {
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

/// Splits `rest` where the piece ends that has begun with `begun`: at the end of a line, or at that of a frame, which says
/// before it how long it is.
fn cut<'c>(form: Form, begun: &[u8], rest: &'c [u8]) -> Option<(&'c [u8], &'c [u8])> {
    if form == Form::Json {
        let end = memchr::memchr(b'\n', rest)?;
        return Some((rest.get(..end)?, rest.get(end + 1..)?));
    }
    let mut prefix = [0; PREFIX];
    for (to, from) in prefix.iter_mut().zip(begun.iter().chain(rest)) {
        *to = *from;
    }
    let length = PREFIX + usize::try_from(u32::from_be_bytes(prefix)).ok()?;
    if begun.len() + rest.len() < length.max(PREFIX) {
        return None;
    }
    rest.split_at_checked(length - begun.len())
}
