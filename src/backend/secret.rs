//! What of an object or an answer is not for the screen or the log.

use serde_json::Value;

/// Words in the name of a variable or option whose value is a secret.
const WORDS: [&str; 10] =
    ["PASS", "PWD", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "PRIVATE", "COOKIE", "CONNECTION_STRING", "CONNECTIONSTRING"];
/// The same of words that stand for something else inside of others (`AUTHOR`), so only as the last part of a name.
const ENDS: [&str; 3] = ["AUTH", "AUTHORIZATION", "DSN"];
/// Where a shell is: no passwords, whatever they are called.
const PLACES: [&str; 2] = ["PWD", "OLDPWD"];
/// What stands for a masked value.
const MASK: &str = "(masked)";

/// Masks values that are secrets by their names, in environments (`Env: ["NAME=value"]`, `env: [{name, value}]`), headers of
/// probes, command lines (`--name=value`, `--name value`) and scripts in them at any depth, and passwords in the addresses
/// among them.
pub(super) fn mask(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(mask),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                match (name.to_ascii_lowercase().as_str(), field) {
                    ("env" | "args" | "cmd" | "command" | "entrypoint" | "test" | "httpheaders", Value::Array(lines)) => {
                        mask_lines(lines)
                    }
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
                Some((name, _)) if is_secret(name) && !name.contains(char::is_whitespace) => format!("{name}={MASK}"),
                _ if line.contains(char::is_whitespace) => mask_script(line),
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

/// A script: its words, as a shell tells them apart, each masked like an argument.
fn mask_script(script: &str) -> String {
    let (mut out, mut rest, mut secret_next) = (String::with_capacity(script.len()), script, false);
    while !rest.is_empty() {
        let (gap, words) = rest.split_at(rest.find(|c| !is_gap(c)).unwrap_or(rest.len()));
        let (word, after) = words.split_at(word_end(words));
        out.push_str(gap);
        match word {
            "" => {}
            word if secret_next && !word.starts_with('-') => {
                out.push_str(MASK);
                secret_next = false;
            }
            word => {
                secret_next = takes_secret(word);
                out.push_str(&mask_word(word));
            }
        }
        rest = after;
    }
    out
}

/// Whether it stands between two words of a script.
fn is_gap(c: char) -> bool {
    c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')')
}

/// Where the first word of a script ends.
fn word_end(script: &str) -> usize {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in script.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"') | None, '\\') => escaped = true,
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, c) if is_gap(c) => return at,
            _ => {}
        }
    }
    script.len()
}

fn mask_word(word: &str) -> String {
    let bare = word.trim_matches(['"', '\'']);
    if word.starts_with(['"', '\'']) && bare.contains(char::is_whitespace) {
        // a header, or a script of its own
        let inner = match bare.split_once(':') {
            Some((name, _)) if is_secret(name) && !name.contains(char::is_whitespace) => format!("{name}: {MASK}"),
            _ => mask_script(bare),
        };
        return word.replacen(bare, &inner, 1);
    }
    match word.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={MASK}"),
        Some((name, value)) => format!("{name}={}", without_password(value)),
        None => without_password(word),
    }
}

fn is_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let last = upper.rsplit(|c: char| !c.is_ascii_alphanumeric()).find(|part| !part.is_empty()).unwrap_or_default();
    !PLACES.contains(&upper.as_str()) && (ENDS.contains(&last) || WORDS.iter().any(|word| upper.contains(word)))
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
    fn the_usual_names_of_secrets_are_known_in_headers_and_in_scripts_too() {
        let mut pod = json!({"containers": [{
            "env": [
                {"name": "DB_PWD", "value": "canary1"}, {"name": "BASIC_AUTH", "value": "canary2"},
                {"name": "SENTRY_DSN", "value": "canary3"}, {"name": "DB_CONNECTION_STRING", "value": "canary4"},
                {"name": "AUTHOR", "value": "ann"}, {"name": "PWD", "value": "/srv"}, {"name": "KEYBOARD", "value": "de"},
            ],
            "livenessProbe": {"httpGet": {"httpHeaders": [
                {"name": "Authorization", "value": "Bearer canary5"}, {"name": "Cookie", "value": "canary6"},
                {"name": "X-Auth-Token", "value": "canary7"}, {"name": "Accept", "value": "text/plain"},
            ]}},
            "command": ["sh", "-c", "export TOKEN=canary8; API_KEY='canary9 canary10' run --port=80 --password canary11 && echo done"],
        }]});
        let healthcheck =
            json!({"Healthcheck": {"Test": ["CMD-SHELL", "curl -H 'Authorization: Bearer canary12' http://me:canary13@x/"]}});
        pod["more"] = healthcheck;
        mask(&mut pod);
        let text = pod.to_string();
        assert!(!text.contains("canary"), "{text}");
        for kept in [
            "\"ann\"",
            "\"/srv\"",
            "text/plain",
            "export TOKEN=(masked);",
            "run --port=80 --password (masked) && echo done",
            "curl -H",
        ] {
            assert!(text.contains(kept), "{kept} is not in {text}");
        }
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
