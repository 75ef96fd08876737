//! The steps in which an operation is written down and forgotten. A test can let the program die at each of them.

/// What was done last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Step {
    /// Nothing yet.
    Asked,
    /// A file was made, and is held.
    Made,
    /// All was written into it.
    Written,
    /// What was written lasts.
    Synced,
    /// The file has its name.
    Named,
    /// Its name lasts.
    Kept,
    /// The operation has ended.
    Over,
    /// The file was removed.
    Forgotten,
}

#[cfg(not(test))]
pub(super) fn reached(_: Step, _: &std::path::Path) {}

#[cfg(test)]
pub(super) use death::reached;
#[cfg(test)]
pub(in super::super) use death::{STEPS, arm};

#[cfg(test)]
mod death {
    use super::Step;
    use parking_lot::Mutex;
    use std::path::{Path, PathBuf};

    pub(in super::super::super) const STEPS: [Step; 8] =
        [Step::Asked, Step::Made, Step::Written, Step::Synced, Step::Named, Step::Kept, Step::Over, Step::Forgotten];

    type Armed = (PathBuf, Step, Box<dyn FnOnce() + Send>);

    /// The next death of a program that keeps its operations in a folder.
    static ARMED: Mutex<Vec<Armed>> = Mutex::new(Vec::new());

    /// The program that keeps its operations in `folder` dies at this step, in place of any other; `last` is the last that is
    /// heard of it.
    pub(in super::super::super) fn arm(folder: &Path, at: Option<Step>, last: impl FnOnce() + Send + 'static) {
        let mut armed = ARMED.lock();
        armed.retain(|(of, ..)| of != folder);
        armed.extend(at.map(|step| (folder.to_owned(), step, Box::new(last) as _)));
    }

    /// A step was reached. What unwinds here lets go of the file, as a killed process does.
    pub(in super::super) fn reached(step: Step, folder: &Path) {
        let mut armed = ARMED.lock();
        let here = armed.iter().position(|(of, at, _)| of == folder && *at == step).map(|here| armed.remove(here));
        drop(armed);
        if let Some((.., last)) = here {
            last();
            std::panic::resume_unwind(Box::new("the program died"));
        }
    }
}
