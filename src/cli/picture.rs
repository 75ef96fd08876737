//! A frame as text.

use crate::term::sgr;
use ratatui::buffer::{Buffer, Cell, CellWidth};

/// Rows of cells, without those that only hold the rest of a wide character.
pub(super) fn rows(buffer: &Buffer) -> impl Iterator<Item = Vec<&Cell>> {
    buffer.content.chunks(usize::from(buffer.area.width).max(1)).map(|row| {
        let mut covered = 0;
        let shows = |(x, cell): &(usize, &Cell)| {
            let shows = *x >= covered;
            if shows {
                covered = x + usize::from(cell.cell_width()).max(1);
            }
            shows
        };
        row.iter().enumerate().filter(shows).map(|(_, cell)| cell).collect()
    })
}

/// Plain text, without blanks at the ends of rows.
pub(super) fn text(buffer: &Buffer) -> String {
    rows(buffer).map(|row| format!("{}\n", row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end())).collect()
}

/// Text with colours; each row ends plain.
pub(super) fn ansi(buffer: &Buffer) -> String {
    let mut out = String::new();
    for row in rows(buffer) {
        let blank = |cell: &Cell| cell.symbol() == " " && sgr(cell).is_empty();
        let end = row.iter().rposition(|cell| !blank(cell)).map_or(0, |last| last + 1);
        let mut look = Vec::new();
        for cell in row.iter().take(end) {
            let next = sgr(cell);
            if next != look {
                out.push_str("\x1b[m");
                out.push_str(&String::from_utf8_lossy(&next));
                look = next;
            }
            out.push_str(cell.symbol());
        }
        out.push_str(if look.is_empty() { "\n" } else { "\x1b[m\n" });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::{Color, Style};

    #[test]
    fn rows_are_whole_and_end_where_their_content_ends() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 2));
        buffer.set_string(0, 0, "a東b", Style::new());
        buffer.set_string(0, 1, "ok", Style::new().fg(Color::Red));
        assert_eq!(text(&buffer), "a東b\nok\n");
        assert_eq!(ansi(&buffer), "a東b\n\x1b[m\x1b[31mok\x1b[m\n");
    }
}
