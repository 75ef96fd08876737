//! Bars and sparklines in block characters.

use crate::model::Series;

const EIGHTHS: [&str; 9] = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];
const LEVELS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Writes a bar of `width` columns that is `part` of `whole` full; the empty part is `░`.
pub fn bar(out: &mut String, part: u64, whole: u64, width: usize) {
    let eighths = if whole == 0 { 0 } else { (part.min(whole) as f64 / whole as f64 * (width * 8) as f64).round() as usize };
    for column in 0..width {
        let here = eighths.saturating_sub(column * 8).min(8);
        out.push_str(if here == 0 { "░" } else { EIGHTHS[here] });
    }
}

/// Writes the last minutes of a series as `width` columns, oldest left, each the mean cpu of its share of the time.
/// The scale is the highest value, but at least twice the lowest (so that what is steady stands at half height and does
/// not shout) and 20 millicores (so that noise at rest stays flat). Columns without measurements stay empty.
pub fn spark(out: &mut String, series: &Series, width: usize) {
    let samples = series.samples();
    if width == 0 {
        return;
    }
    let share = Series::CAPACITY.div_ceil(width);
    let peak = samples.clone().map(|s| s.usage.cpu_m).max().unwrap_or(0);
    let least = samples.clone().map(|s| s.usage.cpu_m).min().unwrap_or(0);
    let scale = peak.max(least.saturating_mul(2)).max(20);
    let filled = samples.len().div_ceil(share).min(width);
    out.extend(std::iter::repeat_n(' ', width - filled));
    // counted from the end, so that a column keeps its samples until it is full
    for back in (0..filled).rev() {
        let end = samples.len() - back * share;
        let from = end.saturating_sub(share);
        let sum: u64 = samples.clone().skip(from).take(end - from).map(|s| u64::from(s.usage.cpu_m)).sum();
        let mean = sum / u64::try_from(end - from).unwrap_or(1).max(1);
        let level = (mean * 7).div_ceil(u64::from(scale)).min(7);
        out.push_str(LEVELS[level as usize]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Key, Sample, Usage};
    use crate::util::time::Timestamp;

    #[test]
    fn a_bar_is_as_full_as_its_part() {
        for (part, whole, want) in
            [(0, 5, "░░░░░"), (3, 5, "███░░"), (5, 5, "█████"), (9, 5, "█████"), (1, 0, "░░░░░"), (7, 10, "███▌░")]
        {
            let mut out = String::new();
            bar(&mut out, part, whole, 5);
            assert_eq!(out, want, "{part}/{whole}");
        }
    }

    #[test]
    fn a_spark_has_its_width_whatever_the_series_holds() {
        for count in [0, 1, 7, 60, 100] {
            let mut series = Series::new(Key::from("a"));
            for n in 0..count {
                let usage = Usage { cpu_m: u32::try_from(n).unwrap_or(0) * 10, ..Usage::default() };
                series.push(Sample { at: Timestamp(n + 1), usage });
            }
            for width in [0, 1, 6, 10, 60, 70] {
                let mut out = String::new();
                spark(&mut out, &series, width);
                assert_eq!(out.chars().count(), width, "{count} samples in {width}");
            }
        }
    }
}
