//! What is left behind when the program breaks: the terminal as it was, and a report in the state folder.

use super::{leave_by, restore};
use crate::util::clean::clean;
use crate::util::secrets::without_secrets;
use std::backtrace::Backtrace;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// Exit code after a panic, as the standard library has it.
const BROKEN: i32 = 101;
/// The terminal and the rest of the program get this long.
const GRACE: Duration = Duration::from_secs(1);

/// From now on a panic leaves a report in `folder`. One on the thread that calls this gives the terminal back first and
/// says where the report is; one on another thread only leaves the report, as the screen is still in use.
pub fn install_panic_hook(folder: PathBuf) {
    let ours = thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        // the message may have text of a cluster in it
        let said = without_secrets(&info.to_string());
        let said = clean(&said);
        let report = write(&folder, &said);
        if thread::current().id() == ours {
            // neither what is on its way to a terminal that takes nothing nor whoever waits for it holds up the end
            leave_by(BROKEN, GRACE);
            restore();
            let place = match &report {
                Ok(path) => format!("the report is in {}", path.display()),
                Err(error) => format!("the report could not be written to {}: {error}; {said}", folder.display()),
            };
            let _ = writeln!(std::io::stderr(), "quarterdeck broke off because of a mistake in itself; {place}");
        } else {
            tracing::error!("a part of the program broke off: {said}");
        }
    }));
}

/// Only place, message and stack: no environment, no arguments, nothing of any cluster's that is not in the message.
fn write(folder: &Path, said: &str) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("panic-{}.txt", std::process::id()));
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
    let name = thread::current().name().unwrap_or("unnamed").to_owned();
    let version = env!("CARGO_PKG_VERSION");
    writeln!(file, "quarterdeck {version}, thread {name}: {said}\n\n{}", Backtrace::force_capture())?;
    Ok(path)
}
