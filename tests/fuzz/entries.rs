//! What is tried with bytes of any sort: one function for each reader of text that comes from outside. Each says what must
//! hold whatever the bytes are; the fuzz targets and the normal tests call the same functions.

use quarterdeck::backend::docker::LogLines;
use quarterdeck::backend::kubernetes::{Pipeline, Proxies, discover_files};
use quarterdeck::config::Layer;
use quarterdeck::input::Keymap;
use quarterdeck::model::{LogLine, Task, Text};
use quarterdeck::ui::view::filter::Query;
use quarterdeck::util::clean::{clean, hostile, strip_sgr};
use quarterdeck::util::width::width;
use std::path::Path;
use unicode_segmentation::UnicodeSegmentation;

/// Text that was made safe has nothing in it that is not, shows all it has, and is not changed by being made safe again.
pub fn sanitiser(data: &[u8]) {
    let raw = String::from_utf8_lossy(data);
    let shown = clean(&raw);
    assert!(!shown.contains(hostile), "{shown:?}");
    assert_eq!(clean(&shown), shown, "made safe twice");
    for letter in shown.graphemes(true) {
        assert!(width(letter) > 0, "{letter:?} is not seen in {shown:?}");
    }
    if raw.is_ascii() && !raw.contains(hostile) {
        assert_eq!(shown, raw, "plain text was changed");
    }
    assert!(strip_sgr(&raw).len() <= raw.len());
    safe(&Text::new(&strip_sgr(&raw)));
}

fn safe(text: &Text) {
    assert!(!text.contains(hostile), "{text:?}");
}

fn same(whole: &[LogLine], pieces: &[LogLine]) {
    whole.iter().for_each(|line| safe(&line.text));
    assert_eq!(whole, pieces, "lines depend on how their bytes arrived");
}

/// An engine's log gives the same lines, and the same error after them, however its bytes arrive.
pub fn docker_log(data: &[u8]) {
    for terminal in [false, true] {
        let read = |mut pieces: &mut dyn Iterator<Item = &[u8]>| {
            let mut lines = LogLines::new(Text::new("t"), terminal);
            let mut all = Vec::new();
            let said = (&mut pieces).find_map(|piece| lines.feed(piece, &mut all).err());
            all.extend(lines.rest());
            (all, said)
        };
        let (whole, said) = read(&mut std::iter::once(data));
        let (pieces, also) = read(&mut data.chunks(1));
        assert_eq!(said, also);
        same(&whole, &pieces);
    }
}

/// So does a pod's.
pub fn pod_log(data: &[u8]) {
    same(&Pipeline::log(std::iter::once(data)), &Pipeline::log(data.chunks(1)));
}

/// A line of a watch or a page of a list is read or refused; its rows are safe.
pub fn watch(data: &[u8]) {
    let mut pipeline = Pipeline::default();
    let line = pipeline.line(data).ok().flatten();
    let page = pipeline.page(data).unwrap_or_default();
    rows(line.iter().chain(&page));
}

/// So is a frame of a watch, and a page in Protocol Buffers.
pub fn protobuf(data: &[u8]) {
    let mut pipeline = Pipeline::default();
    let frame = pipeline.frame(data).ok().flatten();
    let page = pipeline.page(&[b"k8s\0", data].concat()).unwrap_or_default();
    rows(frame.iter().chain(&page));
}

/// A watch tells of the same rows, and ends with the same words, however its bytes arrive.
pub fn stream(data: &[u8]) {
    for protobuf in [false, true] {
        let (told, said) = Pipeline::default().watch(protobuf, std::iter::once(data));
        rows(told.iter());
        for size in [1, 3, 1 + data.len() / 2] {
            let pieces = Pipeline::default().watch(protobuf, data.chunks(size));
            assert_eq!((&told, &said), (&pieces.0, &pieces.1), "in pieces of {size}");
        }
    }
}

fn rows<'a>(tasks: impl Iterator<Item = &'a Task>) {
    for task in tasks {
        let all = [&task.name, &task.namespace, &task.image].into_iter().chain(&task.why).chain(&task.revision);
        all.chain(&task.containers).for_each(safe);
    }
}

/// A filter finds words where they stand; one more word finds no more rows.
pub fn filter(data: &[u8]) {
    let raw = String::from_utf8_lossy(data);
    let (typed, text) = raw.split_once('\n').unwrap_or((&raw, "shop/web-7d9f İß"));
    let query = Query::new(typed);
    let mut from = 0;
    for span in query.spans(text) {
        assert!(span.start >= from && text.get(span.clone()).is_some_and(|found| !found.is_empty()), "{span:?} of {text:?}");
        from = span.start;
    }
    let narrower = Query::new(&format!("{typed} web !job"));
    if narrower.matches(std::iter::once(text)) {
        assert!(query.matches(std::iter::once(text)), "{typed:?} finds less than more words do");
    }
    assert!(!query.is_empty() || query.matches(std::iter::once(text)));
}

/// A kubeconfig is read or told of in words; no address in it is shown with a password.
pub fn kubeconfig(data: &[u8], folder: &Path) {
    use quarterdeck::backend::Connector;
    let file = folder.join("config");
    let _ = std::fs::write(&file, data);
    let found = discover_files(std::slice::from_ref(&file), &Proxies::new(|_| None));
    for context in &found.contexts {
        let cluster = context.cluster();
        safe(&cluster.endpoint);
        assert!(!cluster.endpoint.contains("hunter2@"), "{}", cluster.endpoint);
    }
    for notice in &found.notices {
        assert!(!notice.is_empty());
    }
}

/// A keymap can be loaded whatever its file says; what is wrong with it is at a place in it, and there is a way out.
pub fn keymap(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let last = text.split('\n').count();
    let layer = Layer { name: "mine".to_owned(), file: Some("mine.toml".into()), text };
    let (keymap, problems) = Keymap::load("mine", &[layer]);
    for problem in problems {
        assert!(problem.place.is_none_or(|(line, column)| (1..=last).contains(&line) && column > 0), "{problem}");
        assert!(!problem.to_string().is_empty());
    }
    assert!(!keymap.bindings().is_empty());
}
