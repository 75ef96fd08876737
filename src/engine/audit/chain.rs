//! The files: `audit-000001.jsonl`, `audit-000002.jsonl`, … A record is a line with the hash of the record before it,
//! across files too. Only ends of files grow; the oldest files go once there are many.
//!
//! A program or machine that ends in the middle of a line leaves a part of one. The next record says the hash of that
//! part, so that it stays told apart from a line that someone has changed.

use super::record::Record;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Bytes after which the next file begins.
const LIMIT: u64 = 1 << 20;
/// Files kept.
pub(super) const KEEP: usize = 100;
/// What the first record says of the one before it.
pub(super) const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// How long other processes may hold the files.
const TURN: Duration = Duration::from_secs(5);
/// Between two looks whether they still do.
const LOOK: Duration = Duration::from_millis(5);

/// What ties a line to the one before it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Link {
    /// Counts records from 1.
    pub(super) seq: u64,
    /// Hash of the record before it.
    pub(super) prev: String,
    /// Hash of the part of a line that stands between the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) torn: Option<String>,
}

#[derive(Serialize)]
struct Chained<'a> {
    #[serde(flatten)]
    link: Link,
    #[serde(flatten)]
    record: &'a Record,
}

/// The files of a folder.
#[derive(Clone, Debug)]
pub struct Chain {
    folder: PathBuf,
    limit: u64,
}

impl Chain {
    /// In this folder, which need not be there yet.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), limit: LIMIT }
    }

    #[cfg(test)]
    pub(super) fn limited(folder: &Path, limit: u64) -> Self {
        Self { limit, ..Self::new(folder) }
    }

    /// Writes a record to the end and waits until it is on the disk. Several processes may do so at the same time.
    pub fn append(&self, record: &Record) -> Result<(), String> {
        self.write(record).map_err(|error| {
            format!(
                "the audit file in {} cannot be written: {error}; free space there or mend its permissions",
                self.folder.display()
            )
        })
    }

    fn write(&self, record: &Record) -> io::Result<()> {
        private_folder(&self.folder)?;
        let _turn = self.turn()?;
        let files = files(&self.folder)?;
        let end = End::of(&files)?;
        let mut number = files.last().map_or(1, |(number, _)| *number);
        let newest = files.last().map_or(Ok(0), |(_, path)| fs::metadata(path).map(|meta| meta.len()))?;
        if newest >= self.limit {
            number = number.saturating_add(1);
        }
        let mut file = options().append(true).create(true).open(self.folder.join(name(number)))?;
        let meta = file.metadata()?;
        if meta.mode() & 0o077 != 0 {
            file.set_permissions(Permissions::from_mode(0o600))?;
        }
        let mut line = Vec::with_capacity(1_024);
        if end.open && meta.len() > 0 {
            line.push(b'\n');
        }
        let link = Link { seq: end.seq + 1, prev: end.hash, torn: end.torn };
        serde_json::to_writer(&mut line, &Chained { link, record })?;
        line.push(b'\n');
        let written = file.write(&line);
        if !matches!(written, Ok(n) if n == line.len()) {
            // a part of a line says nothing; where it cannot be taken back, the next record tells that it is one
            let _ = file.set_len(meta.len());
            return Err(written.err().unwrap_or_else(|| io::Error::other("the disk is full")));
        }
        file.sync_all()?;
        if meta.len() == 0 {
            File::open(&self.folder)?.sync_all()?;
            let many = (files.len() + 1).saturating_sub(KEEP);
            // one that stays is in nobody's way
            files.iter().take(many).for_each(|(_, path)| drop(fs::remove_file(path)));
        }
        Ok(())
    }

    /// Waits until no other process writes. The lock ends with the file.
    fn turn(&self) -> io::Result<File> {
        let lock = options().append(true).create(true).open(self.folder.join("lock"))?;
        let given_up = Instant::now() + TURN;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(fs::TryLockError::Error(error)) => return Err(error),
                Err(fs::TryLockError::WouldBlock) if Instant::now() >= given_up => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "another process has held it for 5 s"));
                }
                Err(fs::TryLockError::WouldBlock) => std::thread::sleep(LOOK),
            }
        }
    }
}

/// How the chain ends now.
struct End {
    seq: u64,
    hash: String,
    /// The last line has no end, be it whole or not.
    open: bool,
    /// Hash of the last line, if it is a part of one.
    torn: Option<String>,
}

impl End {
    fn of(files: &[(u64, PathBuf)]) -> io::Result<Self> {
        let mut end = Self { seq: 0, hash: FIRST.to_owned(), open: false, torn: None };
        let mut last = None;
        for (_, path) in files.iter().rev() {
            let bytes = fs::read(path)?;
            for (nth, line) in bytes.split_inclusive(|byte| *byte == b'\n').rev().enumerate() {
                let whole = line.strip_suffix(b"\n").unwrap_or(line);
                let link = link(whole);
                if last.is_none() && nth == 0 && whole.len() == line.len() {
                    end.open = true;
                    if link.is_none() {
                        end.torn = Some(hash(whole));
                        continue;
                    }
                }
                // a last line that nobody can read is not healed by what comes after it: the chain shows it for ever
                last.get_or_insert_with(|| hash(whole));
                if let Some(link) = link {
                    end.seq = link.seq;
                    end.hash = last.unwrap_or_default();
                    return Ok(end);
                }
            }
        }
        end.hash = last.unwrap_or(end.hash);
        Ok(end)
    }
}

/// What ties a line, if it is a record at all.
pub(super) fn link(line: &[u8]) -> Option<Link> {
    serde_json::from_slice(line).ok()
}

/// The SHA-256 of some bytes, in hexadecimal digits.
pub(super) fn hash(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The files of a folder by number, oldest first; none if the folder is not there.
pub(super) fn files(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files: Vec<_> = named(folder)?.into_iter().filter_map(|(number, path)| Some((number?, path))).collect();
    files.sort_unstable();
    Ok(files)
}

/// A file that is named nearly like ours, if there is one: its number is none that we would write, or not as we write it.
pub(super) fn stranger(folder: &Path) -> io::Result<Option<PathBuf>> {
    Ok(named(folder)?.into_iter().find_map(|(number, path)| number.is_none().then_some(path)))
}

/// What is named like our files, and the number of those that are.
fn named(folder: &Path) -> io::Result<Vec<(Option<u64>, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let own = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(digits) = own.strip_prefix("audit-").and_then(|rest| rest.strip_suffix(".jsonl")) {
            let number = digits.parse().ok().filter(|number| *number > 0 && name(*number) == own);
            files.push((number, path));
        }
    }
    Ok(files)
}

fn name(number: u64) -> String {
    format!("audit-{number:06}.jsonl")
}

/// Waits until no process writes, for a reader; without the right to wait it reads all the same.
pub(super) fn quiet(folder: &Path) -> Option<File> {
    let lock = options().read(true).open(folder.join("lock")).ok()?;
    let given_up = Instant::now() + TURN;
    while lock.try_lock_shared().is_err() {
        if Instant::now() >= given_up {
            return None;
        }
        std::thread::sleep(LOOK);
    }
    Some(lock)
}

/// The operator's alone, and never through a link that someone else has put there.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    options
}

fn private_folder(folder: &Path) -> io::Result<()> {
    match fs::metadata(folder) {
        Ok(meta) if meta.is_dir() && meta.mode() & 0o077 != 0 => fs::set_permissions(folder, Permissions::from_mode(0o700)),
        Ok(_) => Ok(()),
        Err(_) => fs::DirBuilder::new().recursive(true).mode(0o700).create(folder),
    }
}
