//! The rules of the house, held by reading the sources: which room may name which, and who may touch the outside.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, in the order of the crate docs, each with the rooms it may name.
const MATRIX: &[(&str, &[&str])] = &[
    ("util", &[]),
    ("model", &["util"]),
    ("analysis", &["util", "model"]),
    ("config", &["util", "model"]),
    ("backend", &["util", "model", "analysis", "config"]),
    ("engine", &["util", "model", "analysis", "config", "backend"]),
    ("input", &["util", "model", "config"]),
    ("theme", &["util", "model", "config"]),
    ("ui", &["util", "model", "analysis", "input", "theme"]),
    ("term", &["util", "model", "config", "input", "theme"]),
    ("app", &["util", "model", "analysis", "config", "backend", "engine", "input", "theme", "ui", "term"]),
    ("cli", &["util", "model", "analysis", "config", "backend", "engine", "input", "theme", "ui", "term", "app"]),
];

/// Names from outside that only some rooms may use: the word, and who may.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("kube", &["backend"]),
    ("k8s_openapi", &["backend"]),
    ("bollard", &["backend"]),
    ("hyper", &["backend"]),
    ("tokio", &["backend", "engine", "term", "app", "cli", "main"]),
    ("crossterm", &["input", "theme", "ui", "term", "app", "cli"]),
    ("ratatui", &["theme", "ui", "term", "app", "cli"]),
    ("clap", &["cli", "main"]),
];

/// Lines a file may have; the aim is 150, and past 400 one looks for the seam.
const CAP: usize = 600;

struct Source {
    path: PathBuf,
    room: String,
    code: Vec<(usize, String)>,
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    assert!(files.len() > 30, "the sources were not found below {}", root.display());
    let tests: Vec<PathBuf> = files.iter().flat_map(|path| test_files(path)).collect();
    files
        .into_iter()
        .filter(|path| !tests.iter().any(|test| path.starts_with(test) || *path == test.with_extension("rs")))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let within = path.strip_prefix(&root).unwrap();
            let first = within.components().next().unwrap().as_os_str().to_str().unwrap();
            let room = first.trim_end_matches(".rs").to_owned();
            Source { room, lines: text.lines().count(), code: code_of(&text), path: within.to_owned() }
        })
        .collect()
}

/// Modules for tests only, as their parent module declares them: each as the folder it has or could have.
fn test_files(parent: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(parent).unwrap();
    let stem = parent.file_stem().unwrap();
    let folder = if stem == "mod" || stem == "lib" { parent.parent().unwrap().to_owned() } else { parent.with_extension("") };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let after = |at: usize| lines[at + 1..].iter().find(|line| !line.starts_with("#[")).copied().unwrap_or_default();
    (0..lines.len())
        .filter(|at| lines[*at] == "#[cfg(test)]")
        .filter_map(|at| after(at).strip_suffix(';')?.rsplit_once("mod ").map(|(_, name)| folder.join(name)))
        .collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            files.push(path);
        }
    }
}

/// Lines of code outside tests and comments, numbered from 1. A test module is the end of its file in this house.
fn code_of(text: &str) -> Vec<(usize, String)> {
    let mut code = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            // a test module in the file ends it; `mod tests;` is one line of it
            match lines.next() {
                Some((_, next)) if next.trim_end().ends_with(';') => continue,
                _ => break,
            }
        }
        let bare = line.split("//").next().unwrap_or_default();
        if !bare.trim().is_empty() {
            code.push((number + 1, bare.to_owned()));
        }
    }
    code
}

/// Whether a path in `line` begins with the crate `word`.
fn names_path(line: &str, word: &str) -> bool {
    line.match_indices(&format!("{word}::")).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

/// Rooms named as `crate::room` or in `use crate::{room, …}`, in one statement.
fn rooms_named(statement: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, _) in statement.match_indices("crate::") {
        let rest = &statement[at + 7..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => rooms.push(std::mem::take(&mut item)),
                    c => item.push(c),
                }
            }
            rooms.push(item);
        } else {
            rooms.push(rest.to_owned());
        }
    }
    let word = |r: &String| r.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    rooms.iter().map(word).filter(|room| !room.is_empty()).collect()
}

#[test]
fn a_room_names_only_rooms_it_may() {
    let matrix: BTreeMap<_, _> = MATRIX.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(allowed) = matrix.get(source.room.as_str()) else {
            assert!(["main", "lib"].contains(&source.room.as_str()), "{} is in no room of the matrix", source.path.display());
            continue;
        };
        // statements may span lines, so imports are read over the whole file
        let text: String = source.code.iter().map(|(_, line)| format!("{line}\n")).collect();
        for room in rooms_named(&text) {
            if room != source.room && matrix.contains_key(room.as_str()) && !allowed.contains(&room.as_str()) {
                wrong.push(format!("{} names crate::{room}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_outside_is_named_only_where_it_may_be() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (number, line) in &source.code {
            for (word, rooms) in OUTSIDE {
                if names_path(line, word) && !rooms.contains(&source.room.as_str()) {
                    wrong.push(format!("{}:{number} names {word}", source.path.display()));
                }
            }
            if source.room == "ui"
                && ["Instant", "SystemTime", "Timestamp::now", "std::fs", "std::env"].iter().any(|w| line.contains(w))
            {
                wrong.push(format!("{}:{number} reads a clock or the system", source.path.display()));
            }
            if ["println!", "eprintln!", "print!", "eprint!"].iter().any(|w| line.contains(w))
                && !["cli", "main"].contains(&source.room.as_str())
            {
                wrong.push(format!("{}:{number} prints", source.path.display()));
            }
            if line.contains("unbounded_channel") {
                wrong.push(format!("{}:{number} has no bound", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A file that no module declares is compiled by nobody, and its tests run never.
#[test]
fn every_file_is_declared() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    // files that an attribute names: `#[path = "preview/tests.rs"]`
    let named: Vec<PathBuf> = files
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(file).unwrap();
            let paths = text.lines().filter_map(|line| line.trim().strip_prefix("#[path = \"")?.strip_suffix("\"]"));
            paths.map(|path| file.parent().unwrap().join(path)).collect::<Vec<_>>()
        })
        .collect();
    let mut lost = Vec::new();
    for file in &files {
        let stem = file.file_stem().unwrap().to_str().unwrap();
        let folder = file.parent().unwrap();
        if folder == root && ["lib", "main"].contains(&stem) {
            continue;
        }
        let (name, home) = match stem {
            "mod" => (folder.file_name().unwrap().to_str().unwrap(), folder.parent().unwrap()),
            stem => (stem, folder),
        };
        let parents = [home.join("mod.rs"), home.with_extension("rs"), home.join("lib.rs")];
        let line = format!("mod {name};");
        let by_name = parents
            .iter()
            .any(|parent| fs::read_to_string(parent).is_ok_and(|text| text.lines().any(|held| held.ends_with(&line))));
        if !by_name && !named.contains(file) {
            lost.push(file.strip_prefix(&root).unwrap().to_owned());
        }
    }
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn the_matrix_is_the_map_of_the_house() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let rows: Vec<&str> =
        lib.lines().filter(|line| line.starts_with("//! | [`")).flat_map(|line| line.split('`').skip(1).step_by(2)).collect();
    let rooms: Vec<&str> = MATRIX.iter().map(|(room, _)| *room).collect();
    assert_eq!(rows, rooms, "the table of the crate docs and the matrix of this test differ");
    for (at, (room, allowed)) in MATRIX.iter().enumerate() {
        for other in *allowed {
            let position = rooms.iter().position(|r| r == other);
            assert!(position.is_some_and(|p| p < at), "{room} may not name {other}: it is below in the map");
        }
    }
}

#[test]
fn files_stay_readable() {
    let long: Vec<_> =
        sources().into_iter().filter(|s| s.lines > CAP).map(|s| format!("{}: {}", s.path.display(), s.lines)).collect();
    assert!(long.is_empty(), "over {CAP} lines, look for the seam: {long:#?}");
}

#[test]
fn the_reader_of_imports_sees_them() {
    assert_eq!(rooms_named("use crate::model::Key;"), ["model"]);
    assert_eq!(rooms_named("use crate::{\n  ui::{Ui, Effect},\n  term,\n};"), ["ui", "term"]);
    assert_eq!(rooms_named("let x = crate::engine::Engine::start();"), ["engine"]);
    assert!(names_path("use kube::Api;", "kube"));
    assert!(!names_path("use crate::backend::kube::x;", "kube"));
    assert!(!names_path("minikube::x", "kube"));
    let text = "let a = 1;\n// crate::ui::x\n#[cfg(test)]\nmod tests {\n  use crate::app;\n}";
    assert_eq!(code_of(text), [(1, "let a = 1;".to_owned())]);
}
