//! The frame of a dialog: a box in the middle of the screen, no larger than it.

use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::widget::pen::{self, Pen};
use crate::util::width::{elide_end, width};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws a box for a content of `size` with a title of pieces, and returns where its content goes. The box takes at most
/// `area` less a margin of one column; what was below it is cleared.
pub fn frame(area: Rect, buf: &mut Buffer, cx: &Cx<'_>, title: &[(&str, Role)], size: (u16, u16)) -> Rect {
    let area = area.intersection(buf.area);
    let needs = title.iter().map(|(text, _)| width(text)).sum::<usize>().saturating_add(4);
    let wide = size.0.max(u16::try_from(needs).unwrap_or(u16::MAX)).saturating_add(4).min(area.width.saturating_sub(2));
    let high = size.1.saturating_add(2).min(area.height);
    if wide < 8 || high < 3 {
        return Rect { width: 0, height: 0, ..area };
    }
    boxed(
        Rect { x: area.x + (area.width - wide) / 2, y: area.y + (area.height - high) / 2, width: wide, height: high },
        buf,
        cx,
        title,
    )
}

/// Draws a box that takes all of `at`, and returns where its content goes.
pub fn boxed(at: Rect, buf: &mut Buffer, cx: &Cx<'_>, title: &[(&str, Role)]) -> Rect {
    let at = at.intersection(buf.area);
    if at.width < 8 || at.height < 3 {
        return Rect { width: 0, height: 0, ..at };
    }
    let edge = cx.style(Role::DialogEdge);
    pen::clear(buf, at, cx.style(Role::Dialog));
    let mut pen = Pen::new(buf, at, at.y);
    pen.put("┌ ", edge);
    let end = at.right() - 2;
    for (text, role) in title {
        let room = usize::from(end.saturating_sub(pen.x()));
        pen.put(&elide_end(text, room), cx.style(*role));
    }
    pen.put(" ", edge).fill_to(at.right() - 1, "─", edge).put("┐", edge);
    for y in at.y + 1..at.bottom() - 1 {
        Pen::new(buf, at, y).put("│", edge).to(at.right() - 1).put("│", edge);
    }
    Pen::new(buf, at, at.bottom() - 1).put("└", edge).fill_to(at.right() - 1, "─", edge).put("┘", edge);
    Rect { x: at.x + 2, y: at.y + 1, width: at.width - 4, height: at.height - 2 }
}
