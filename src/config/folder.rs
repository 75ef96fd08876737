//! The operator's own keymaps and themes: files of a folder.

use super::{Layer, Problem};
use std::path::Path;

/// Every `NAME.toml` of a folder, by name. A folder that is not there has none; a file that cannot be read is reported.
pub fn layers_in(folder: &Path) -> (Vec<Layer>, Vec<Problem>) {
    let mut layers = Vec::new();
    let mut problems = Vec::new();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ext| ext == "toml")) {
        let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        match std::fs::read_to_string(&path) {
            Ok(text) => layers.push(Layer { name: name.to_owned(), file: Some(path.clone()), text }),
            Err(error) => problems.push(Problem {
                message: format!("cannot be read and is left out: {error}"),
                file: Some(path.clone()),
                place: None,
                help: None,
            }),
        }
    }
    layers.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    (layers, problems)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_toml_files_count_and_a_missing_folder_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("b.toml", "x = 1"), ("a.toml", ""), ("notes.txt", "")] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        std::fs::write(folder.path().join("bad.toml"), [0xff]).unwrap();
        let (layers, problems) = layers_in(folder.path());
        assert_eq!(layers.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].to_string().contains("bad.toml: cannot be read and is left out"), "{}", problems[0]);
        assert!(layers_in(&folder.path().join("nowhere")).0.is_empty());
    }
}
