//! What was done, for people and scripts, and whether its record holds.

use super::args::{Args, Audit};
use super::{Failure, lists};
use crate::config::Paths;
use crate::engine::audit::{self, Line, Record};
use crate::model::Text;
use crate::util::clean::json as json_of;
use crate::util::time::Timestamp;
use crate::util::width::width;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(args: &Args, options: &Audit) -> Result<ExitCode, Failure> {
    // what was done can be read whatever the configuration says
    let folder = Paths::find(args.common.config.clone()).audit();
    if options.verify {
        return verify(&folder);
    }
    let since = options.since.map(|since| Timestamp::now().minus(since));
    let clusters = &args.common.cluster;
    let wanted = |record: &Record| {
        // one that does not say when is shown rather than lost
        let late = since.is_none_or(|since| record.time().is_none_or(|at| at >= since));
        late && (clusters.is_empty() || clusters.contains(&record.cluster))
    };
    let mut lines = audit::lines(&folder).map_err(|error| Failure::failed(format!("cannot read {}: {error}", folder.display())))?;
    lines.retain(|line| line.record.as_ref().is_none_or(&wanted));
    if lines.is_empty() {
        eprintln!("quarterdeck: nothing is on record in {}", folder.display());
    }
    lists::print(&if options.json { json(&lines) } else { table(&lines) })
}

/// The records as they are, in letters that a terminal only shows; lines that are none are for `--verify`.
fn json(lines: &[Line]) -> String {
    lines.iter().filter(|line| line.record.is_some()).map(|line| format!("{}\n", json_of(&line.text))).collect()
}

fn table(lines: &[Line]) -> String {
    let rows: Vec<[String; 6]> = lines.iter().map(row).collect();
    let mut widths = [0; 6];
    for row in &rows {
        widths.iter_mut().zip(row).for_each(|(most, cell)| *most = width(cell).max(*most));
    }
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(widths).map(|(cell, most)| format!("{cell}{}  ", " ".repeat(most - width(cell))));
        format!("{}\n", cells.collect::<String>().trim_end())
    };
    rows.iter().map(line).collect()
}

/// Time, stage, cluster, title, who, note. Whoever may write the files may have written anything, so it is cleaned here.
fn row(line: &Line) -> [String; 6] {
    let cells = match &line.record {
        Some(record) => {
            let by = match &record.ssh {
                Some(ssh) => format!("{} from {ssh}", record.by),
                None => record.by.clone(),
            };
            [
                record.at.clone(),
                record.stage.word().to_owned(),
                record.cluster.clone(),
                record.title.clone(),
                by,
                record.note.clone(),
            ]
        }
        None => ["(no record)".to_owned(), String::new(), String::new(), line.text.clone(), String::new(), String::new()],
    };
    cells.map(|cell| Text::from(cell).to_string())
}

fn verify(folder: &Path) -> Result<ExitCode, Failure> {
    let seen = audit::verify(folder).map_err(|broken| Failure::failed(format!("the chain is broken: {broken}")))?;
    let records = if seen.records == 1 { "1 record".to_owned() } else { format!("{} records", seen.records) };
    let mut text = format!("the chain holds: {records} in {}\n", folder.display());
    if seen.first > 1 {
        text.push_str(&format!("it begins with record {}; older ones made room\n", seen.first));
    }
    for place in &seen.torn {
        text.push_str(&format!("{place}: a part of a record: a program or machine ended while it wrote it\n"));
    }
    lists::print(&text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_record_as_json_says_what_it_says_and_steers_no_terminal() {
        let text = r#"{"cluster":"aC2JB","title":"x"}"#.replace('C', "\u{9b}").replace('B', "\u{202e}");
        let record: Record = serde_json::from_value(serde_json::json!({
            "at": "", "stage": "intent", "op": "", "by": "", "version": "", "cluster": "", "platform": "", "endpoint": "",
            "kind": "", "name": "", "uid": "", "spec_rev": 7, "action": "", "title": "",
        }))
        .unwrap();
        let shown = json(&[Line { text: text.clone(), record: Some(record) }]);
        assert_eq!(shown, "{\"cluster\":\"a\\u009b2J\\u202e\",\"title\":\"x\"}\n");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&shown), value(&text));
    }
}
