//! Changes to labels and taints as they are typed: `key=value` sets, `key-` takes away, as `kubectl` and `docker` have it.

use crate::model::{Effect, LabelEdit, Taint, TaintEdit, Text};

/// Longest name or value of a label in Kubernetes.
const NAME: usize = 63;
/// Longest prefix of a key in Kubernetes.
const PREFIX: usize = 253;

/// Where in a word something is wrong, and what.
type Wrong = (usize, String);

/// Reads changes to labels, separated by spaces. Kubernetes takes few characters only (`strict`), a swarm takes any.
///
/// # Errors
///
/// What is wrong with the line and where, in one sentence.
pub fn labels(line: &str, strict: bool) -> Result<Box<[LabelEdit]>, Text> {
    let read = |word: &str| -> Result<LabelEdit, Wrong> {
        let (key, value) = match (word.split_once('='), word.strip_suffix('-')) {
            (Some((key, value)), _) => (key, Some(value)),
            (None, Some(key)) => (key, None),
            (None, None) => return Err((0, format!("write {word}=value to set it, or {word}- to take it away"))),
        };
        check(key, value, strict)?;
        Ok(LabelEdit { key: Text::new(key), value: value.map(Text::new) })
    };
    all(line, read, |a, b| a.key == b.key)
}

/// Reads changes to taints, separated by spaces: `key=value:NoSchedule`, `key:NoExecute`, `key:NoExecute-`, `key-`.
///
/// # Errors
///
/// What is wrong with the line and where, in one sentence.
pub fn taints(line: &str) -> Result<Box<[TaintEdit]>, Text> {
    let read = |word: &str| -> Result<TaintEdit, Wrong> {
        let (kept, remove) = word.strip_suffix('-').map_or((word, false), |kept| (kept, true));
        let (name, effect) = kept.split_once(':').map_or((kept, None), |(name, effect)| (name, Some(effect)));
        let (key, value) = name.split_once('=').map_or((name, None), |(key, value)| (key, Some(value)));
        check(key, value, true)?;
        let effect = match effect.map(|word| Effect::named(word).ok_or(word)) {
            None => None,
            Some(Ok(effect)) => Some(effect),
            Some(Err(word)) => {
                let words = Effect::ALL.map(Effect::word).join(", ");
                return Err((name.chars().count() + 1, format!("{word:?} is no effect; there are {words}")));
            }
        };
        let key = Text::new(key);
        match (effect, remove) {
            (effect, true) => Ok(TaintEdit::Remove { key, effect }),
            (Some(effect), false) => Ok(TaintEdit::Set(Taint { key, value: Text::new(value.unwrap_or_default()), effect })),
            (None, false) => Err((kept.chars().count(), format!("an effect is missing: {kept}:NoSchedule, for one"))),
        }
    };
    let overlap = |a: &TaintEdit, b: &TaintEdit| match (a, b) {
        (TaintEdit::Set(taint), other) | (other, TaintEdit::Set(taint)) => other.covers(&taint.key, taint.effect.word()),
        (TaintEdit::Remove { effect: Some(a), .. }, TaintEdit::Remove { effect: Some(b), .. }) if a != b => false,
        (a, b) => a.key() == b.key(),
    };
    all(line, read, overlap)
}

fn all<T>(line: &str, read: impl Fn(&str) -> Result<T, Wrong>, same: impl Fn(&T, &T) -> bool) -> Result<Box<[T]>, Text> {
    let mut edits: Vec<T> = Vec::new();
    let mut at = 1;
    for word in line.split(' ') {
        let wrong = |(within, why): Wrong| Text::from(format!("character {}: {why}", at + within));
        if !word.is_empty() {
            let edit = read(word).map_err(wrong)?;
            if edits.iter().any(|held| same(held, &edit)) {
                return Err(wrong((0, format!("{word:?} comes on top of one before it; say each thing once"))));
            }
            edits.push(edit);
        }
        at += word.chars().count() + 1;
    }
    Ok(edits.into())
}

fn check(key: &str, value: Option<&str>, strict: bool) -> Result<(), Wrong> {
    if key.is_empty() {
        return Err((0, "the key is missing".to_owned()));
    }
    if !strict {
        return Ok(());
    }
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let mut at = 0;
    if let Some(prefix) = prefix {
        let domain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
        part(prefix, "the part before /", PREFIX, domain, "small letters, digits, - and .")?;
        at = prefix.len() + 1;
    }
    let after = |(within, why): Wrong| (at + within, why);
    part(name, "a key", NAME, word, "letters, digits, - _ and .").map_err(after)?;
    match value {
        Some(value) if !value.is_empty() => {
            let after = |(within, why): Wrong| (key.len() + 1 + within, why);
            part(value, "a value", NAME, word, "letters, digits, - _ and .").map_err(after)
        }
        _ => Ok(()),
    }
}

fn part(text: &str, what: &str, most: usize, fits: impl Fn(char) -> bool, which: &str) -> Result<(), Wrong> {
    if let Some((at, c)) = text.chars().enumerate().find(|(_, c)| !fits(*c)) {
        return Err((at, format!("{what} has {which} only, not {c:?}")));
    }
    if text.is_empty() {
        return Err((0, format!("{what} is empty")));
    }
    if text.len() > most {
        return Err((most, format!("{what} has {most} characters at most")));
    }
    let ends = [0, text.len() - 1];
    match ends.into_iter().find(|at| !text.as_bytes()[*at].is_ascii_alphanumeric()) {
        Some(at) => Err((at, format!("{what} begins and ends with a letter or a digit"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn labels_are_read_as_they_are_written_and_what_is_wrong_has_a_place() {
        let line = "zone=a  example.com/Tier=gold.1 old- empty=";
        let read = labels(line, true).unwrap();
        let words: Vec<String> = read.iter().map(LabelEdit::words).collect();
        assert_eq!(words, ["zone=a", "example.com/Tier=gold.1", "old-", "empty="]);
        assert!(labels("  ", true).unwrap().is_empty());
        for (line, why) in [
            ("zone", "character 1: write zone=value to set it, or zone- to take it away"),
            ("a=b c@d=e", "character 6: a key has letters, digits, - _ and . only, not '@'"),
            ("a=b é=e", "character 5: a key has letters, digits, - _ and . only, not 'é'"),
            ("=b", "character 1: the key is missing"),
            ("-", "character 1: the key is missing"),
            ("a=-b", "character 3: a value begins and ends with a letter or a digit"),
            ("a=b-", "character 4: a value begins and ends with a letter or a digit"),
            ("A.b/c=d", "character 1: the part before / has small letters, digits, - and . only, not 'A'"),
            ("a/b/c=d", "character 4: a key has letters, digits, - _ and . only, not '/'"),
            ("a/=d", "character 3: a key is empty"),
            ("a=b x=1 a-", "character 9: \"a-\" comes on top of one before it; say each thing once"),
        ] {
            assert_eq!(labels(line, true).unwrap_err().as_str(), why, "{line}");
        }
        let long = "x".repeat(64);
        assert_eq!(labels(&format!("a={long}"), true).unwrap_err().as_str(), "character 66: a value has 63 characters at most");
        assert!(labels(&format!("{}=b", &long[1..]), true).is_ok());
        // a swarm takes what it is given
        let any = labels("c@d=e/f- Größe=", false).unwrap();
        assert_eq!((any[0].key.as_str(), any[0].value.as_deref(), any[1].value.as_deref()), ("c@d", Some("e/f-"), Some("")));
        assert!(labels("=b", false).is_err());
    }

    #[test]
    fn taints_are_read_as_kubectl_writes_them() {
        let line = "dedicated=gpu:NoSchedule maintenance:NoExecute old:PreferNoSchedule- gone- v=1:NoExecute-";
        let words: Vec<String> = taints(line).unwrap().iter().map(TaintEdit::words).collect();
        assert_eq!(words, ["dedicated=gpu:NoSchedule", "maintenance:NoExecute", "old:PreferNoSchedule-", "gone-", "v:NoExecute-"]);
        for (line, why) in [
            ("dedicated=gpu", "character 14: an effect is missing: dedicated=gpu:NoSchedule, for one"),
            ("a:NoSuch", "character 3: \"NoSuch\" is no effect; there are NoSchedule, PreferNoSchedule, NoExecute"),
            ("x- a b:NoExecute", "character 5: an effect is missing: a:NoSchedule, for one"),
            (":NoExecute", "character 1: the key is missing"),
            ("a:NoExecute a-", "character 13: \"a-\" comes on top of one before it; say each thing once"),
        ] {
            assert_eq!(taints(line).unwrap_err().as_str(), why, "{line}");
        }
        // two effects of one key are two taints
        assert_eq!(taints("a=1:NoExecute a=1:NoSchedule b:NoExecute- b:NoSchedule-").unwrap().len(), 4);
    }
}
