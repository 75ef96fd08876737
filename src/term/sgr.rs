//! Styles as control sequences (ECMA-48 SGR; colours as xterm has them).

use crate::theme::sixteen;
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use std::io::Write;

/// What an SGR sequence sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Look {
    /// After `CSI 0 m`.
    pub(super) const PLAIN: Self = Self { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

    /// Whether a blank looks the same in both: of a letter's colour and weight it shows nothing.
    pub(super) fn same_behind(self, other: Self) -> bool {
        let bare = |look: Self| !look.modifier.intersects(SHOWS_ON_BLANKS);
        self == other || self.bg == other.bg && bare(self) && bare(other)
    }

    /// Of a cell.
    pub(super) fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }
}

/// What a blank shows too: the colour of letters becomes that of the paper, or of a line.
const SHOWS_ON_BLANKS: Modifier = Modifier::REVERSED.union(Modifier::UNDERLINED).union(Modifier::CROSSED_OUT);

const MODIFIERS: [(Modifier, u8); 7] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::REVERSED, 7),
    (Modifier::CROSSED_OUT, 9),
];

/// Appends the sequence that brings the terminal from one look to another.
pub(super) fn change(out: &mut Vec<u8>, from: Look, to: Look) {
    if from == to {
        return;
    }
    if to == Look::PLAIN {
        out.extend_from_slice(b"\x1b[m");
        return;
    }
    out.extend_from_slice(b"\x1b[");
    let mut from = from;
    // a modifier is switched off by starting anew: bold and dim share their off switch
    if !to.modifier.contains(from.modifier) {
        out.extend_from_slice(b"0;");
        from = Look::PLAIN;
    }
    for (modifier, code) in MODIFIERS {
        if to.modifier.contains(modifier) && !from.modifier.contains(modifier) {
            // writing to a Vec cannot fail
            let _ = write!(out, "{code};");
        }
    }
    if to.fg != from.fg {
        colour(out, to.fg, 30);
    }
    if to.bg != from.bg {
        colour(out, to.bg, 40);
    }
    // each parameter ended with a semicolon; the last becomes the end of the sequence
    match out.last_mut() {
        Some(last) if *last == b';' => *last = b'm',
        _ => out.push(b'm'),
    }
}

/// `base` is 30 for the foreground, 40 for the background.
fn colour(out: &mut Vec<u8>, colour: Color, base: u8) {
    let _ = match colour {
        Color::Indexed(n) => write!(out, "{};5;{n};", base + 8),
        Color::Rgb(r, g, b) => write!(out, "{};2;{r};{g};{b};", base + 8),
        // the brighter eight have numbers of their own, sixty above
        colour => match sixteen(colour) {
            Some(n) if n < 8 => write!(out, "{};", base + n),
            Some(n) => write!(out, "{};", base + 60 + n - 8),
            None => write!(out, "{};", base + 9),
        },
    };
}

/// The sequence from plain to the look of `cell`; empty for a plain cell. For text with colours outside of frames.
pub fn sgr(cell: &Cell) -> Vec<u8> {
    let mut out = Vec::new();
    change(&mut out, Look::PLAIN, Look::of(cell));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(from: Look, to: Look) -> String {
        let mut out = Vec::new();
        change(&mut out, from, to);
        String::from_utf8(out).unwrap_or_default().replace('\x1b', "ESC")
    }

    #[test]
    fn only_what_changes_is_said() {
        let plain = Look::PLAIN;
        let bold = Look { modifier: Modifier::BOLD, ..plain };
        let red = Look { fg: Color::Red, ..bold };
        let deep = Look { fg: Color::Indexed(203), bg: Color::Rgb(1, 2, 3), ..plain };
        for (from, to, want) in [
            (plain, plain, ""),
            (plain, bold, "ESC[1m"),
            (bold, red, "ESC[31m"),
            (red, bold, "ESC[39m"),
            (red, plain, "ESC[m"),
            (red, deep, "ESC[0;38;5;203;48;2;1;2;3m"),
            (bold, Look { modifier: Modifier::BOLD | Modifier::REVERSED, ..plain }, "ESC[7m"),
            (bold, Look { modifier: Modifier::DIM, ..plain }, "ESC[0;2m"),
            (plain, Look { fg: Color::DarkGray, bg: Color::White, ..plain }, "ESC[90;107m"),
        ] {
            assert_eq!(between(from, to), want);
        }
    }
}
