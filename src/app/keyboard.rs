//! Keys to commands, or to text while something is being typed.

use crate::input::{Command, KeyPress, Keymap, Resolved, Resolver, Scope};
use crate::ui::{Pending, TextInput};
use crossterm::event::{KeyCode, KeyModifiers};

/// What a key comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A command.
    Run(Command),
    /// Text, or a key that edits it.
    Text(TextInput),
    /// The beginning of a sequence, with what may follow.
    Pending(Pending),
    /// A sequence was given up.
    GivenUp,
    /// Two keys that arrived as one; see [`KeyPress::apart`].
    Apart([KeyPress; 2]),
    /// Nothing here; the key in words.
    Nothing(String),
}

/// The keymap, and the keys pressed of a sequence that is not whole.
#[derive(Clone, Debug)]
pub struct Keyboard {
    keymap: Keymap,
    resolver: Resolver,
}

impl Keyboard {
    /// With this keymap.
    pub fn new(keymap: Keymap) -> Self {
        Self { keymap, resolver: Resolver::default() }
    }

    /// Takes a key. While text is wanted, keys that neither type nor edit still run commands: ctrl-c must always leave.
    pub fn press(&mut self, key: KeyPress, wants_text: bool, scopes: &[Scope]) -> Typed {
        if wants_text {
            self.resolver.clear();
            if let Some(input) = text(key) {
                return Typed::Text(input);
            }
        }
        let begun = !self.resolver.pending().is_empty();
        match self.resolver.press(&self.keymap, scopes, key) {
            Resolved::Run(command) => Typed::Run(command),
            Resolved::Unbound if begun && key.code() == KeyCode::Esc => Typed::GivenUp,
            Resolved::Unbound => match key.apart().filter(|_| !(wants_text && moves_by_words(key))) {
                Some(keys) => Typed::Apart(keys),
                None => Typed::Nothing(key.to_string()),
            },
            Resolved::Pending => {
                let begun: Vec<String> = self.resolver.pending().iter().map(ToString::to_string).collect();
                Typed::Pending(Pending { begun: begun.join(" "), next: self.resolver.next(&self.keymap, scopes) })
            }
        }
    }
}

/// Keys of readline that a line of text here does not know; taken apart they would throw away what was typed.
fn moves_by_words(key: KeyPress) -> bool {
    matches!(key.code(), KeyCode::Char('b' | 'f' | 'd'))
}

/// What a key means to a line of text: the keys of readline that terminals deliver.
fn text(key: KeyPress) -> Option<TextInput> {
    if let Some(c) = key.char() {
        return Some(TextInput::Char(c));
    }
    let ctrl = key.mods() == KeyModifiers::CONTROL;
    Some(match key.code() {
        KeyCode::Char('w') if ctrl => TextInput::DeleteWord,
        KeyCode::Char('u') if ctrl => TextInput::DeleteLine,
        KeyCode::Char('a') if ctrl => TextInput::Home,
        KeyCode::Char('e') if ctrl => TextInput::End,
        KeyCode::Char('h') if ctrl => TextInput::Backspace,
        KeyCode::Char('d') if ctrl => TextInput::Delete,
        KeyCode::Char('b') if ctrl => TextInput::Left,
        KeyCode::Char('f') if ctrl => TextInput::Right,
        KeyCode::Char('p') if ctrl => TextInput::Up,
        KeyCode::Char('n') if ctrl => TextInput::Down,
        KeyCode::Backspace if key.mods() == KeyModifiers::ALT || ctrl => TextInput::DeleteWord,
        _ if !key.mods().is_empty() => return None,
        KeyCode::Backspace => TextInput::Backspace,
        KeyCode::Delete => TextInput::Delete,
        KeyCode::Left => TextInput::Left,
        KeyCode::Right => TextInput::Right,
        KeyCode::Up => TextInput::Up,
        KeyCode::Down => TextInput::Down,
        KeyCode::Home => TextInput::Home,
        KeyCode::End => TextInput::End,
        KeyCode::PageUp => TextInput::PageUp,
        KeyCode::PageDown => TextInput::PageDown,
        KeyCode::Tab => TextInput::Tab,
        KeyCode::BackTab => TextInput::BackTab,
        KeyCode::Enter => TextInput::Enter,
        KeyCode::Esc => TextInput::Escape,
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_text_while_text_is_wanted_and_commands_otherwise() {
        let (keymap, problems) = Keymap::load("default", &[]);
        assert!(problems.is_empty());
        let mut keyboard = Keyboard::new(keymap);
        let mut press =
            |key: &str, wants_text| keyboard.press(KeyPress::parse(key).unwrap(), wants_text, &[Scope::List, Scope::Global]);
        assert_eq!(press("j", false), Typed::Run(Command::Down));
        assert_eq!(press("j", true), Typed::Text(TextInput::Char('j')));
        assert_eq!(press("space", true), Typed::Text(TextInput::Char(' ')));
        assert_eq!(press("ctrl-w", true), Typed::Text(TextInput::DeleteWord));
        assert_eq!(press("esc", true), Typed::Text(TextInput::Escape));
        assert_eq!(press("ctrl-c", true), Typed::Run(Command::Quit), "one can always leave");
        assert_eq!(press("ctrl-z", true), Typed::Run(Command::Suspend));
        let apart = |rest: &str| Typed::Apart(["esc", rest].map(|key| KeyPress::parse(key).unwrap()));
        assert_eq!(press("alt-j", false), apart("j"));
        assert_eq!(press("alt-R", true), apart("R"));
        assert_eq!(press("alt-b", true), Typed::Nothing("alt-b".into()), "the typed text stays");
        assert_eq!(press("f9", false), Typed::Nothing("f9".into()));
    }

    #[test]
    fn a_sequence_waits_with_what_may_follow_and_esc_gives_it_up() {
        let (keymap, problems) = Keymap::load("vim", &[]);
        assert!(problems.is_empty());
        let mut keyboard = Keyboard::new(keymap);
        let mut press = |key: &str| keyboard.press(KeyPress::parse(key).unwrap(), false, &[Scope::List, Scope::Global]);
        let Typed::Pending(pending) = press("g") else { panic!("g begins a sequence") };
        assert_eq!(pending.begun, "g");
        assert!(pending.next.contains(&("g".to_owned(), Command::Top)), "{pending:?}");
        assert_eq!(press("esc"), Typed::GivenUp);
        assert_eq!(press("esc"), Typed::Run(Command::Back));
        press("g");
        assert_eq!(press("j"), Typed::Run(Command::Down));
    }
}
