//! Colours brought down to what the terminal can show.

use ratatui::style::{Color, Modifier, Style};

/// How many colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColorDepth {
    /// None: bold, dim, underline and reverse only.
    None,
    /// The sixteen of the palette of the terminal.
    Ansi,
    /// The 256 of xterm.
    Indexed,
    /// 24 bits.
    True,
}

impl ColorDepth {
    /// From the environment: `NO_COLOR` (no-color.org: set and not empty), `COLORTERM`, `TERM`. Over SSH often only `TERM`
    /// arrives, so the names of terminals known to show 24 bits count too.
    pub fn detect(no_color: Option<&str>, colorterm: Option<&str>, term: Option<&str>) -> Self {
        let term = term.unwrap_or_default();
        if no_color.is_some_and(|value| !value.is_empty()) || matches!(term, "" | "dumb") || term.starts_with("vt") {
            return Self::None;
        }
        let known = ["alacritty", "foot", "xterm-ghostty", "xterm-kitty", "wezterm", "contour", "rio"];
        if matches!(colorterm, Some("truecolor" | "24bit"))
            || term.ends_with("-direct")
            || known.iter().any(|name| term.starts_with(name))
        {
            return Self::True;
        }
        if term.contains("256") { Self::Indexed } else { Self::Ansi }
    }

    /// `style` with colours this terminal shows. Without colours a background becomes reverse video, so that a cursor or a
    /// bar that a theme paints still stands out.
    #[must_use]
    pub fn style(self, style: Style) -> Style {
        if self == Self::None {
            let painted = style.bg.is_some_and(|bg| bg != Color::Reset);
            let bare = Style { fg: None, bg: None, underline_color: None, ..style };
            return if painted { bare.add_modifier(Modifier::REVERSED) } else { bare };
        }
        Style { fg: style.fg.map(|c| self.color(c)), bg: style.bg.map(|c| self.color(c)), ..style }
    }

    fn color(self, color: Color) -> Color {
        match (self, color) {
            (Self::Indexed, Color::Rgb(r, g, b)) => Color::Indexed(indexed((r, g, b))),
            (Self::Ansi, Color::Rgb(r, g, b)) => ansi((r, g, b)),
            (Self::Ansi, Color::Indexed(n)) if n >= 16 => ansi(rgb_of(n)),
            (_, color) => color,
        }
    }
}

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// The number of one of the sixteen colours of a terminal's own palette.
pub fn sixteen(color: Color) -> Option<u8> {
    (0..).zip(ANSI).find(|(_, (_, named))| *named == color).map(|(n, _)| n)
}

/// Levels of the 6×6×6 cube of xterm's 256 colours.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The sixteen as xterm shows them; terminals differ, but not in which is the red one.
const ANSI: [(Rgb, Color); 16] = [
    ((0, 0, 0), Color::Black),
    ((205, 0, 0), Color::Red),
    ((0, 205, 0), Color::Green),
    ((205, 205, 0), Color::Yellow),
    ((0, 0, 238), Color::Blue),
    ((205, 0, 205), Color::Magenta),
    ((0, 205, 205), Color::Cyan),
    ((229, 229, 229), Color::Gray),
    ((127, 127, 127), Color::DarkGray),
    ((255, 0, 0), Color::LightRed),
    ((0, 255, 0), Color::LightGreen),
    ((255, 255, 0), Color::LightYellow),
    ((92, 92, 255), Color::LightBlue),
    ((255, 0, 255), Color::LightMagenta),
    ((0, 255, 255), Color::LightCyan),
    ((255, 255, 255), Color::White),
];

/// How different two colours look (the "redmean" weighting of RGB distance).
fn distance(a: Rgb, b: Rgb) -> i64 {
    let mean = (i64::from(a.0) + i64::from(b.0)) / 2;
    let d = |x: u8, y: u8| (i64::from(x) - i64::from(y)).pow(2);
    ((512 + mean) * d(a.0, b.0)) / 256 + 4 * d(a.1, b.1) + ((767 - mean) * d(a.2, b.2)) / 256
}

/// One of xterm's 256 colours; the first sixteen are the terminal's own to choose, and here as xterm shows them.
pub fn rgb_of(index: u8) -> Rgb {
    match index {
        0..16 => ANSI.get(usize::from(index)).map_or((0, 0, 0), |(rgb, _)| *rgb),
        16..232 => {
            let n = usize::from(index - 16);
            let level = |n: usize| CUBE.get(n % 6).copied().unwrap_or(0);
            (level(n / 36), level(n / 6), level(n))
        }
        232.. => {
            let gray = 8 + 10 * (index - 232);
            (gray, gray, gray)
        }
    }
}

fn indexed(rgb: Rgb) -> u8 {
    // the first sixteen are the terminal's own to choose, so they are never picked by their usual value
    (16..=255).min_by_key(|index| distance(rgb, rgb_of(*index))).unwrap_or(16)
}

/// The nearest of the sixteen. A colour with a hue keeps one: a soft red must not become gray.
fn ansi(rgb: Rgb) -> Color {
    let (most, least) = (rgb.0.max(rgb.1).max(rgb.2), rgb.0.min(rgb.1).min(rgb.2));
    let hued = most - least > 40;
    let gray = |(r, g, b): Rgb| r == g && g == b;
    ANSI.iter()
        .filter(|(candidate, _)| hued != gray(*candidate))
        .min_by_key(|(candidate, _)| if hued { hue_distance(rgb, *candidate) } else { distance(rgb, *candidate) })
        .map_or(Color::Reset, |(_, color)| *color)
}

/// Distance after both are stretched to full saturation: which hue, and then how bright.
fn hue_distance(a: Rgb, b: Rgb) -> i64 {
    let stretch = |(r, g, b): Rgb| {
        let (most, least) = (r.max(g).max(b), r.min(g).min(b));
        let of = |c: u8| u8::try_from(u32::from(c - least) * 255 / u32::from((most - least).max(1))).unwrap_or(255);
        (of(r), of(g), of(b))
    };
    distance(stretch(a), stretch(b)) * 64 + distance(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_how_many_colours() {
        use ColorDepth as D;
        for (no_color, colorterm, term, want) in [
            (None, Some("truecolor"), Some("xterm-256color"), D::True),
            (None, None, Some("xterm-256color"), D::Indexed),
            (None, None, Some("tmux-256color"), D::Indexed),
            (None, None, Some("xterm-kitty"), D::True),
            (None, None, Some("xterm"), D::Ansi),
            (None, None, Some("linux"), D::Ansi),
            (None, None, Some("vt100"), D::None),
            (None, None, Some("dumb"), D::None),
            (None, None, None, D::None),
            (Some("1"), Some("truecolor"), Some("xterm"), D::None),
            (Some(""), Some("24bit"), Some("xterm"), D::True),
        ] {
            assert_eq!(D::detect(no_color, colorterm, term), want, "{no_color:?} {colorterm:?} {term:?}");
        }
    }

    #[test]
    fn colours_come_down_to_the_nearest_that_is_there() {
        for (rgb, index, sixteen) in [
            ((255, 0, 0), 196, Color::LightRed),
            ((224, 108, 117), 168, Color::LightRed),
            ((191, 97, 106), 131, Color::Red),
            ((229, 192, 123), 180, Color::LightYellow),
            ((97, 175, 239), 75, Color::LightCyan),
            ((128, 128, 128), 244, Color::DarkGray),
            ((250, 250, 250), 231, Color::White),
            ((0, 0, 0), 16, Color::Black),
        ] {
            let style = Style::new().fg(Color::Rgb(rgb.0, rgb.1, rgb.2));
            assert_eq!(ColorDepth::Indexed.style(style).fg, Some(Color::Indexed(index)), "{rgb:?}");
            let got = ColorDepth::Ansi.style(style).fg.unwrap();
            let bright = |c: Color| format!("{c:?}").trim_start_matches("Light").to_owned();
            assert_eq!(bright(got), bright(sixteen), "{rgb:?}");
            assert_eq!(ColorDepth::True.style(style).fg, Some(Color::Rgb(rgb.0, rgb.1, rgb.2)));
        }
        let painted = Style::new().fg(Color::Red).bg(Color::Blue).add_modifier(Modifier::BOLD);
        assert_eq!(ColorDepth::None.style(painted), Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED));
    }
}
