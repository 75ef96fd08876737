//! Theme, keymap, and what the screen is set up with.

use crate::config::{Config, Paths, layers_in};
use crate::input::Keymap;
use crate::model::Text;
use crate::term::Caps;
use crate::theme::{ColorDepth, Theme};
use crate::ui::{PaneId, Ui, UiOptions};
use crate::util::time::Timestamp;

/// How the program looks and which keys it has. Always usable: what is wrong is in `warnings`, and built-ins hold.
#[derive(Clone, Debug)]
pub struct Looks {
    /// The theme in use.
    pub theme: Theme,
    /// All themes.
    pub themes: Vec<Theme>,
    /// The keymap in use.
    pub keymap: Keymap,
    /// ASCII only.
    pub ascii: bool,
    /// Where the configuration file is, or would be.
    pub config: Text,
    /// Secrets may be shown to whoever asks for them.
    pub reveals: bool,
    /// What is wrong, a sentence each.
    pub warnings: Vec<String>,
}

impl Looks {
    /// Reads the operator's folders. What is wrong with themes and keymaps that are not in use is not of interest now.
    pub fn load(config: &Config, paths: &Paths, caps: Caps) -> Self {
        let (theme_files, mut problems) = layers_in(&paths.themes);
        let (keymap_files, more) = layers_in(&paths.keymaps);
        problems.extend(more);
        let (theme, more) = Theme::load(&config.theme, &theme_files, caps.depth);
        problems.extend(more.into_iter().map(|problem| Config::placed(problem, paths, "theme", &config.theme)));
        let (keymap, more) = Keymap::load(&config.keymap, &keymap_files);
        problems.extend(more.into_iter().map(|problem| Config::placed(problem, paths, "keymap", &config.keymap)));
        let themes = Theme::names(&theme_files).iter().map(|name| Theme::load(name, &theme_files, caps.depth).0).collect();
        let file = Text::from(paths.config.display().to_string());
        let warnings = problems.iter().map(ToString::to_string).collect();
        Self { theme, themes, keymap, ascii: config.ascii || caps.ascii, config: file, reveals: true, warnings }
    }

    /// The screen, showing nothing yet.
    pub fn ui(&self, config: &Config, pane: PaneId) -> Ui {
        Ui::new(UiOptions {
            theme: self.theme.clone(),
            themes: self.themes.clone(),
            keymap: self.keymap.clone(),
            ascii: self.ascii,
            read_only: config.read_only,
            max_bulk: config.max_bulk as usize,
            reveals: self.reveals,
            local_time: !config.utc,
            pane,
            config: self.config.clone(),
        })
    }

    /// What a picture file can show, rather than this terminal.
    pub fn for_pictures(config: &Config, paths: &Paths, depth: ColorDepth) -> Self {
        // a picture is kept, and shown around
        Self { reveals: false, ..Self::load(config, paths, Caps { depth, ascii: false }) }
    }
}

/// Seconds that local time is ahead of UTC at `now`, as the system's time zone has it.
pub fn utc_offset(now: Timestamp) -> i32 {
    let Ok(at) = jiff::Timestamp::from_millisecond(now.0) else { return 0 };
    jiff::tz::TimeZone::system().to_offset(at).seconds()
}
