//! Where the operator's files are (XDG Base Directory Specification 0.8).

use etcetera::base_strategy::{BaseStrategy, Xdg};
use std::path::{Path, PathBuf};

/// The folders and files of this operator. Made once at the start; reads the environment, touches no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The configuration file, and whether it was named (then it must exist).
    pub config: PathBuf,
    /// Whether `--config` or `QUARTERDECK_CONFIG` named it.
    pub named: bool,
    /// Themes of the operator: `NAME.toml`.
    pub themes: PathBuf,
    /// Keymaps of the operator: `NAME.toml`.
    pub keymaps: PathBuf,
    /// Logs and reports.
    pub state: PathBuf,
}

impl Paths {
    /// The paths for this process. `named` is what `--config` or `QUARTERDECK_CONFIG` says; themes and keymaps stay in the
    /// configuration folder. Without a home folder the current folder takes its place.
    pub fn find(named: Option<PathBuf>) -> Self {
        match Xdg::new() {
            Ok(xdg) => {
                let state = xdg.state_dir().unwrap_or_else(|| xdg.home_dir().join(".local/state"));
                Self::under(&xdg.config_dir(), &state, named)
            }
            Err(_) => Self::under(Path::new("."), Path::new("."), named),
        }
    }

    /// The folder where actions are written down.
    pub fn audit(&self) -> PathBuf {
        self.state.join("audit")
    }

    /// The paths below a configuration and a state folder.
    pub fn under(config: &Path, state: &Path, named: Option<PathBuf>) -> Self {
        let home = config.join("quarterdeck");
        Self {
            named: named.is_some(),
            config: named.unwrap_or_else(|| home.join("config.toml")),
            themes: home.join("themes"),
            keymaps: home.join("keymaps"),
            state: state.join("quarterdeck"),
        }
    }
}

/// `path` as written in a file of the folder `base`: `~/` is the home folder, a relative path begins at `base`.
pub(super) fn resolve(path: &Path, base: &Path) -> PathBuf {
    if let Ok(rest) = path.strip_prefix("~")
        && let Ok(home) = etcetera::home_dir()
    {
        return home.join(rest);
    }
    base.join(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_file_moves_only_itself() {
        let paths = Paths::under(Path::new("/c"), Path::new("/s"), None);
        assert_eq!(paths.config, Path::new("/c/quarterdeck/config.toml"));
        assert_eq!(paths.state, Path::new("/s/quarterdeck"));
        assert!(!paths.named);
        let paths = Paths::under(Path::new("/c"), Path::new("/s"), Some("/x/mine.toml".into()));
        assert_eq!((paths.config.as_path(), paths.named), (Path::new("/x/mine.toml"), true));
        assert_eq!(paths.themes, Path::new("/c/quarterdeck/themes"));
    }

    #[test]
    fn paths_in_a_file_begin_at_its_folder() {
        assert_eq!(resolve(Path::new("ca.pem"), Path::new("/etc/q")), Path::new("/etc/q/ca.pem"));
        assert_eq!(resolve(Path::new("/ca.pem"), Path::new("/etc/q")), Path::new("/ca.pem"));
        assert!(!resolve(Path::new("~/ca.pem"), Path::new("/etc/q")).starts_with("/etc/q/~"));
    }
}
