//! The chain: what holds, what breaks it, and what a crash leaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::chain::files;
use super::*;
use crate::model::{Action, Bound, Intent, Kind, ObjectRef, OpId, OpState, Progress};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

fn record(name: &str) -> Record {
    serde_json::from_value(serde_json::json!({
        "at": "2026-03-01T10:15:00.123Z", "stage": "intent", "op": "1-1", "by": "me@here", "version": "0", "cluster": "prod",
        "platform": "swarm", "endpoint": "tcp://a:1", "kind": "service", "name": name, "uid": "u", "spec_rev": 7,
        "action": "scale", "parameters": {"to": 5}, "title": "scale shop/wéb 2→5",
    }))
    .unwrap()
}

#[test]
fn no_word_of_a_record_has_a_credential() {
    let image = "https://me:canary@reg/x";
    let action = Action::SetImage { container: "web".into(), image: image.into() };
    let object = ObjectRef { cluster: "prod".into(), kind: Kind::Service, key: "web".into() };
    let op = Operation {
        id: OpId(1),
        intent: Intent { object, name: "web".into(), action, bound: Bound { uid: "u".into(), spec_rev: 1 } },
        title: format!("set image of web to {image}").into(),
        by: "me@here".into(),
        asked: Timestamp(0),
        ended: None,
        state: OpState::Failed,
        progress: Progress { note: "refused: env[0].value: Invalid value: \"canary\": no".into(), ..Progress::default() },
        undo: None,
        plan: None,
    };
    let record = Record::new(Stage::Failed, &op, None, Timestamp(0), "run", &Origin::default());
    let text = serde_json::to_string(&record).unwrap();
    assert!(!text.contains("canary") && record.title == "set image of web to https://reg/x", "{text}");
}

/// A chain of so many records, and its only file.
fn chain(records: u32) -> (tempfile::TempDir, Chain, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("audit");
    let chain = Chain::new(&at);
    (1..=records).for_each(|n| chain.append(&record(&format!("web-{n}"))).unwrap());
    let file = at.join("audit-000001.jsonl");
    (folder, chain, file)
}

fn check(file: &Path) -> Result<Verified, Broken> {
    verify(file.parent().unwrap())
}

#[test]
fn records_are_read_as_they_were_written_and_only_by_the_operator() {
    let (_folder, chain, file) = chain(3);
    assert_eq!(check(&file), Ok(Verified { records: 3, first: 1, torn: Vec::new() }));
    let folder = file.parent().unwrap();
    let names: Vec<String> = lines(folder).unwrap().into_iter().map(|line| line.record.unwrap().name).collect();
    assert_eq!(names, ["web-1", "web-2", "web-3"]);
    let modes = || [&file, folder, &folder.join("lock")].map(|path: &Path| fs::metadata(path).unwrap().mode() & 0o777);
    assert_eq!(modes(), [0o600, 0o700, 0o600]);
    // what someone has opened up since is closed again
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    chain.append(&record("web-4")).unwrap();
    assert_eq!(modes(), [0o600, 0o700, 0o600]);
    assert_eq!(verify(&folder.join("nowhere")), Ok(Verified::default()));
}

#[test]
fn a_changed_byte_of_a_record_in_the_middle_is_found_wherever_it_is() {
    let (_folder, _, file) = chain(3);
    let whole = fs::read(&file).unwrap();
    let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').collect();
    for at in ends[0] + 1..=ends[1] {
        for change in [1, 0x20, 0x80, whole[at] ^ b'\n'] {
            let mut changed = whole.clone();
            changed[at] ^= change;
            if changed == whole {
                continue;
            }
            fs::write(&file, &changed).unwrap();
            let broken = check(&file).expect_err("a changed byte");
            assert!((2..=3).contains(&broken.line), "byte {at}: {broken}");
        }
    }
}

#[test]
fn records_taken_out_doubled_or_swapped_are_found() {
    let (_folder, _, file) = chain(4);
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for (order, place) in [(&[0, 2, 3][..], 2), (&[1, 2, 3], 1), (&[0, 1, 1, 2, 3], 3), (&[0, 2, 1, 3], 2), (&[0, 1, 3], 3)] {
        fs::write(&file, order.iter().map(|at| lines[*at]).collect::<String>()).unwrap();
        let broken = check(&file).expect_err("another order");
        assert_eq!(broken.line, place, "{order:?}: {broken}");
    }
    // a line between that is no record
    fs::write(&file, format!("{}{{\"note\":1}}\n{}", lines[0], lines[1])).unwrap();
    assert_eq!(check(&file).unwrap_err().line, 2);
    // at the end too, as long as it has an end: a crash leaves none
    fs::write(&file, format!("{}{{\"note\":1}}\n", lines[0])).unwrap();
    assert_eq!(check(&file).unwrap_err().line, 2);
    // and what comes after it does not heal it
    Chain::new(file.parent().unwrap()).append(&record("after")).unwrap();
    assert_eq!(check(&file).unwrap_err().line, 2);
}

#[test]
fn a_line_torn_anywhere_is_told_and_the_chain_goes_on_after_it() {
    let (_folder, chain, file) = chain(2);
    let whole = fs::read(&file).unwrap();
    let begin = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in begin..whole.len() {
        fs::write(&file, &whole[..cut]).unwrap();
        // only the end of the line is missing: the record is whole
        let (records, torn) = match cut {
            cut if cut == begin => (1, 0),
            cut if cut == whole.len() - 1 => (2, 0),
            _ => (1, 1),
        };
        let seen = check(&file).unwrap_or_else(|broken| panic!("cut at {cut}: {broken}"));
        assert_eq!((seen.records, seen.torn.len()), (records, torn), "cut at {cut}");
        chain.append(&record("after")).unwrap();
        chain.append(&record("later")).unwrap();
        let seen = check(&file).unwrap_or_else(|broken| panic!("cut at {cut}, and went on: {broken}"));
        assert_eq!((seen.records, seen.torn.len()), (records + 2, torn), "cut at {cut}, and went on");
    }
    // a torn line is as well kept as any other
    fs::write(&file, &whole[..begin + 20]).unwrap();
    chain.append(&record("after")).unwrap();
    let mut changed = fs::read(&file).unwrap();
    changed[begin + 10] ^= 1;
    fs::write(&file, &changed).unwrap();
    assert_eq!(check(&file).unwrap_err().line, 2);
    changed.drain(begin..begin + 21);
    fs::write(&file, &changed).unwrap();
    assert_eq!(check(&file).unwrap_err().line, 2);
}

#[test]
fn a_file_whose_number_is_not_as_we_write_it_is_none_of_ours() {
    let (_folder, chain, file) = chain(3);
    let text = fs::read_to_string(&file).unwrap();
    let rest: String = text.split_inclusive('\n').skip(1).collect();
    let folder = file.parent().unwrap();
    for name in
        ["audit-000000.jsonl", "audit-1.jsonl", "audit-+00001.jsonl", "audit-0000001.jsonl", "audit-18446744073709551616.jsonl"]
    {
        let other = folder.join(name);
        fs::remove_file(&file).ok();
        // a chain without its head under a number that has none before it
        fs::write(&other, &rest).unwrap();
        let broken = verify(folder).expect_err(name);
        assert!(broken.file == other && broken.why.contains("none of our audit files"), "{broken}");
        fs::remove_file(&other).unwrap();
    }
    // nothing is written to such a file, and what is there is told of
    fs::write(folder.join("audit-2.jsonl"), &rest).unwrap();
    fs::write(&file, &text).unwrap();
    chain.append(&record("web-4")).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 4);
    assert_eq!(verify(folder).unwrap_err().file, folder.join("audit-2.jsonl"));
}

#[test]
fn the_chain_goes_on_across_files_and_the_oldest_go() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("audit");
    let chain = Chain::limited(&at, 1_000);
    (0..40).for_each(|n| chain.append(&record(&n.to_string())).unwrap());
    let all = files(&at).unwrap();
    assert!(all.len() > 10 && all.iter().all(|(_, path)| fs::metadata(path).unwrap().len() < 2_000), "{}", all.len());
    assert_eq!(verify(&at), Ok(Verified { records: 40, first: 1, torn: Vec::new() }));
    // a file that went between two others, or a first one that went before its time
    for at_file in [5, 0] {
        let text = fs::read(&all[at_file].1).unwrap();
        fs::remove_file(&all[at_file].1).unwrap();
        assert_eq!(verify(&at).unwrap_err().line, 0);
        fs::write(&all[at_file].1, text).unwrap();
    }
    // a crash between making a file and writing to it
    fs::write(at.join(format!("audit-{:06}.jsonl", all.len() + 1)), "").unwrap();
    chain.append(&record("after")).unwrap();
    assert_eq!(verify(&at).unwrap().records, 41);
    (0..400).for_each(|n| chain.append(&record(&n.to_string())).unwrap());
    let seen = verify(&at).unwrap();
    assert_eq!(files(&at).unwrap().len(), chain::KEEP);
    assert!(seen.first > 1 && seen.first + seen.records == 442, "{seen:?}");
}
