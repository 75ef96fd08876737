//! Reading the files, and where the chain breaks.

use super::chain::{FIRST, KEEP, Link, files, hash, link, quiet, stranger};
use super::record::Record;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A chain that holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Records.
    pub records: u64,
    /// The number of the first one: 1 until old files have gone.
    pub first: u64,
    /// Parts of lines that a program or machine left when it ended while it wrote; the newest may be the very end.
    pub torn: Vec<String>,
}

/// Where a chain breaks, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The file.
    pub file: PathBuf,
    /// The line in it, from 1; 0 is the file as a whole.
    pub line: usize,
    /// In words.
    pub why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file.display(), self.why),
            line => write!(f, "{}:{line}: {}", self.file.display(), self.why),
        }
    }
}

/// A line of the files.
#[derive(Clone, Debug)]
pub struct Line {
    /// As it stands there.
    pub text: String,
    /// What it says, if it can be read.
    pub record: Option<Record>,
}

/// All lines, oldest first, as far as they are text at all.
pub fn lines(folder: &Path) -> io::Result<Vec<Line>> {
    let _quiet = quiet(folder);
    let mut all = Vec::new();
    for (_, path) in files(folder)? {
        let bytes = fs::read(path)?;
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let record = serde_json::from_slice(line).ok();
            all.push(Line { text: String::from_utf8_lossy(line).into_owned(), record });
        }
    }
    Ok(all)
}

/// Holds each record against the one before it.
pub fn verify(folder: &Path) -> Result<Verified, Broken> {
    let _quiet = quiet(folder);
    let unread = |file: &Path, error: io::Error| Broken { file: file.to_owned(), line: 0, why: format!("cannot be read: {error}") };
    if let Some(file) = stranger(folder).map_err(|error| unread(folder, error))? {
        let why = "this is none of our audit files, though it is named nearly like one".to_owned();
        return Err(Broken { file, line: 0, why });
    }
    let files = files(folder).map_err(|error| unread(folder, error))?;
    let mut check = Check::default();
    for (at, (number, path)) in files.iter().enumerate() {
        let broken = |why: String| Broken { file: path.clone(), line: 0, why };
        let before = if at == 0 { number - 1 } else { files[at - 1].0 };
        if number - 1 != before {
            return Err(broken(format!("the file before it, number {}, is missing", number - 1)));
        }
        if at == 0 && *number > 1 && files.len() < KEEP {
            return Err(broken("older files are missing, and there are too few for them to have made room".to_owned()));
        }
        let bytes = fs::read(path).map_err(|error| unread(path, error))?;
        for (nth, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            check.line(path, *number, nth + 1, line)?;
        }
    }
    check.end()
}

/// What the next line is held against.
#[derive(Default)]
struct Check {
    seen: Verified,
    last: Option<(u64, String)>,
    /// A line that is no record: what comes next says whether it is a part of one.
    pending: Option<Pending>,
}

struct Pending {
    file: PathBuf,
    line: usize,
    hash: String,
    /// It has no end.
    open: bool,
}

impl Pending {
    fn broken(self) -> Broken {
        Broken { file: self.file, line: self.line, why: "this is no record: it was changed".to_owned() }
    }
}

impl Check {
    fn line(&mut self, path: &Path, number: u64, at: usize, line: &[u8]) -> Result<(), Broken> {
        let whole = line.strip_suffix(b"\n").unwrap_or(line);
        let broken = |why: String| Broken { file: path.to_owned(), line: at, why };
        let Some(Link { seq, prev, torn }) = link(whole) else {
            if let Some(pending) = self.pending.take() {
                return Err(pending.broken());
            }
            let open = whole.len() == line.len();
            self.pending = Some(Pending { file: path.to_owned(), line: at, hash: hash(whole), open });
            return Ok(());
        };
        match (self.pending.take(), torn) {
            (None, None) => {}
            (Some(pending), torn) => {
                if torn.as_ref() != Some(&pending.hash) {
                    return Err(pending.broken());
                }
                self.seen.torn.push(format!("{}:{}", pending.file.display(), pending.line));
            }
            (None, Some(_)) => return Err(broken(format!("the torn line before record {seq} is missing"))),
        }
        let expected = match &self.last {
            Some((last, hash)) => Some((last + 1, hash.as_str())),
            None if number == 1 => Some((1, FIRST)),
            // what it refers to made room for newer records
            None => None,
        };
        if let Some((next, hash)) = expected {
            if prev != hash {
                let before = if next == 1 { "nothing".to_owned() } else { format!("record {}", next - 1) };
                return Err(broken(format!(
                    "record {seq} does not follow {before} as it stands before it: one of the two was changed"
                )));
            }
            if seq != next {
                return Err(broken(format!("record {seq} stands where record {next} belongs")));
            }
        } else {
            self.seen.first = seq;
        }
        if self.seen.records == 0 {
            self.seen.first = seq;
        }
        self.seen.records += 1;
        self.last = Some((seq, hash(whole)));
        Ok(())
    }

    fn end(mut self) -> Result<Verified, Broken> {
        match self.pending.take() {
            Some(pending) if pending.open => self.seen.torn.push(format!("{}:{}", pending.file.display(), pending.line)),
            Some(pending) => return Err(pending.broken()),
            None => {}
        }
        Ok(self.seen)
    }
}
