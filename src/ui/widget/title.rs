//! The title row of a pane: `─ services ─ prod-eu · shop ─────`.

use super::pen::Pen;
use crate::theme::Role;
use crate::ui::cx::Cx;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::fmt;

/// Draws the first row of `area` as a title and returns what is left below it. `rest` writes what follows the name.
pub fn title(
    buf: &mut Buffer,
    area: Rect,
    cx: &Cx<'_>,
    name: impl fmt::Display,
    focus: bool,
    rest: impl FnOnce(&mut Pen<'_>),
) -> Rect {
    let area = area.intersection(buf.area);
    if area.height == 0 {
        return area;
    }
    let rule = cx.style(Role::Rule);
    let mut pen = Pen::new(buf, area, area.y);
    pen.put("─ ", rule).say(name, cx.style(if focus { Role::TitleFocus } else { Role::Title }));
    rest(&mut pen);
    pen.put(" ", rule).fill_to(area.right(), "─", rule);
    Rect { y: area.y + 1, height: area.height - 1, ..area }
}

/// Writes a separator and a word after a title's name.
pub fn part(pen: &mut Pen<'_>, cx: &Cx<'_>, words: impl fmt::Display, role: Role) {
    pen.put(" · ", cx.style(Role::Rule)).say(words, cx.style(role));
}
