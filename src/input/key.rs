//! Keys by name: `ctrl-d`, `<C-d>`, `enter`, `R`, and sequences of them: `g g`.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::fmt;

/// One key press, in the one form that every terminal can report: letters carry their shift in themselves, and ctrl with
/// a letter knows no shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyPress {
    code: KeyCode,
    mods: KeyModifiers,
}

/// A sequence of key presses, at least one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Keys {
    presses: Vec<KeyPress>,
    words: Box<str>,
}

const NAMES: [(&str, KeyCode); 17] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("page-up", KeyCode::PageUp),
    ("page-down", KeyCode::PageDown),
    ("space", KeyCode::Char(' ')),
    ("lt", KeyCode::Char('<')),
    ("gt", KeyCode::Char('>')),
];

/// Other words people write for the same keys.
const ALIASES: [(&str, KeyCode); 8] = [
    ("return", KeyCode::Enter),
    ("cr", KeyCode::Enter),
    ("escape", KeyCode::Esc),
    ("bs", KeyCode::Backspace),
    ("del", KeyCode::Delete),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("minus", KeyCode::Char('-')),
];

const MODIFIERS: [(&str, KeyModifiers); 9] = [
    ("ctrl-", KeyModifiers::CONTROL),
    ("alt-", KeyModifiers::ALT),
    ("shift-", KeyModifiers::SHIFT),
    ("C-", KeyModifiers::CONTROL),
    ("c-", KeyModifiers::CONTROL),
    ("A-", KeyModifiers::ALT),
    ("M-", KeyModifiers::ALT),
    ("S-", KeyModifiers::SHIFT),
    ("s-", KeyModifiers::SHIFT),
];

impl KeyPress {
    /// The press that a terminal event reports; none for releases, bare modifiers, and keys that have no name here.
    pub fn from_event(event: &KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        // super, hyper and meta belong to the window system; without them the key would mean something else
        if event.modifiers.intersects(KeyModifiers::SUPER | KeyModifiers::HYPER | KeyModifiers::META) {
            return None;
        }
        let known = matches!(event.code, KeyCode::Char(_) | KeyCode::BackTab | KeyCode::F(_))
            || NAMES.iter().any(|(_, code)| *code == event.code);
        known.then(|| Self::normal(event.code, event.modifiers))
    }

    /// The character it types where text is wanted, if it types one.
    pub fn char(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.mods.is_empty() => Some(c),
            _ => None,
        }
    }

    /// The key without its modifiers.
    pub fn code(self) -> KeyCode {
        self.code
    }

    /// Esc and the key after it, where this may be both: typed fast, or over a link that gathers bytes, `esc` and `j` reach
    /// us as the same two bytes as `alt-j`.
    pub fn apart(self) -> Option<[Self; 2]> {
        let rest = self.mods.difference(KeyModifiers::ALT);
        let esc = Self { code: KeyCode::Esc, mods: KeyModifiers::NONE };
        self.mods.contains(KeyModifiers::ALT).then_some([esc, Self { code: self.code, mods: rest }])
    }

    /// Ctrl, alt and, where the key does not carry it in itself, shift.
    pub fn mods(self) -> KeyModifiers {
        self.mods
    }

    fn normal(code: KeyCode, mods: KeyModifiers) -> Self {
        let mut mods = mods & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let code = match code {
            KeyCode::Char(c) if mods.contains(KeyModifiers::CONTROL) => KeyCode::Char(c.to_ascii_lowercase()),
            KeyCode::Char(c) if mods.contains(KeyModifiers::SHIFT) => {
                let mut upper = c.to_uppercase();
                match (upper.next(), upper.next()) {
                    (Some(one), None) => KeyCode::Char(one),
                    _ => KeyCode::Char(c),
                }
            }
            KeyCode::Tab if mods.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            code => code,
        };
        if matches!(code, KeyCode::Char(_) | KeyCode::BackTab) {
            mods.remove(KeyModifiers::SHIFT);
        }
        Self { code, mods }
    }

    /// Reads one key; the error says what is wrong with it.
    pub fn parse(word: &str) -> Result<Self, String> {
        let bare = word.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).filter(|inner| !inner.is_empty());
        let mut rest = bare.unwrap_or(word);
        let mut mods = KeyModifiers::NONE;
        while rest.chars().count() > 1 {
            let modifier =
                MODIFIERS.iter().filter(|(name, _)| name.len() > 2 || bare.is_some()).find(|(name, _)| rest.starts_with(name));
            let Some((name, modifier)) = modifier.filter(|(name, _)| rest.len() > name.len()) else { break };
            mods |= *modifier;
            rest = &rest[name.len()..];
        }
        let code = code(rest).ok_or_else(|| unknown(word, rest))?;
        if let KeyCode::Char(c) = code {
            let ctrl = mods.contains(KeyModifiers::CONTROL);
            if mods.contains(KeyModifiers::SHIFT) && (ctrl || !c.is_alphabetic()) {
                return Err(if ctrl {
                    format!("`{word}`: terminals do not tell ctrl-shift-{c} from ctrl-{c}")
                } else {
                    format!("`{word}`: write the character that shift makes")
                });
            }
            let same = match c.to_ascii_lowercase() {
                'i' => Some("tab"),
                'm' => Some("enter"),
                '[' => Some("esc"),
                _ => None,
            };
            if let (true, Some(same)) = (ctrl, same) {
                return Err(format!("`{word}`: terminals send `{same}` for it"));
            }
        }
        Ok(Self::normal(code, mods))
    }
}

fn code(name: &str) -> Option<KeyCode> {
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return (!c.is_control() && c != ' ').then_some(KeyCode::Char(c));
    }
    let lower = name.to_ascii_lowercase();
    if let Some(n) = lower.strip_prefix('f').and_then(|n| n.parse::<u8>().ok()) {
        return (1..=24).contains(&n).then_some(KeyCode::F(n));
    }
    let plain = lower.replace(['-', '_'], "");
    NAMES.iter().chain(&ALIASES).find(|(name, _)| name.replace('-', "") == plain).map(|(_, code)| *code)
}

fn unknown(word: &str, name: &str) -> String {
    match crate::config::closest(name, NAMES.iter().map(|(name, _)| *name).filter(|name| name.len() > 2)) {
        Some(near) => format!("`{word}` is not a key; did you mean `{}`?", word.replace(name, near)),
        None => format!("`{word}` is not a key; keys of a sequence stand apart: `g g`"),
    }
}

impl fmt::Display for KeyPress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, word) in [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-"), (KeyModifiers::SHIFT, "shift-")] {
            if self.mods.contains(modifier) {
                f.write_str(word)?;
            }
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("space"),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(n) => write!(f, "f{n}"),
            KeyCode::BackTab => f.write_str("shift-tab"),
            code => f.write_str(NAMES.iter().find(|(_, named)| *named == code).map_or("?", |(name, _)| name)),
        }
    }
}

impl Keys {
    /// Reads keys that stand apart by spaces; the error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let presses: Vec<KeyPress> = text.split_whitespace().map(KeyPress::parse).collect::<Result<_, _>>()?;
        if presses.is_empty() {
            return Err("no key is named; the space bar is `space`".into());
        }
        let words: Vec<String> = presses.iter().map(KeyPress::to_string).collect();
        Ok(Self { presses, words: words.join(" ").into() })
    }

    /// The presses, in order.
    pub fn presses(&self) -> &[KeyPress] {
        &self.presses
    }

    /// As they are written on screen. Kept, because every frame hints some.
    pub fn words(&self) -> &str {
        &self.words
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_both_spellings_and_shown_in_one() {
        for (text, want) in [
            ("<C-d>", "ctrl-d"),
            ("ctrl-d", "ctrl-d"),
            ("<enter>", "enter"),
            ("<CR>", "enter"),
            ("Return", "enter"),
            ("g g", "g g"),
            (":", ":"),
            ("-", "-"),
            ("ctrl--", "ctrl--"),
            ("<", "<"),
            (">", ">"),
            ("<lt>", "<"),
            ("R", "R"),
            ("<S-r>", "R"),
            ("shift-r", "R"),
            ("é", "é"),
            ("<S-tab>", "shift-tab"),
            ("<C-A-x>", "ctrl-alt-x"),
            ("<M-x>", "alt-x"),
            ("<C-S-up>", "ctrl-shift-up"),
            ("f5", "f5"),
            ("<PageUp>", "page-up"),
            ("space", "space"),
            ("ctrl-space", "ctrl-space"),
        ] {
            let keys = Keys::parse(text).unwrap();
            assert_eq!(keys.to_string(), want, "{text}");
            assert_eq!(Keys::parse(&keys.to_string()).unwrap(), keys, "{text} does not come back");
        }
    }

    #[test]
    fn what_is_no_key_is_said() {
        for (text, want) in [
            ("", "no key is named; the space bar is `space`"),
            ("<entr>", "`<entr>` is not a key; did you mean `<enter>`?"),
            ("gg", "`gg` is not a key; keys of a sequence stand apart: `g g`"),
            ("f25", "`f25` is not a key; keys of a sequence stand apart: `g g`"),
            ("<C-S-d>", "`<C-S-d>`: terminals do not tell ctrl-shift-d from ctrl-d"),
            ("<S-1>", "`<S-1>`: write the character that shift makes"),
            ("<C-m>", "`<C-m>`: terminals send `enter` for it"),
            ("ctrl-i", "`ctrl-i`: terminals send `tab` for it"),
        ] {
            assert_eq!(Keys::parse(text).unwrap_err(), want, "{text}");
        }
    }

    #[test]
    fn events_come_to_the_form_of_names() {
        let press = |code, mods| KeyPress::from_event(&KeyEvent::new(code, mods)).map(|key| key.to_string());
        let (none, shift, ctrl) = (KeyModifiers::NONE, KeyModifiers::SHIFT, KeyModifiers::CONTROL);
        assert_eq!(press(KeyCode::Char('R'), shift).as_deref(), Some("R"));
        assert_eq!(press(KeyCode::Char('R'), none).as_deref(), Some("R"));
        // terminals with the kitty protocol report the unshifted letter
        assert_eq!(press(KeyCode::Char('r'), shift).as_deref(), Some("R"));
        assert_eq!(press(KeyCode::Char('?'), shift).as_deref(), Some("?"));
        assert_eq!(press(KeyCode::Char('D'), ctrl | shift).as_deref(), Some("ctrl-d"));
        assert_eq!(press(KeyCode::BackTab, shift).as_deref(), Some("shift-tab"));
        assert_eq!(press(KeyCode::Tab, shift).as_deref(), Some("shift-tab"));
        assert_eq!(press(KeyCode::Up, shift).as_deref(), Some("shift-up"));
        assert_eq!(press(KeyCode::Char('q'), KeyModifiers::SUPER), None);
        assert_eq!(press(KeyCode::CapsLock, none), None);
        let release = KeyEvent::new_with_kind(KeyCode::Char('q'), none, KeyEventKind::Release);
        assert_eq!(KeyPress::from_event(&release), None);
    }
}
