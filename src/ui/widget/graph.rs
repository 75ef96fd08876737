//! Graphs of measurements over the last minutes, in block characters.

use super::pen::Pen;
use crate::util::time::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::time::Duration;

/// The time a graph is wide.
pub const SPAN: Duration = Duration::from_secs(600);

const LEVELS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The highest value of each of `width` equal parts of the last [`SPAN`], oldest first. A measurement holds until the next
/// one, but not longer than two and a half times the usual distance: after that nobody knows, and the part is empty.
pub fn columns(points: &[(Timestamp, u64)], now: Timestamp, width: usize) -> Vec<Option<u64>> {
    let begin = now.minus(SPAN);
    let distance = match (points.first(), points.last()) {
        (Some(first), Some(last)) if points.len() > 1 => last.0.since(first.0) / u32::try_from(points.len() - 1).unwrap_or(1),
        _ => Duration::from_secs(15),
    };
    let holds = distance * 5 / 2;
    let mut out = vec![None; width];
    for (n, (at, value)) in points.iter().enumerate() {
        let until = points.get(n + 1).map_or(now, |next| next.0).0.min(at.plus(holds).0);
        if until < begin.0 {
            continue;
        }
        let place = |at: i64| {
            let share = at.saturating_sub(begin.0).max(0) as f64 / SPAN.as_millis() as f64;
            ((share * width as f64) as usize).min(width.saturating_sub(1))
        };
        for slot in out.iter_mut().take(place(until) + 1).skip(place(at.0)) {
            *slot = Some(slot.map_or(*value, |held: u64| held.max(*value)));
        }
    }
    out
}

/// Draws values between zero and `top` as an area; a level `line` is drawn across where the area leaves it free.
pub fn area(buf: &mut Buffer, area: Rect, values: &[Option<u64>], top: u64, style: Style, line: Option<(u64, Style)>) {
    let area = area.intersection(buf.area);
    let steps = u64::from(area.height) * 8;
    let height = |value: u64| (u128::from(value) * u128::from(steps) / u128::from(top.max(1))).min(u128::from(steps)) as u64;
    for row in 0..area.height {
        let y = area.bottom() - 1 - row;
        let below = u64::from(row) * 8;
        let crossed = line.filter(|(at, _)| *at <= top && (height(*at).max(1) - 1) / 8 == u64::from(row));
        for (x, value) in (area.left()..area.right()).zip(values) {
            // what is measured is never drawn as nothing
            let eighths = value.map_or(0, |value| height(value).max(1).saturating_sub(below).min(8));
            let Some(cell) = buf.cell_mut((x, y)) else { continue };
            match (eighths, crossed) {
                (0, Some((_, style))) => cell.set_symbol("┄").set_style(style),
                (n, _) => cell.set_symbol(LEVELS[n as usize]).set_style(style),
            };
        }
    }
}

/// Writes the ends of the time axis below a graph.
pub fn axis(buf: &mut Buffer, row: Rect, style: Style) {
    let now = "now";
    Pen::new(buf, row, row.y).put("-10m", style).fill_to(row.right().saturating_sub(3), "·", style);
    Pen::new(buf, row, row.y).to(row.right().saturating_sub(3)).put(now, style);
}

/// The next round number at or above `value`, for the top of a scale: 1, 2 or 5 times a power of ten (or of two, for
/// bytes), at least `least`.
pub fn round_up(value: u64, least: u64, binary: bool) -> u64 {
    let value = value.max(least).max(1);
    if binary {
        return [8, 10, 12, 14, 16]
            .iter()
            .map(|eighths| value.next_power_of_two() / 16 * eighths)
            .find(|top| *top >= value)
            .unwrap_or(value);
    }
    let mut power = 1u64;
    while power.saturating_mul(10) <= value {
        power = power.saturating_mul(10);
    }
    [1, 2, 5, 10].iter().map(|n| power.saturating_mul(*n)).find(|top| *top >= value).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_is_empty_and_not_zero() {
        let now = Timestamp(1_000_000);
        let at = |seconds: u64| now.minus(Duration::from_secs(seconds));
        // two minutes measured every ten seconds, then silence for five
        let points: Vec<_> = (0..12).map(|n| (at(420 - n * 10), n)).collect();
        let columns = columns(&points, now, 60);
        assert_eq!(columns.len(), 60);
        assert_eq!(columns[..18], [None; 18], "before the first");
        assert!(columns[18..30].iter().all(Option::is_some), "{columns:?}");
        assert_eq!(columns[33..], [None; 27], "after the last one no longer holds");
        assert_eq!(super::columns(&[], now, 3), [None; 3]);
        assert_eq!(super::columns(&points, now, 0), []);
    }

    #[test]
    fn an_area_fills_from_below_and_a_line_crosses_it() {
        let rect = Rect::new(0, 0, 4, 2);
        let mut buf = Buffer::empty(rect);
        area(&mut buf, rect, &[Some(0), Some(50), Some(100), None], 100, Style::new(), Some((100, Style::new())));
        let row = |y: u16| (0..4).map(|x| buf[(x, y)].symbol().to_owned()).collect::<String>();
        assert_eq!((row(0).as_str(), row(1).as_str()), ("┄┄█┄", "▁██ "));
    }

    #[test]
    fn scales_end_at_round_numbers() {
        for (value, binary, want) in [(0, false, 10), (130, false, 200), (501, false, 1_000), (1_000, false, 1_000)] {
            assert_eq!(round_up(value, 10, binary), want);
        }
        assert_eq!(round_up(700 << 20, 1 << 20, true), 768 << 20);
        assert_eq!(round_up(1 << 30, 1 << 20, true), 1 << 30);
        assert!(round_up(u64::MAX / 4, 1, false) >= u64::MAX / 4);
    }
}
