//! Times of day as the operator has chosen them: UTC or local.

use crate::ui::cx::Cx;
use crate::util::time::Timestamp;

/// `14:03:19`.
pub fn time(cx: &Cx<'_>, at: Timestamp) -> String {
    let (hours, minutes, seconds, _) = parts(cx, at);
    format!("{hours:02}:{minutes:02}:{seconds:02}")
}

/// `14:03:19.120`.
pub fn time_ms(cx: &Cx<'_>, at: Timestamp) -> String {
    let (hours, minutes, seconds, ms) = parts(cx, at);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{ms:03}")
}

fn parts(cx: &Cx<'_>, at: Timestamp) -> (i64, i64, i64, i64) {
    let offset = if cx.local_time { i64::from(cx.moment.utc_offset) } else { 0 };
    let seconds = at.0.div_euclid(1_000).saturating_add(offset).rem_euclid(86_400);
    (seconds / 3_600, seconds / 60 % 60, seconds % 60, at.0.rem_euclid(1_000))
}
