//! The log: a file a day in the state folder, never the screen.

use crate::config::LogLevel;
use crate::util::clean::clean;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Days of logs kept.
const DAYS: usize = 7;
/// Entries that may wait for the disk; more are left out. Room for all of them is made at the start: with the library's own
/// 128,000 that was 4 MB of memory, and a third of the time until the screen is there.
const WAITING: usize = 8_192;

/// Starts logging into `folder`. The guard writes what is left when it is dropped: keep it to the end. An error is a
/// sentence for the operator; the program goes on without a log.
pub fn start(folder: &Path, level: LogLevel) -> Result<Option<WorkerGuard>, String> {
    let level = match level {
        LogLevel::Off => return Ok(None),
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let failed = |error: &dyn std::fmt::Display| format!("nothing is logged: {} cannot be written: {error}", folder.display());
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| failed(&error))?;
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("quarterdeck")
        .filename_suffix("log")
        .max_log_files(DAYS)
        .build(folder)
        .map_err(|error| failed(&error))?;
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(WAITING).finish(file);
    // libraries only warn, at any level: below that they log headers, and with them credentials; kube's client puts whole
    // answers of the server into its warnings when it cannot read them
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("quarterdeck", level)
        .with_target("kube_client", LevelFilter::OFF);
    let layer = tracing_subscriber::fmt::layer().with_writer(move || Plain(writer.clone())).with_ansi(false);
    tracing_subscriber::registry().with(layer).with(targets).try_init().map_err(|error| failed(&error))?;
    Ok(Some(guard))
}

/// Entries have names and answers of clusters in them, and somebody will read them in a terminal: each is one line of text.
struct Plain(NonBlocking);

impl Write for Plain {
    /// Takes a whole entry, as the formatter hands them on.
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(entry);
        let line = clean(text.trim_end_matches('\n'));
        self.0.write_all(format!("{line}\n").as_bytes())?;
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
