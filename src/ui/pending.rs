//! What may follow the keys pressed so far of a sequence: a small box at the bottom right, until it is whole or given up.

use super::cx::Cx;
use super::overlay::frame::boxed;
use super::widget::pen::Pen;
use crate::input::Command;
use crate::theme::Role;
use crate::util::width::width;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// A sequence that is not whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The keys pressed so far, in words.
    pub begun: String,
    /// The keys that may follow, and what they do.
    pub next: Vec<(String, Command)>,
}

/// The last line, which says how to get out of it.
const OUT: &str = "esc gives it up";

/// Draws the box at the bottom right of `area`, no larger than it.
pub fn draw(area: Rect, buf: &mut Buffer, cx: &Cx<'_>, pending: &Pending) {
    let keys = pending.next.iter().map(|(keys, _)| width(keys)).max().unwrap_or(0);
    let words = pending.next.iter().map(|(_, command)| keys + 2 + width(command.doc())).max().unwrap_or(0);
    let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    let wide = cells(words.max(width(OUT)) + 4).min(area.width);
    let high = cells(pending.next.len() + 3).min(area.height);
    let at = Rect { x: area.right() - wide, y: area.bottom() - high, width: wide, height: high };
    let inner = boxed(at, buf, cx, &[(&pending.begun, Role::Strong), (" …", Role::Hint)]);
    let Some(last) = inner.bottom().checked_sub(1).filter(|_| inner.height > 0) else { return };
    for ((key, command), y) in pending.next.iter().zip(inner.y..last) {
        let mut pen = Pen::new(buf, inner, y);
        pen.put(key, cx.style(Role::Key)).gap(keys + 2 - width(key).min(keys + 2));
        pen.put_elided(command.doc(), usize::MAX, cx.style(Role::Dialog));
    }
    Pen::new(buf, inner, last).put(OUT, cx.style(Role::Hint));
}
