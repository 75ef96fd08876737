//! Keymaps: TOML files whose sections are scopes and whose lines bind keys to commands.
//!
//! ```toml
//! inherits = "default"
//!
//! [service]
//! "ctrl-e" = "service.redeploy"
//! "r" = "none"
//! ```

use super::command::{Command, Scope};
use super::key::{KeyPress, Keys};
use crate::config::{Layer, Problem, chain};
use toml::de::DeValue;

/// A key of one scope and what it does there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Where.
    pub scope: Scope,
    /// Which keys, one after the other.
    pub keys: Keys,
    /// What.
    pub command: Command,
}

/// All bindings in use. Of several keys of one command the operator's own stand first, then those of files it builds on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    /// Its name.
    pub name: String,
    bindings: Vec<Binding>,
}

/// What unbinds a key.
const NONE: &str = "none";

impl Keymap {
    /// The built-in keymaps.
    pub fn builtin() -> Vec<Layer> {
        vec![
            Layer::builtin("default", include_str!("../../keymaps/default.toml")),
            Layer::builtin("k9s", include_str!("../../keymaps/k9s.toml")),
            Layer::builtin("vim", include_str!("../../keymaps/vim.toml")),
            Layer::builtin("emacs", include_str!("../../keymaps/emacs.toml")),
        ]
    }

    /// The keymap called `name`, from the operator's files or the built-in ones. It always works: where a line, a section
    /// or a file is wrong, that is reported and the rest holds; without any, the built-in default holds.
    pub fn load(name: &str, files: &[Layer]) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut layers = files.to_vec();
        layers.extend(Self::builtin());
        let mut found = chain(name, &layers, "keymap", &mut problems);
        // a file that does not say what it builds on builds on the default, else a file of two lines would leave one
        // without a way out
        let base = layers.iter().rev().find(|layer| layer.name == "default" && layer.file.is_none());
        if let Some(base) =
            base.filter(|base| found.first().is_none_or(|first| first.file.is_some() && !std::ptr::eq(*first, *base)))
        {
            found.insert(0, base);
        }
        let mut keymap = Self { name: name.to_owned(), bindings: Vec::new() };
        for layer in found {
            keymap.add(layer, &mut problems);
        }
        (keymap, problems)
    }

    fn add(&mut self, layer: &Layer, problems: &mut Vec<Problem>) {
        let table = layer.parse(problems);
        let mut lines = Vec::new();
        for (section, value) in &table {
            let name = section.get_ref().as_ref();
            if name == "inherits" {
                continue;
            }
            let Some(scope) = Scope::named(name) else {
                let known = Scope::ALL.iter().map(|scope| scope.name());
                problems.push(layer.problem(section, format!("there is no section `{name}` in a keymap")).suggest(name, known));
                continue;
            };
            let DeValue::Table(keys) = value.get_ref() else {
                problems.push(layer.problem(value, format!("`{name}` must be a section: `[{name}]`")));
                continue;
            };
            lines.extend(keys.iter().map(|(keys, command)| (scope, keys, command)));
        }
        // in the order of the file: what stands first is the key that is hinted
        lines.sort_by_key(|(_, keys, _)| keys.span().start);
        let mut seen: Vec<(Scope, Keys)> = Vec::new();
        let mut added = Vec::new();
        for (scope, word, value) in lines {
            let keys = match Keys::parse(word.get_ref()) {
                Ok(keys) => keys,
                Err(message) => {
                    problems.push(layer.problem(word, message));
                    continue;
                }
            };
            let DeValue::String(name) = value.get_ref() else {
                problems.push(layer.problem(value, format!("`{keys}` must name a command, or \"{NONE}\"")));
                continue;
            };
            if seen.iter().any(|(s, k)| *s == scope && *k == keys) {
                problems.push(layer.problem(word, format!("`{keys}` is bound twice in [{}]; the first holds", scope.name())));
                continue;
            }
            let command = Command::named(name);
            if command.is_none() && name != NONE {
                let known = Command::ALL.iter().map(|command| command.name()).chain([NONE]);
                problems.push(layer.problem(value, format!("there is no command `{name}`")).suggest(name, known));
                continue;
            }
            seen.push((scope, keys.clone()));
            self.bindings.retain(|held| held.scope != scope || held.keys != keys);
            if let Some(command) = command {
                // a key that was the beginning of inherited sequences ends them
                self.bindings.retain(|held| held.scope != scope || !overlaps(&held.keys, &keys));
                if let Some(other) = added.iter().find(|b: &&Binding| b.scope == scope && overlaps(&b.keys, &keys)) {
                    let words = format!("`{keys}` and `{}` begin alike in [{}]; the first holds", other.keys, scope.name());
                    problems.push(layer.problem(word, words));
                    continue;
                }
                added.push(Binding { scope, keys, command });
            }
        }
        added.append(&mut self.bindings);
        self.bindings = added;
    }

    /// All bindings, the hinted key of each command before its others.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// The key to hint for a command where these scopes are looked up, most special first: one that really gets there.
    pub fn key_for(&self, command: Command, scopes: &[Scope]) -> Option<&str> {
        self.keys_for(command, scopes).next()
    }

    /// All keys that get to a command where these scopes are looked up, the hinted one first.
    pub fn keys_for(&self, command: Command, scopes: &[Scope]) -> impl Iterator<Item = &str> {
        self.bindings
            .iter()
            .filter(move |binding| binding.command == command && scopes.contains(&binding.scope))
            .filter(move |binding| self.look_up(scopes, binding.keys.presses()) == Found::Command(command))
            .map(|binding| binding.keys.words())
    }

    /// What keys mean where these scopes are looked up. The most special scope that knows anything of them decides.
    pub(super) fn look_up(&self, scopes: &[Scope], keys: &[KeyPress]) -> Found {
        for scope in scopes {
            for binding in self.bindings.iter().filter(|binding| binding.scope == *scope) {
                let bound = binding.keys.presses();
                if bound == keys {
                    return Found::Command(binding.command);
                }
                if bound.starts_with(keys) {
                    return Found::Beginning;
                }
            }
        }
        Found::Nothing
    }
}

/// What keys mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A command.
    Command(Command),
    /// The beginning of a sequence.
    Beginning,
    /// Nothing.
    Nothing,
}

/// Whether one is the beginning of the other.
fn overlaps(a: &Keys, b: &Keys) -> bool {
    a.presses().starts_with(b.presses()) || b.presses().starts_with(a.presses())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> (Keymap, Vec<String>) {
        let mine = Layer { name: "mine".into(), file: Some("mine.toml".into()), text: text.into() };
        let (keymap, problems) = Keymap::load("mine", &[mine]);
        (keymap, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_built_in_keymaps_are_right_and_reach_every_command_or_leave_it_to_the_palette() {
        for layer in Keymap::builtin() {
            let (keymap, problems) = Keymap::load(&layer.name, &[]);
            assert_eq!(problems, [], "{}", layer.name);
            for binding in keymap.bindings() {
                let scopes = [binding.scope, Scope::Global];
                assert!(keymap.key_for(binding.command, &scopes).is_some(), "{} {}", binding.keys, binding.command.name());
            }
            assert!(keymap.key_for(Command::Palette, &[Scope::Global]).is_some(), "{}", layer.name);
            for command in Command::ALL {
                let scopes = [command.scope(), Scope::List, Scope::Global];
                assert!(keymap.key_for(*command, &scopes).is_some(), "{}: no key for {}", layer.name, command.name());
            }
        }
    }

    #[test]
    fn the_default_leaves_alone_what_terminals_and_multiplexers_take() {
        let (keymap, _) = Keymap::load("default", &[]);
        for key in ["ctrl-s", "ctrl-q", "ctrl-a", "ctrl-b", "ctrl-k", "ctrl-4", "ctrl-\\"] {
            let key = Keys::parse(key).unwrap();
            assert!(keymap.bindings().iter().all(|binding| binding.keys != key), "{key} is bound");
        }
    }

    #[test]
    fn the_keymaps_for_other_habits_hide_nothing_and_lose_no_way_out() {
        let found = |name: &str, keys: &str, scopes: &[Scope]| {
            Keymap::load(name, &[]).0.look_up(scopes, Keys::parse(keys).unwrap().presses())
        };
        let task = [Scope::Task, Scope::List, Scope::Global];
        let node = [Scope::Node, Scope::List, Scope::Global];
        for (name, keys, scopes, command) in [
            ("k9s", "ctrl-k", &task, Command::DeleteTask),
            ("k9s", "ctrl-d", &task, Command::DeleteTask),
            ("k9s", "r", &node, Command::DrainNode),
            ("vim", "g g", &task, Command::Top),
            ("vim", "g t", &task, Command::PaneNext),
            ("vim", "ctrl-d", &task, Command::PageDown),
            ("vim", "d d", &task, Command::DeleteTask),
            ("vim", "K", &task, Command::Detail),
            ("emacs", "ctrl-n", &task, Command::Down),
            ("emacs", "alt-lt", &task, Command::Top),
            ("emacs", "ctrl-x ctrl-c", &task, Command::Quit),
        ] {
            assert_eq!(found(name, keys, scopes), Found::Command(command), "{name}: {keys}");
        }
        for name in ["k9s", "vim", "emacs"] {
            assert_eq!(found(name, "ctrl-c", &[Scope::Global]), Found::Command(Command::Quit), "{name}");
            assert_eq!(found(name, "esc", &task), Found::Command(Command::Back), "{name}");
        }
    }

    #[test]
    fn a_layer_adds_replaces_and_unbinds() {
        let (keymap, problems) = load(
            "inherits = \"default\"\n[service]\n\"s\" = \"none\"\n\"<C-e>\" = \"service.scale\"\n[list]\n\"g\" = \"list.top\"\n",
        );
        assert_eq!(problems, [""; 0]);
        let service = [Scope::Service, Scope::List, Scope::Global];
        assert_eq!(keymap.key_for(Command::Scale, &service), Some("ctrl-e"));
        let s = Keys::parse("s").unwrap();
        assert_ne!(keymap.look_up(&service, s.presses()), Found::Command(Command::Scale));
        assert_eq!(keymap.key_for(Command::Top, &service), Some("g"));
        assert_eq!(keymap.look_up(&service, Keys::parse("g").unwrap().presses()), Found::Command(Command::Top));
        // the rest is still the default
        assert_eq!(keymap.key_for(Command::Redeploy, &service), Some("r"));
    }

    #[test]
    fn a_hidden_key_is_not_hinted() {
        let (keymap, _) = load("[service]\n\"d\" = \"service.redeploy\"\n");
        assert_eq!(keymap.key_for(Command::Detail, &[Scope::Service, Scope::List]), None);
        assert_eq!(keymap.key_for(Command::Detail, &[Scope::Task, Scope::List]), Some("d"));
    }

    #[test]
    fn mistakes_are_reported_to_the_column_and_the_rest_holds() {
        let text = "\
[service]
\"s\" = \"service.sacle\"
\"entr\" = \"open\"
\"x\" = 5
\"<C-t>\" = \"logs\"
\"ctrl-t\" = \"events\"
\"z z\" = \"logs\"
\"z\" = \"events\"
[lsit]
\"j\" = \"list.down\"
[task
\"h\" = \"logs\"
";
        let (keymap, problems) = load(text);
        let mut problems = problems;
        problems.sort();
        for want in [
            "mine.toml:2:7: there is no command `service.sacle` (did you mean `service.scale`?)",
            "mine.toml:3:1: `entr` is not a key; did you mean `enter`?",
            "mine.toml:4:7: `x` must name a command, or \"none\"",
            "mine.toml:6:1: `ctrl-t` is bound twice in [service]; the first holds",
            "mine.toml:8:1: `z` and `z z` begin alike in [service]; the first holds",
            "mine.toml:9:2: there is no section `lsit` in a keymap (did you mean `list`?)",
        ] {
            assert!(problems.iter().any(|p| p == want), "{want}\nnot in\n{}", problems.join("\n"));
        }
        assert!(problems.iter().any(|p| p.starts_with("mine.toml:11:")), "{}", problems.join("\n"));
        assert_eq!(keymap.key_for(Command::Logs, &[Scope::Service]), Some("ctrl-t"));
        assert_eq!(keymap.key_for(Command::Scale, &[Scope::Service]), Some("s"), "the default stays");
    }

    #[test]
    fn an_unknown_keymap_is_said_and_the_default_holds() {
        let (keymap, problems) = Keymap::load("defualt", &[]);
        assert_eq!(problems[0].to_string(), "there is no keymap `defualt` (did you mean `default`?)");
        assert_eq!(keymap.bindings(), Keymap::load("default", &[]).0.bindings());
    }
}
