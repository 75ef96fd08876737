//! What differs: between two definitions, in short lines (`- what is now`, `+ what would be`); between two lists, in numbers.

use super::secret;
use serde_json::Value;
use std::collections::BTreeMap;

/// Most lines; who wants to see more looks at the whole objects.
const LINES: usize = 16;
/// Most characters of a value.
const LONG: usize = 80;

/// Lines for all that going from `now` to `then` changes. Values that look secret are not shown, only that they change.
pub(super) fn difference(now: &Value, then: &Value) -> Vec<String> {
    let (now, then) = (leaves(now), leaves(then));
    let mut lines = Vec::new();
    let paths: std::collections::BTreeSet<&String> = now.keys().chain(then.keys()).collect();
    for path in paths {
        match (now.get(path), then.get(path)) {
            (Some((a, _)), Some((b, _))) if a == b => {}
            (Some((_, a)), Some((_, b))) if a == b => lines.push(format!("± {path} {a}")),
            (a, b) => {
                lines.extend(a.map(|(_, shown)| format!("- {path} {shown}")));
                lines.extend(b.map(|(_, shown)| format!("+ {path} {shown}")));
            }
        }
    }
    if lines.len() > LINES {
        let more = lines.len() - LINES;
        lines.truncate(LINES);
        lines.push(format!("and {more} lines more"));
    }
    lines
}

/// `1 new, 2 gone`: objects in which a list differs from what was held.
pub(super) fn counted(new: usize, changed: usize, gone: usize) -> String {
    let counts = [(new, "new"), (changed, "changed"), (gone, "gone")];
    let parts: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    parts.join(", ")
}

/// Every single value by its place: as it is, and as it may be shown.
fn leaves(value: &Value) -> BTreeMap<String, (String, String)> {
    let mut masked = value.clone();
    secret::mask(&mut masked);
    let mut all = BTreeMap::new();
    walk(value, &masked, String::new(), &mut all);
    all
}

fn walk(value: &Value, shown: &Value, path: String, all: &mut BTreeMap<String, (String, String)>) {
    let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match (value, shown) {
        (Value::Object(fields), Value::Object(masked)) => {
            // an environment variable is one thing
            if let (Some(Value::String(_)), 2) = (fields.get("value"), fields.len()) {
                all.insert(path, (text(&fields["value"]), short(&text(&masked["value"]))));
                return;
            }
            for (name, field) in fields.iter().filter(|(name, _)| *name != "name") {
                walk(field, masked.get(name).unwrap_or(&Value::Null), under(name), all);
            }
        }
        (Value::Array(items), Value::Array(masked)) if items.iter().all(Value::is_object) => {
            for (at, (item, masked)) in items.iter().zip(masked).enumerate() {
                let name = item.get("name").and_then(Value::as_str).map_or_else(|| at.to_string(), str::to_owned);
                walk(item, masked, format!("{path}[{name}]"), all);
            }
        }
        (Value::Array(items), Value::Array(masked)) if path.ends_with("Env") => {
            for (item, masked) in items.iter().zip(masked) {
                let (item, masked) = (text(item), text(masked));
                let part = |line: &str| line.split_once('=').map(|(_, value)| value.to_owned()).unwrap_or_default();
                let name = item.split('=').next().unwrap_or_default();
                all.insert(format!("{path}[{name}]"), (part(&item), short(&part(&masked))));
            }
        }
        (value, shown) => {
            all.insert(path, (value.to_string(), short(&text(shown))));
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LONG) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_changes_is_shown_by_its_place_and_what_looks_secret_only_that_it_does() {
        let of = |image: &str, token: &str, level: &str, more: Value| {
            json!({
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [
                    { "name": "side", "image": "proxy:1" },
                    { "name": "web", "image": image, "args": ["--password=old", level], "ports": more,
                      "env": [{ "name": "API_TOKEN", "value": token }, { "name": "LEVEL", "value": level }] }
                ] }
            })
        };
        let now = of("web:2", "hunter2", "debug", json!([{ "containerPort": 80 }]));
        let then = of("web:1", "swordfish", "info", json!([]));
        assert_eq!(difference(&now, &now), Vec::<String>::new());
        let lines = difference(&now, &then);
        let of = |path: &str| format!("spec.containers[web].{path}");
        assert_eq!(
            lines,
            [
                format!("- {} --password=(masked) debug", of("args")),
                format!("+ {} --password=(masked) info", of("args")),
                format!("± {} (masked)", of("env[API_TOKEN]")),
                format!("- {} debug", of("env[LEVEL]")),
                format!("+ {} info", of("env[LEVEL]")),
                format!("- {} web:2", of("image")),
                format!("+ {} web:1", of("image")),
                format!("- {} 80", of("ports[0].containerPort")),
            ]
        );
        let swarm = |token: &str| json!({ "ContainerSpec": { "Image": "a", "Env": [format!("TOKEN={token}"), "A=1"] } });
        assert_eq!(difference(&swarm("x"), &swarm("y")), ["± ContainerSpec.Env[TOKEN] (masked)"]);
    }

    #[test]
    fn it_has_an_end() {
        let of = |n: usize| json!((0..40).map(|at| (format!("k{at}"), n)).collect::<BTreeMap<_, _>>());
        let lines = difference(&of(1), &of(2));
        assert_eq!((lines.len(), lines.last().map(String::as_str)), (LINES + 1, Some("and 64 lines more")));
    }
}
