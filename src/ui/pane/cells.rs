//! Cells that several lists have.

use crate::model::{Key, Level, Series, Table, Usage};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::widget::bar;
use crate::ui::widget::table::CellText;
use crate::util::humanize;
use crate::util::time::Timestamp;
use std::time::Duration;

/// A measurement older than this says nothing of now: platforms measure at least once a minute.
const OLD: Duration = Duration::from_secs(2 * 60);

/// What an object uses now, as far as that is known.
pub fn usage(cx: &Cx<'_>, table: &Table<Series>, key: &Key) -> Option<Usage> {
    let last = table.get(key)?.last()?;
    (cx.moment.now.since(last.at) < OLD).then_some(last.usage)
}

/// The newest measurement of an object, to be ordered by.
pub fn measured(table: &Table<Series>, key: &Key) -> Option<Usage> {
    table.get(key).and_then(|series| series.last()).map(|sample| sample.usage)
}

/// `120m`; `-` where nothing is measured.
pub fn cpu(out: &mut CellText, usage: Option<Usage>) {
    match usage {
        Some(usage) => out.with(Role::Text, |out| humanize::cpu(out, u64::from(usage.cpu_m))),
        None => out.put("-", Role::Dim),
    }
}

/// `410Mi`; `-` where nothing is measured.
pub fn memory(out: &mut CellText, usage: Option<Usage>) {
    match usage {
        Some(usage) => out.with(Role::Text, |out| humanize::bytes_short(out, usage.mem)),
        None => out.put("-", Role::Dim),
    }
}

/// The last ten minutes of cpu. Dim: a curve in every row must not outshout the one row that is wrong.
pub fn trend(out: &mut CellText, table: &Table<Series>, key: &Key, width: usize) {
    if let Some(series) = table.get(key) {
        out.with(Role::Dim, |out| bar::spark(out, series, width));
    }
}

/// An age.
pub fn age(out: &mut CellText, cx: &Cx<'_>, at: Timestamp) {
    out.with(Role::Dim, |out| humanize::age(out, cx.since(at)));
}

/// Sign and word of a level.
pub fn level(out: &mut CellText, level: Level) {
    match level {
        Level::Failing => out.put("✖ failing", Role::Failing),
        Level::Warning => out.put("▲ warning", Role::Warning),
    }
}

/// An image without its registry and path: `web:2.0.1`.
pub fn short_image(image: &str) -> &str {
    image.rsplit('/').next().unwrap_or(image)
}
