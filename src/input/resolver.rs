//! Key sequences: what the keys pressed so far come to.

use super::command::{Command, Scope};
use super::key::KeyPress;
use super::keymap::{Found, Keymap};
use crossterm::event::KeyCode;

/// What a key press came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// Run this.
    Run(Command),
    /// The beginning of a sequence: [`Resolver::next`] has what may follow.
    Pending,
    /// It means nothing here.
    Unbound,
}

/// The keys of a sequence that is not whole yet. There is no timeout: what may follow is on screen, and `esc` gives it up.
#[derive(Clone, Debug, Default)]
pub struct Resolver {
    pending: Vec<KeyPress>,
}

impl Resolver {
    /// Takes a key. One that does not go on with the sequence ends it and counts by itself, so no key is lost to a
    /// sequence begun by mistake.
    pub fn press(&mut self, keymap: &Keymap, scopes: &[Scope], key: KeyPress) -> Resolved {
        let going_on = !self.pending.is_empty();
        self.pending.push(key);
        match keymap.look_up(scopes, &self.pending) {
            Found::Command(command) => {
                self.pending.clear();
                Resolved::Run(command)
            }
            Found::Beginning => Resolved::Pending,
            Found::Nothing => {
                self.pending.clear();
                // esc only gives up the sequence
                if going_on && key.code() != KeyCode::Esc { self.press(keymap, scopes, key) } else { Resolved::Unbound }
            }
        }
    }

    /// The keys pressed so far of a sequence that is not whole.
    pub fn pending(&self) -> &[KeyPress] {
        &self.pending
    }

    /// Forgets a sequence that is not whole.
    pub fn clear(&mut self) {
        self.pending.clear();
    }

    /// What may follow the keys pressed so far, and what it does.
    pub fn next(&self, keymap: &Keymap, scopes: &[Scope]) -> Vec<(String, Command)> {
        let mut rows: Vec<(String, Command)> = Vec::new();
        for scope in scopes {
            for binding in keymap.bindings().iter().filter(|binding| binding.scope == *scope) {
                let Some(rest) = binding.keys.presses().strip_prefix(self.pending.as_slice()).filter(|rest| !rest.is_empty())
                else {
                    continue;
                };
                let words = rest.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
                if rows.iter().all(|(held, _)| *held != words) {
                    rows.push((words, binding.command));
                }
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layer;

    #[test]
    fn sequences_wait_and_no_key_is_lost() {
        let text = "[list]\n\"g g\" = \"list.top\"\n\"g e\" = \"events\"\n[service]\n\"e\" = \"logs\"\n[global]\n\"x y z\" = \"redraw\"\n\"x y a\" = \"notices\"\n";
        let mine = Layer { name: "mine".into(), file: Some("mine.toml".into()), text: text.into() };
        let (keymap, _) = Keymap::load("mine", &[mine]);
        let scopes = [Scope::Service, Scope::List, Scope::Global];
        let run = |keys: &str| {
            let mut resolver = Resolver::default();
            let last = keys.split(' ').map(|key| resolver.press(&keymap, &scopes, KeyPress::parse(key).unwrap())).last().unwrap();
            (last, resolver)
        };
        assert_eq!(run("e").0, Resolved::Run(Command::Logs));
        assert_eq!(run("g").0, Resolved::Pending);
        assert_eq!(run("g g").0, Resolved::Run(Command::Top));
        assert_eq!(run("g e").0, Resolved::Run(Command::Events), "the whole sequence, not e alone");
        assert_eq!(run("g j").0, Resolved::Run(Command::Down), "j is not lost");
        assert_eq!(run("x y g").0, Resolved::Pending, "the key that breaks a sequence may begin another");
        assert_eq!(run("g esc").0, Resolved::Unbound, "esc gives up the sequence and nothing more");
        assert_eq!(run("g esc esc").0, Resolved::Run(Command::Back));
        let (_, resolver) = run("x y");
        assert_eq!(resolver.pending().len(), 2);
        assert_eq!(resolver.next(&keymap, &scopes), [("z".to_owned(), Command::Redraw), ("a".to_owned(), Command::Notices)]);
    }
}
