//! A frame as a picture (SVG 1.1): a rectangle behind each run of cells with a background, text in front, and lines and
//! blocks drawn as shapes, since fonts leave gaps between them.

use super::picture::rows;
use crate::theme::{Rgb, Role, Theme, rgb_of, sixteen};
use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::style::{Color, Modifier};
use std::fmt::Write;

/// A cell in user units.
const WIDTH: f32 = 8.4;
const HEIGHT: f32 = 18.0;
/// From the top of a cell to the line that letters stand on.
const BASELINE: f32 = 13.5;
/// Around the frame.
const MARGIN: f32 = 12.0;
const FONTS: &str = "ui-monospace,'JetBrains Mono','SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace";

/// What colours without a number look like.
struct Palette {
    paper: Rgb,
    ink: Rgb,
    sixteen: [Rgb; 16],
}

const DARK: Palette = Palette {
    paper: (0x14, 0x17, 0x1c),
    ink: (0xd7, 0xda, 0xe0),
    sixteen: [
        (0x1c, 0x20, 0x26),
        (0xe0, 0x6c, 0x75),
        (0x98, 0xc3, 0x79),
        (0xe5, 0xc0, 0x7b),
        (0x61, 0xaf, 0xef),
        (0xc6, 0x78, 0xdd),
        (0x56, 0xb6, 0xc2),
        (0xc8, 0xcc, 0xd4),
        (0x7f, 0x84, 0x8e),
        (0xf0, 0x7c, 0x85),
        (0xa8, 0xd3, 0x89),
        (0xf5, 0xd0, 0x8b),
        (0x71, 0xbf, 0xff),
        (0xd6, 0x88, 0xed),
        (0x66, 0xc6, 0xd2),
        (0xff, 0xff, 0xff),
    ],
};

const LIGHT: Palette = Palette {
    paper: (0xfd, 0xfd, 0xfb),
    ink: (0x24, 0x29, 0x2f),
    sixteen: [
        (0x24, 0x29, 0x2f),
        (0xaf, 0x00, 0x00),
        (0x2e, 0x6b, 0x12),
        (0x87, 0x5f, 0x00),
        (0x00, 0x50, 0xa0),
        (0x87, 0x00, 0x5f),
        (0x00, 0x5f, 0x87),
        (0x6c, 0x6c, 0x6c),
        (0x8a, 0x8a, 0x8a),
        (0xcf, 0x22, 0x2e),
        (0x3e, 0x8b, 0x22),
        (0xa7, 0x7f, 0x10),
        (0x10, 0x70, 0xc0),
        (0xa7, 0x20, 0x7f),
        (0x10, 0x7f, 0xa7),
        (0xe8, 0xe8, 0xe8),
    ],
};

/// What a run of cells looks like.
#[derive(Clone, Copy, PartialEq)]
struct Look {
    ink: Rgb,
    paper: Option<Rgb>,
    modifier: Modifier,
}

impl Palette {
    /// A theme that paints its cursor row in a bright colour is made for light paper.
    fn of(theme: &Theme) -> &'static Self {
        match theme.style(Role::Cursor).bg {
            Some(Color::Rgb(r, g, b)) if u32::from(r) + u32::from(g) + u32::from(b) > 450 => &LIGHT,
            _ => &DARK,
        }
    }

    fn rgb(&self, color: Color) -> Option<Rgb> {
        let own = |n: u8| self.sixteen.get(usize::from(n)).copied();
        match color {
            Color::Rgb(r, g, b) => Some((r, g, b)),
            Color::Indexed(n) => own(n).or_else(|| Some(rgb_of(n))),
            color => sixteen(color).and_then(own),
        }
    }

    fn look(&self, cell: &Cell) -> Look {
        let (fg, bg) = (self.rgb(cell.fg), self.rgb(cell.bg));
        let modifier = cell.modifier & (Modifier::BOLD | Modifier::DIM | Modifier::ITALIC | Modifier::UNDERLINED);
        if cell.modifier.contains(Modifier::REVERSED) {
            Look { ink: bg.unwrap_or(self.paper), paper: Some(fg.unwrap_or(self.ink)), modifier }
        } else {
            Look { ink: fg.unwrap_or(self.ink), paper: bg, modifier }
        }
    }
}

fn hex((r, g, b): Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// The picture of a frame in the colours of `theme`.
pub(super) fn draw(buffer: &Buffer, theme: &Theme) -> String {
    let palette = Palette::of(theme);
    let (width, height) = (f32::from(buffer.area.width) * WIDTH, f32::from(buffer.area.height) * HEIGHT);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" font-family=\"{FONTS}\" \
         font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{paper}\"/>\n<g transform=\"translate({MARGIN} {MARGIN})\">\n",
        w = number(width + 2.0 * MARGIN),
        h = number(height + 2.0 * MARGIN),
        paper = hex(palette.paper),
    );
    for (y, row) in rows(buffer).enumerate() {
        draw_row(&mut out, palette, &row, y as f32 * HEIGHT);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

fn draw_row(out: &mut String, palette: &Palette, row: &[&Cell], top: f32) {
    let mut x = 0.0;
    for run in row.chunk_by(|a, b| palette.look(a) == palette.look(b)) {
        let look = palette.look(run[0]);
        let width: f32 = run.iter().map(|cell| columns(cell)).sum();
        if let Some(paper) = look.paper {
            rect(out, (x, top, width, HEIGHT), &hex(paper), 1.0);
        }
        let opacity = if look.modifier.contains(Modifier::DIM) { 0.6 } else { 1.0 };
        let mut at = x;
        // plain letters go together, as every fixed font has them equally wide; anything else stands by itself
        for part in run.chunk_by(|a, b| plain(a) == plain(b) && (plain(a) || a.symbol() == b.symbol())) {
            let wide: f32 = part.iter().map(|cell| columns(cell)).sum();
            if let Some(shape) = shape(part[0].symbol()) {
                draw_shape(out, shape, (at, top, part.len()), &hex(look.ink), opacity);
            } else if plain(part[0]) {
                text(out, &part.iter().map(|cell| cell.symbol()).collect::<String>(), at, top, wide, look, opacity);
            } else {
                let mut each = at;
                for cell in part {
                    text(out, cell.symbol(), each, top, columns(cell), look, opacity);
                    each += columns(cell);
                }
            }
            at += wide;
        }
        if look.modifier.contains(Modifier::UNDERLINED) {
            rect(out, (x, top + BASELINE + 2.0, width, 1.0), &hex(look.ink), opacity);
        }
        x += width;
    }
}

fn columns(cell: &Cell) -> f32 {
    f32::from(cell.cell_width().max(1)) * WIDTH
}

fn plain(cell: &Cell) -> bool {
    cell.symbol().is_ascii()
}

/// A part of a cell that is filled: left, top, width, height, each from 0 to 1.
type Part = (f32, f32, f32, f32);

/// Lines (U+2500 and on) and blocks (U+2580 and on) as shapes.
fn shape(symbol: &str) -> Option<&'static [Part]> {
    /// Half the thickness of a line across, and of one downwards.
    const A: f32 = 0.03;
    const D: f32 = 0.06;
    const ACROSS: Part = (0.0, 0.5 - A, 1.0, 2.0 * A);
    const DOWN: Part = (0.5 - D, 0.0, 2.0 * D, 1.0);
    const UPPER: Part = (0.5 - D, 0.0, 2.0 * D, 0.5);
    const LOWER: Part = (0.5 - D, 0.5, 2.0 * D, 0.5);
    const LEFT: Part = (0.0, 0.5 - A, 0.5 + D, 2.0 * A);
    const RIGHT: Part = (0.5 - D, 0.5 - A, 0.5 + D, 2.0 * A);
    const EIGHTHS: [Part; 8] = [
        (0.0, 0.875, 1.0, 0.125),
        (0.0, 0.75, 1.0, 0.25),
        (0.0, 0.625, 1.0, 0.375),
        (0.0, 0.5, 1.0, 0.5),
        (0.0, 0.375, 1.0, 0.625),
        (0.0, 0.25, 1.0, 0.75),
        (0.0, 0.125, 1.0, 0.875),
        (0.0, 0.0, 1.0, 1.0),
    ];
    const COLUMNS: [Part; 7] = [
        (0.0, 0.0, 0.875, 1.0),
        (0.0, 0.0, 0.75, 1.0),
        (0.0, 0.0, 0.625, 1.0),
        (0.0, 0.0, 0.5, 1.0),
        (0.0, 0.0, 0.375, 1.0),
        (0.0, 0.0, 0.25, 1.0),
        (0.0, 0.0, 0.125, 1.0),
    ];
    let c = symbol.chars().next()?;
    Some(match c {
        '─' => &[ACROSS],
        '│' => &[DOWN],
        '┌' => &[RIGHT, LOWER],
        '┐' => &[LEFT, LOWER],
        '└' => &[RIGHT, UPPER],
        '┘' => &[LEFT, UPPER],
        '├' => &[DOWN, RIGHT],
        '┤' => &[DOWN, LEFT],
        '┬' => &[ACROSS, LOWER],
        '┴' => &[ACROSS, UPPER],
        '┼' => &[ACROSS, DOWN],
        '▁'..='█' => EIGHTHS.get(c as usize - '▁' as usize..=c as usize - '▁' as usize)?,
        '▉'..='▏' => COLUMNS.get(c as usize - '▉' as usize..=c as usize - '▉' as usize)?,
        _ => return None,
    })
}

/// A shape in `count` cells beside each other.
fn draw_shape(out: &mut String, parts: &[Part], (x, top, count): (f32, f32, usize), fill: &str, opacity: f32) {
    for (left, upper, width, height) in parts {
        let across = (top + upper * HEIGHT, height * HEIGHT);
        if *width >= 1.0 {
            rect(out, (x, across.0, count as f32 * WIDTH, across.1), fill, opacity);
        } else {
            for at in 0..count {
                let x = x + at as f32 * WIDTH;
                rect(out, (x + left * WIDTH, across.0, width * WIDTH, across.1), fill, opacity);
            }
        }
    }
}

fn rect(out: &mut String, (x, y, width, height): (f32, f32, f32, f32), fill: &str, opacity: f32) {
    let (x, y, width, height) = (number(x), number(y), number(width), number(height));
    // writing to a String cannot fail
    let _ = write!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"");
    if opacity < 1.0 {
        let _ = write!(out, " opacity=\"{opacity}\"");
    }
    out.push_str("/>\n");
}

fn text(out: &mut String, words: &str, x: f32, top: f32, width: f32, look: Look, opacity: f32) {
    let blank = words.len() - words.trim_start().len();
    let words = words.trim();
    if words.is_empty() {
        return;
    }
    // blanks at both ends are nothing to draw, and some viewers would drop them
    let (x, length) = if words.is_ascii() { (x + blank as f32 * WIDTH, words.len() as f32 * WIDTH) } else { (x, width) };
    let _ = write!(
        out,
        "<text x=\"{}\" y=\"{}\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\" xml:space=\"preserve\"",
        number(x),
        number(top + BASELINE),
        number(length),
        hex(look.ink)
    );
    for (modifier, attribute) in [(Modifier::BOLD, " font-weight=\"700\""), (Modifier::ITALIC, " font-style=\"italic\"")] {
        if look.modifier.contains(modifier) {
            out.push_str(attribute);
        }
    }
    if opacity < 1.0 {
        let _ = write!(out, " opacity=\"{opacity}\"");
    }
    let escaped = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(out, ">{escaped}</text>");
}

/// At most two decimals, and none that say nothing.
fn number(n: f32) -> String {
    let text = format!("{n:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn a_frame_becomes_boxes_and_letters() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 2));
        buffer.set_string(0, 0, "a<b  ─── ✖▄", Style::new().fg(Color::Red));
        buffer.set_string(0, 1, "on", Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD));
        let svg = draw(&buffer, &Theme::plain());
        let texts: Vec<&str> =
            svg.lines().filter_map(|l| l.strip_suffix("</text>")).filter_map(|l| l.rsplit_once('>').map(|(_, t)| t)).collect();
        assert_eq!(texts, ["a&lt;b", "✖", "on"]);
        assert!(svg.contains("fill=\"#e06c75\""), "red");
        assert!(svg.contains("width=\"25.2\""), "three cells of a line in one: {svg}");
        assert!(
            svg.contains(&format!("fill=\"{}\" xml:space=\"preserve\" font-weight=\"700\"", hex(DARK.paper))),
            "reversed and bold"
        );
    }
}
