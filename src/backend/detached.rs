//! Programs that work for us unseen: they have no terminal to ask or write on, and end with all that they have started.

use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tokio::process::{Child, Command};

/// Where such a program is: where it says, or in one of the folders of `path`.
pub(super) fn find(program: &str, path: &OsStr) -> Option<PathBuf> {
    match program.contains('/') {
        true => Some(PathBuf::from(program)).filter(|program| program.is_file()),
        false => std::env::split_paths(path).map(|folder| folder.join(program)).find(|program| runs(program)),
    }
}

/// Whether it can be run by anybody: a shell goes past files that cannot (execvp(3)).
fn runs(program: &Path) -> bool {
    std::fs::metadata(program).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

/// A command for `program`, leader of a group of its own. Outside our session it has no terminal at all: /dev/tty, where
/// passwords are asked for, does not open. Which `setsid` takes it there is ours to say, whatever environment `program` gets.
pub(super) fn command(program: &Path) -> Command {
    let mut command = match find("setsid", &std::env::var_os("PATH").unwrap_or_default()) {
        Some(setsid) => {
            let mut command = Command::new(setsid);
            command.arg(program);
            command
        }
        // not part of every system (macOS has none); so at least it is no foreground job of our terminal
        None => {
            let mut command = Command::new(program);
            command.process_group(0);
            command
        }
    };
    command.kill_on_drop(true);
    command
}

/// A process and all that it started, ended when this is dropped.
pub(super) struct Group(Option<Pid>);

impl Group {
    /// The group that `child`, started by [`command`], leads.
    pub fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // it may have ended just now: nothing to do then
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
