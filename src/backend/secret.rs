//! What of an object or an answer is not for the screen or the log.

use serde_json::Value;

/// Words in the name of a variable or option whose value is a secret.
const WORDS: [&str; 6] = ["PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "PRIVATE"];
/// What stands for a masked value.
const MASK: &str = "(masked)";

/// Masks values that are secrets by their names, in environments (`Env: ["NAME=value"]`, `env: [{name, value}]`) and command
/// lines (`--name=value`, `--name value`) at any depth, and passwords in the addresses among them.
pub(super) fn mask(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(mask),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                match (name.to_ascii_lowercase().as_str(), field) {
                    ("env" | "args" | "cmd" | "command" | "entrypoint", Value::Array(lines)) => mask_lines(lines),
                    (_, other) => mask(other),
                }
            }
        }
        _ => {}
    }
}

fn mask_lines(lines: &mut [Value]) {
    let mut secret_next = false;
    for entry in lines {
        match entry {
            // an option after it means that it had no value, and was a switch
            Value::String(line) if secret_next && !line.starts_with('-') => {
                *line = MASK.to_owned();
                secret_next = false;
            }
            _ => {
                secret_next = entry.as_str().is_some_and(takes_secret);
                mask_entry(entry);
            }
        }
    }
}

/// Whether an argument is an option whose value is a secret and comes as the next argument.
fn takes_secret(argument: &str) -> bool {
    argument.starts_with('-') && !argument.contains(['=', ' ', '\n']) && is_secret(argument)
}

/// The arguments of a command whose values are secrets by the names of their options.
pub(super) fn secrets_in(arguments: &[String]) -> impl Iterator<Item = &str> {
    let before = std::iter::once("").chain(arguments.iter().map(String::as_str));
    before.zip(arguments).filter_map(|(before, argument)| match argument.split_once('=') {
        _ if takes_secret(before) && !argument.starts_with('-') => Some(argument.as_str()),
        Some((name, value)) if is_secret(name) => Some(value),
        _ => None,
    })
}

/// `words` without these secrets.
pub(super) fn without<'a>(words: &str, secrets: impl Iterator<Item = &'a str>) -> String {
    // one of a letter or two would take the words apart, and is none
    secrets.filter(|secret| secret.len() > 3).fold(words.to_owned(), |words, secret| words.replace(secret, MASK))
}

fn mask_entry(entry: &mut Value) {
    match entry {
        Value::String(line) => {
            let masked = match line.split_once('=') {
                Some((name, _)) if is_secret(name) => format!("{name}={MASK}"),
                Some((name, value)) => format!("{name}={}", without_password(value)),
                None => without_password(line),
            };
            *line = masked;
        }
        Value::Object(fields) => {
            let secret = fields.get("name").and_then(Value::as_str).is_some_and(is_secret);
            if let Some(Value::String(value)) = fields.get_mut("value") {
                *value = if secret { MASK.to_owned() } else { without_password(value) };
            }
        }
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    WORDS.iter().any(|word| upper.contains(word))
}

/// `postgres://app:(masked)@db/shop`.
fn without_password(value: &str) -> String {
    let parts = value.split_once("://").and_then(|(scheme, rest)| {
        let user = super::address::user(rest)?;
        let (name, _) = user.split_once(':')?;
        Some((scheme, name, &rest[user.len()..]))
    });
    match parts {
        Some((scheme, name, rest)) => format!("{scheme}://{name}:{MASK}{rest}"),
        None => value.to_owned(),
    }
}

/// Why an answer could not be read, without what stood there: it may be anything.
pub(super) fn unread(error: &serde_json::Error) -> String {
    let words = error.to_string();
    // names of fields are ours
    if words.starts_with("missing field") {
        return words;
    }
    let place = words.rfind(" at line ").unwrap_or(words.len());
    let (said, place) = words.split_at(place);
    match (said.find(['"', '`']), said.rfind(['"', '`'])) {
        (Some(from), Some(to)) => format!("{}…{}{place}", &said[..from], &said[to + 1..]),
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_in_environments_and_commands_are_masked_at_any_depth_and_the_rest_stays() {
        let mut value = json!({
            "Spec": {"TaskTemplate": {"ContainerSpec": {"Env": ["DB_PASSWORD=hunter2", "API_KEY=a=b", "MODE=fast", "github_token=x", "BARE"]}}},
            "PreviousSpec": {"TaskTemplate": {"ContainerSpec": {"Env": ["MY_SECRET=old"]}}},
            "Labels": {"key": "kept"},
        });
        mask(&mut value);
        let text = value.to_string();
        assert!(!text.contains("hunter2") && !text.contains("a=b") && !text.contains("old") && !text.contains("=x"));
        assert!(text.contains("MODE=fast") && text.contains("\"BARE\"") && text.contains("\"key\":\"kept\""));
        assert!(text.contains("DB_PASSWORD=(masked)"));
        let mut pod = json!({"spec": {"containers": [{
            "env": [{"name": "DB_PASSWORD", "value": "x"}, {"name": "URL", "value": "pg://me:p@ss@db/x"}, {"name": "A", "valueFrom": {}}],
            "args": ["--token=x", "--port=80", "run"],
        }]}});
        mask(&mut pod);
        let want = json!({"spec": {"containers": [{
            "env": [{"name": "DB_PASSWORD", "value": MASK}, {"name": "URL", "value": "pg://me:(masked)@db/x"}, {"name": "A", "valueFrom": {}}],
            "args": ["--token=(masked)", "--port=80", "run"],
        }]}});
        assert_eq!(pod, want);
    }

    #[test]
    fn the_value_of_an_option_is_masked_also_where_it_is_an_argument_of_its_own() {
        let mut pod = json!({
            "command": ["login", "--api-token", "hunter2", "--port", "80"],
            "Args": ["-p", "80", "--token", "--verbose", "run", "--password", "hunter2"],
            "env": ["TOKEN", "kept"],
        });
        mask(&mut pod);
        let want = json!({
            "command": ["login", "--api-token", MASK, "--port", "80"],
            "Args": ["-p", "80", "--token", "--verbose", "run", "--password", MASK],
            "env": ["TOKEN", "kept"],
        });
        assert_eq!(pod, want);
        let arguments = ["login", "--token", "one1", "--key=two2", "--port", "80", "--secret", "--x"].map(str::to_owned);
        assert_eq!(secrets_in(&arguments).collect::<Vec<_>>(), ["one1", "two2"]);
        assert_eq!(without("bad one1: two2", secrets_in(&arguments)), "bad (masked): (masked)");
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_not_quoted() {
        let of = |error: serde_json::Error| unread(&error);
        assert_eq!(
            of(serde_json::from_str::<u32>("\"hunt\\\"er2\"").unwrap_err()),
            "invalid type: string …, expected u32 at line 1 column 11"
        );
        assert_eq!(of(serde_json::from_str::<u32>("[").unwrap_err()), "invalid type: sequence, expected u32 at line 1 column 0");
        #[derive(Debug, serde::Deserialize)]
        #[allow(dead_code)]
        struct One {
            name: String,
        }
        assert_eq!(of(serde_json::from_str::<One>("{}").unwrap_err()), "missing field `name` at line 1 column 2");
    }
}
