#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;
use ratatui::buffer::CellWidth;
use ratatui::style::{Color, Modifier, Style};

/// The terminal's idea of the screen after `bytes`.
fn assert_shows(parser: &vt100::Parser, want: &Buffer) {
    for y in 0..want.area.height {
        let mut x = 0;
        while x < want.area.width {
            let cell = &want[(x, y)];
            let got = parser.screen().cell(y, x).unwrap();
            let text = if got.has_contents() { got.contents() } else { " " };
            assert_eq!(text, cell.symbol(), "at {x},{y}");
            let bare = !cell.modifier.intersects(Modifier::REVERSED | Modifier::UNDERLINED);
            assert_eq!(got.inverse(), cell.modifier.contains(Modifier::REVERSED), "reverse at {x},{y}");
            assert_eq!(got.underline(), cell.modifier.contains(Modifier::UNDERLINED), "underline at {x},{y}");
            let colour = |c: Color| match c {
                Color::Indexed(n) => vt100::Color::Idx(n),
                Color::Red => vt100::Color::Idx(1),
                _ => vt100::Color::Default,
            };
            assert_eq!(got.bgcolor(), colour(cell.bg), "background at {x},{y}");
            // of a blank nobody sees how heavy and of which colour it is
            if text != " " || !bare {
                assert_eq!(got.bold(), cell.modifier.contains(Modifier::BOLD), "bold at {x},{y}");
                assert_eq!(got.dim(), cell.modifier.contains(Modifier::DIM), "dim at {x},{y}");
                assert_eq!(got.fgcolor(), colour(cell.fg), "foreground at {x},{y}");
            }
            x += cell.cell_width().max(1);
        }
    }
}

fn frame(writer: &mut FrameWriter, draw: impl FnOnce(&mut Buffer)) -> Vec<u8> {
    draw(writer.canvas());
    let mut out = Vec::new();
    writer.encode(&mut out, None);
    out
}

const SIZE: Size = Size { width: 20, height: 4 };

#[test]
fn an_unchanged_frame_is_no_bytes_at_all() {
    let mut writer = FrameWriter::new(SIZE);
    let draw = |buffer: &mut Buffer| buffer.set_string(0, 0, "prod-eu", Style::new().fg(Color::Red));
    assert!(!frame(&mut writer, draw).is_empty());
    assert!(frame(&mut writer, draw).is_empty());
    writer.invalidate();
    assert!(!frame(&mut writer, draw).is_empty());
}

#[test]
fn a_frame_that_may_arrive_in_pieces_is_shown_at_once_and_makes_no_room_for_itself_twice() {
    let size = Size::new(100, 20);
    let mut writer = FrameWriter::new(size);
    let mut out = Vec::new();
    let mut draw = |text: &str, rows: u16, out: &mut Vec<u8>| {
        out.clear();
        let canvas = writer.canvas();
        (0..rows).for_each(|y| canvas.set_string(0, y, text, Style::new()));
        writer.encode(out, None);
    };
    draw(&"a".repeat(90), 20, &mut out);
    assert!(out.starts_with(BEGIN) && out.ends_with(END));
    let marks = |out: &[u8]| out.windows(BEGIN.len()).filter(|window| *window == BEGIN || *window == END).count();
    assert_eq!(marks(&out), 2);
    let room = out.capacity();
    for text in ["b", "c", "d"] {
        draw(&text.repeat(90), 20, &mut out);
        assert_eq!((marks(&out), out.capacity()), (2, room));
    }
    draw("e", 1, &mut out);
    assert_eq!(marks(&out), 0, "what is short arrives whole in any case");
}

#[test]
fn one_changed_word_is_one_move_and_the_word() {
    let mut writer = FrameWriter::new(SIZE);
    frame(&mut writer, |b| b.set_string(2, 1, "ready 2/5", Style::new()));
    let bytes = frame(&mut writer, |b| b.set_string(2, 1, "ready 3/5", Style::new()));
    assert_eq!(String::from_utf8(bytes).unwrap(), "\x1b[2;9H3");
}

#[test]
fn moves_and_styles_are_said_in_the_fewest_bytes() {
    let size = Size::new(120, 12);
    let mut writer = FrameWriter::new(size);
    let draw = |writer: &mut FrameWriter, words: &[(u16, u16, &str, Style)]| {
        let bytes = frame(writer, |b| words.iter().for_each(|(x, y, text, style)| b.set_string(*x, *y, text, *style)));
        String::from_utf8(bytes).unwrap().replace('\x1b', "ESC")
    };
    let (plain, dim) = (Style::new(), Style::new().add_modifier(Modifier::DIM));
    let painted = Style::new().add_modifier(Modifier::REVERSED);
    let line = format!("{:<66}", "name      ready         3d");
    draw(&mut writer, &[(100, 1, "ab", plain)]);
    for (words, want) in [
        // the next row, a little to the left, is reached from where the cursor is
        (&[(100, 1, "xy", plain), (101, 2, "z", plain)][..], "ESC[2;101Hxy\n\x08z"),
        (&[(100, 1, "vw", plain), (50, 2, "q", plain)], "ESC[2;101Hvw\nESC[52DqESC[K"),
        (&[(100, 1, "t", plain), (0, 2, "q", plain)], "ESC[2;101HtESC[K\n\rqESC[K"),
        // a painted row that becomes plain again is erased once, and only its letters are written
        (&[(0, 2, "q", plain), (3, 6, &line, painted)], "ESC[2;1HESC[KESC[7;4HESC[7mLINE"),
        (&[(0, 2, "q", plain), (3, 6, &line, plain), (70, 6, "e", plain)], "ESC[7;4HnameESC[KESC[6CreadyESC[9C3dESC[41Ce"),
        (&[(0, 2, "q", plain)], "ESC[7;1HESC[K"),
        // blanks have no style of their own, and are no reason to change it
        (&[(0, 2, "q", plain), (0, 4, "a", dim), (4, 4, "b", dim)], "ESC[5;1HESC[2ma   bESC[m"),
        (&[(0, 2, "q", plain), (0, 4, "a", dim), (1, 4, "   ", dim), (4, 4, "b", dim)], ""),
    ] {
        assert_eq!(draw(&mut writer, words), want.replace("LINE", &format!("{line}ESC[m")));
    }
}

#[test]
fn the_cursor_is_shown_moved_and_hidden_only_when_it_must_be() {
    let mut writer = FrameWriter::new(SIZE);
    let mut step = |text: &str, cursor| {
        writer.canvas().set_string(0, 0, text, Style::new());
        let mut out = Vec::new();
        writer.encode(&mut out, cursor);
        String::from_utf8(out).unwrap()
    };
    assert!(!step("a", None).contains("?25h"));
    assert_eq!(step("a", Some(Position::new(1, 0))), "\x1b[1;2H\x1b[?25h");
    assert_eq!(step("a", Some(Position::new(1, 0))), "");
    assert_eq!(step("ab", Some(Position::new(1, 0))), "\x1b[1;2Hb\x1b[1;2H");
    assert_eq!(step("ab", None), "\x1b[?25l");
}

#[test]
fn a_row_that_becomes_shorter_is_erased_to_its_end() {
    let mut writer = FrameWriter::new(SIZE);
    frame(&mut writer, |b| b.set_string(0, 0, "a long sentence", Style::new()));
    let bytes = frame(&mut writer, |b| b.set_string(0, 0, "a", Style::new()));
    assert_eq!(String::from_utf8(bytes).unwrap(), "\x1b[1;2H\x1b[K");
}

#[test]
fn a_wide_character_written_over_the_beginning_of_another_leaves_no_half_of_it() {
    let mut writer = FrameWriter::new(SIZE);
    let mut parser = vt100::Parser::new(SIZE.height, SIZE.width, 0);
    for (x, text, style) in [(18, "東", Style::new()), (17, "京", Style::new().fg(Color::Red).add_modifier(Modifier::BOLD))] {
        let mut want = Buffer::empty(Rect::new(0, 0, SIZE.width, SIZE.height));
        want.set_string(x, 2, text, style);
        parser.process(&frame(&mut writer, |b| b.set_string(x, 2, text, style)));
        assert_shows(&parser, &want);
    }
}

fn style() -> impl Strategy<Value = Style> {
    prop_oneof![
        4 => Just(Style::new()),
        1 => Just(Style::new().fg(Color::Red).add_modifier(Modifier::BOLD)),
        1 => Just(Style::new().bg(Color::Indexed(200))),
        1 => Just(Style::new().add_modifier(Modifier::REVERSED)),
        2 => Just(Style::new().add_modifier(Modifier::DIM)),
        1 => Just(Style::new().fg(Color::Indexed(44))),
        1 => Just(Style::new().fg(Color::Indexed(44)).add_modifier(Modifier::UNDERLINED)),
    ]
}

type Piece = (u16, u16, String, Style);

fn piece(size: Size) -> impl Strategy<Value = Piece> {
    let text = prop_oneof![3 => "[a-c ]{0,20}", 1 => "[é東京a ]{0,8}", 1 => " {12,40}"];
    (0..size.width, 0..size.height, text, style())
}

/// Screens small enough for everything to collide, and one wide and tall enough for every kind of move.
fn frames() -> impl Strategy<Value = (Size, Vec<Vec<Piece>>)> {
    let size = prop_oneof![3 => Just(SIZE), 1 => Just(Size::new(130, 14)), 1 => Just(Size::new(1, 3))];
    size.prop_flat_map(|size| (Just(size), prop::collection::vec(prop::collection::vec(piece(size), 0..8), 1..5)))
}

proptest! {
    /// Whatever is drawn after whatever was there, the terminal shows exactly the canvas.
    #[test]
    fn the_terminal_shows_the_canvas((size, frames) in frames()) {
        let mut writer = FrameWriter::new(size);
        let mut parser = vt100::Parser::new(size.height, size.width, 0);
        parser.process(b"what was there before");
        for pieces in frames {
            let mut want = Buffer::empty(Rect::new(0, 0, size.width, size.height));
            let draw = |buffer: &mut Buffer| {
                for (x, y, text, style) in &pieces {
                    // vt100 takes a letter to be either bold or dim, so styles replace each other
                    let style = Style::reset().patch(*style);
                    buffer.set_stringn(*x, *y, text, usize::from(size.width - x), style);
                }
            };
            draw(&mut want);
            let bytes = frame(&mut writer, draw);
            parser.process(&bytes);
            assert_shows(&parser, &want);
        }
    }
}
