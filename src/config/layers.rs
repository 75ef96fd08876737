//! Files that build on each other by name: a keymap or theme says `inherits = "default"`, and the operator's file of a
//! name stands in front of the built-in one of the same name.

use super::Problem;
use std::path::PathBuf;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file by its name, with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its name: the file name without `.toml`.
    pub name: String,
    /// Where it is; none for a built-in.
    pub file: Option<PathBuf>,
    /// Its text.
    pub text: String,
}

impl Layer {
    /// A built-in.
    pub fn builtin(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), file: None, text: text.to_owned() }
    }

    /// Its TOML, with the parts that could not be read left out and reported.
    pub fn parse<'a>(&'a self, problems: &mut Vec<Problem>) -> DeTable<'a> {
        let (table, errors) = DeTable::parse_recoverable(&self.text);
        problems.extend(errors.iter().map(|error| Problem::toml(self.file.clone(), &self.text, error)));
        table.into_inner()
    }

    /// A problem at the place of something parsed from this layer.
    pub fn problem<T>(&self, place: &Spanned<T>, message: impl Into<String>) -> Problem {
        Problem::at(self.file.clone(), &self.text, place.span().start, message)
    }
}

/// The layer called `name` and those it inherits from, the most basic first. `layers` holds the operator's before the
/// built-in ones; a layer that inherits its own name means the next one of that name. A name that does not exist and a
/// circle are reported, and the chain ends there. `what` is the word for a layer: `theme`.
pub fn chain<'a>(name: &str, layers: &'a [Layer], what: &str, problems: &mut Vec<Problem>) -> Vec<&'a Layer> {
    let mut chain: Vec<&Layer> = Vec::new();
    let mut wanted = name.to_owned();
    let mut asked: Option<(&Layer, Spanned<()>)> = None;
    loop {
        let seen = |layer: &&Layer| chain.iter().any(|held| std::ptr::eq(*held, *layer));
        let mut of_name = layers.iter().filter(|layer| layer.name == wanted);
        // only a layer's own name may be asked for twice, and means the one behind it
        let own = asked.as_ref().is_some_and(|(by, _)| by.name == wanted);
        let found = if own { of_name.find(|layer| !seen(layer)) } else { of_name.next() };
        let report = |message: String| match &asked {
            Some((by, place)) => by.problem(place, message),
            None => Problem { file: None, place: None, message, help: None },
        };
        match found {
            None if own => {
                problems.push(report(format!("{what} `{wanted}` inherits itself")));
                break;
            }
            None => {
                let known = layers.iter().map(|layer| layer.name.as_str());
                let problem = report(format!("there is no {what} `{wanted}`")).suggest(&wanted, known.clone());
                problems.push(if problem.help.is_some() { problem } else { problem.with_help(listing(known)) });
                break;
            }
            Some(layer) if seen(&layer) => {
                let circle = chain.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>().join(" → ");
                problems.push(report(format!("{what}s inherit in a circle: {circle} → {wanted}")));
                break;
            }
            Some(layer) => {
                chain.push(layer);
                // what cannot be parsed is reported by whoever reads the layer
                let table = layer.parse(&mut Vec::new());
                let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == "inherits") else { break };
                let DeValue::String(base) = value.get_ref() else {
                    problems.push(layer.problem(value, format!("`{}` must be the name of a {what}", key.get_ref())));
                    break;
                };
                wanted = base.to_string();
                asked = Some((layer, Spanned::new(value.span(), ())));
            }
        }
    }
    chain.reverse();
    chain
}

fn listing<'a>(known: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = known.collect();
    names.sort_unstable();
    names.dedup();
    format!("there are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, text: &str) -> Layer {
        Layer { name: name.into(), file: Some(format!("{name}.toml").into()), text: text.into() }
    }

    #[test]
    fn layers_build_on_each_other_and_circles_end() {
        let layers = [
            user("default", "inherits = \"default\"\n"),
            user("night", "# mine\ninherits = \"defualt\"\n"),
            user("far", "inherits = \"zebra\"\n"),
            user("a", "inherits = \"b\"\n"),
            user("b", "inherits = \"a\"\n"),
            user("self", "inherits = \"self\"\n"),
            user("odd", "inherits = 7\n"),
            Layer::builtin("default", ""),
        ];
        for (name, want, says) in [
            ("default", "default* default", ""),
            ("night", "night*", "night.toml:2:12: there is no theme `defualt` (did you mean `default`?)"),
            ("far", "far*", "far.toml:1:12: there is no theme `zebra` (there are a, b, default, far, night, odd, self)"),
            ("a", "a* b*", "b.toml:1:12: themes inherit in a circle: a → b → a"),
            ("self", "self*", "self.toml:1:12: theme `self` inherits itself"),
            ("odd", "odd*", "odd.toml:1:12: `inherits` must be the name of a theme"),
            ("nigth", "", "there is no theme `nigth` (did you mean `night`?)"),
        ] {
            let mut problems = Vec::new();
            let chain = chain(name, &layers, "theme", &mut problems);
            let names: Vec<String> =
                chain.iter().rev().map(|l| format!("{}{}", l.name, if l.file.is_some() { "*" } else { "" })).collect();
            assert_eq!(names.join(" "), want);
            assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "), says);
        }
    }
}
