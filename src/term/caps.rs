//! What the terminal can show, as far as the environment says. Asking the terminal itself would block on one that does
//! not answer, and steal keys typed meanwhile.

use crate::theme::ColorDepth;

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Colours.
    pub depth: ColorDepth,
    /// Only ASCII is safe: the locale is not UTF-8.
    pub ascii: bool,
}

impl Caps {
    /// From the environment of this process.
    pub fn from_env() -> Self {
        Self::read(|name| std::env::var(name).ok())
    }

    /// From any environment. An empty variable is one that is not set, as POSIX has it for the locale.
    pub fn read(var: impl Fn(&str) -> Option<String>) -> Self {
        let var = |name: &str| var(name).filter(|value| !value.is_empty());
        let term = var("TERM").unwrap_or_default();
        let depth = ColorDepth::detect(var("NO_COLOR").as_deref(), var("COLORTERM").as_deref(), Some(&term));
        let locale = var("LC_ALL").or_else(|| var("LC_CTYPE")).or_else(|| var("LANG"));
        // without any locale set the C locale holds, but the terminals of today all take UTF-8: only a locale that
        // names another character set, and the Linux console with its 256 glyphs, make us draw with ASCII
        let ascii = term == "linux"
            || locale.is_some_and(|locale| {
                let charset = locale.to_ascii_lowercase().replace('-', "");
                !charset.contains("utf8")
            });
        Self { depth, ascii }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides() {
        use ColorDepth::{Ansi, Indexed, None as NoColour, True};
        for (vars, depth, ascii) in [
            (&[("TERM", "xterm-256color"), ("LANG", "en_US.UTF-8")][..], Indexed, false),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], True, false),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")], NoColour, false),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "")], Indexed, false),
            (&[("TERM", "screen"), ("LANG", "C.utf8")], Ansi, false),
            (&[("TERM", "tmux-256color"), ("LC_ALL", "C"), ("LANG", "en_US.UTF-8")], Indexed, true),
            (&[("TERM", "xterm"), ("LC_ALL", ""), ("LC_CTYPE", "de_DE.ISO-8859-1")], Ansi, true),
            (&[("TERM", "linux"), ("LANG", "en_US.UTF-8")], Ansi, true),
            (&[("TERM", "dumb")], NoColour, false),
            (&[("TERM", "vt100")], NoColour, false),
            (&[], NoColour, false),
        ] {
            let caps = Caps::read(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()));
            assert_eq!(caps, Caps { depth, ascii }, "{vars:?}");
        }
    }
}
