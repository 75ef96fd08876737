//! How wide text is on a terminal, and how to shorten it to a width without lying about what it is.

use std::borrow::Cow;
use std::fmt::{self, Write};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns that `text` takes on the terminal: the sum over its letters, as each is drawn by itself. As a whole it can be
/// less (Arabic lam and alef count as one).
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    singles(text).unwrap_or_else(|| text.graphemes(true).map(UnicodeWidthStr::width).sum())
}

/// How many characters `text` has, if each of them is a letter by itself and one column wide. Nearly all that is shown is
/// of such: plain text, and the signs that graphs, bars and states are drawn with. Nothing in it has to be taken apart.
pub fn singles(text: &str) -> Option<usize> {
    text.chars().try_fold(0, |count, letter| is_single(letter).then_some(count + 1))
}

fn is_single(letter: char) -> bool {
    matches!(letter, ' '..='~' | '·' | '–' | '—' | '…' | '←'..='⇿' | '─'..='◼' | '✖' | '⠀'..='⣿')
}

/// Columns of what is written piece by piece, where no letter is cut in two.
pub fn written(what: impl fmt::Display) -> usize {
    struct Columns(usize);
    impl fmt::Write for Columns {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += width(text);
            Ok(())
        }
    }
    let mut columns = Columns(0);
    // nothing that counts can fail
    let _ = write!(columns, "{what}");
    columns.0
}

/// `text` in at most `max` columns, elided in the middle (`checkout-7d9…-x2x9k`): both ends of a generated name matter.
pub fn elide_middle(text: &str, max: usize) -> Cow<'_, str> {
    if width(text) <= max {
        return Cow::Borrowed(text);
    }
    if max == 0 {
        return Cow::Borrowed("");
    }
    let tail_room = (max - 1) / 2;
    let tail = take_columns(text.graphemes(true).rev(), tail_room).rev().collect::<String>();
    let head_room = max - 1 - width(&tail);
    let head = take_columns(text.graphemes(true), head_room).collect::<String>();
    Cow::Owned(format!("{head}…{tail}"))
}

/// `text` in at most `max` columns, cut at the end with `…`: for sentences, whose beginning matters.
pub fn elide_end(text: &str, max: usize) -> Cow<'_, str> {
    if width(text) <= max {
        return Cow::Borrowed(text);
    }
    if max == 0 {
        return Cow::Borrowed("");
    }
    let head = take_columns(text.graphemes(true), max - 1).collect::<String>();
    Cow::Owned(format!("{head}…"))
}

fn take_columns<'a>(graphemes: impl Iterator<Item = &'a str>, room: usize) -> std::vec::IntoIter<&'a str> {
    let mut used = 0;
    let taken: Vec<&str> = graphemes
        .take_while(|g| {
            used += width(g);
            used <= room
        })
        .collect();
    taken.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_letters_are_one_column_wide_and_are_not_joined() {
        let all: Vec<char> = (0..=0x2_ffff).filter_map(char::from_u32).filter(|letter| is_single(*letter)).collect();
        for letter in &all {
            assert_eq!(letter.to_string().width(), 1, "{letter:?}");
        }
        for other in [all[0], '…', '⣿', '↔', '◼'] {
            let text: String = all.iter().flat_map(|letter| [*letter, other]).collect();
            assert_eq!(text.graphemes(true).count(), all.len() * 2, "{other:?}");
        }
    }

    #[test]
    fn elided_text_fits_and_keeps_both_ends() {
        for max in 0..30 {
            for text in ["checkout-7d9f8b6c5-x2x9k", "東京-大阪-名古屋", "a"] {
                assert!(width(&elide_middle(text, max)) <= max);
                assert!(width(&elide_end(text, max)) <= max);
            }
        }
        assert_eq!((width("\u{644}\u{627}"), width("e\u{301}"), width("東")), (2, 1, 2));
        assert_eq!((singles("a…▁⣿"), singles("e\u{301}"), singles("東")), (Some(4), None, None));
        assert_eq!(elide_middle("abcdefghij", 5), "ab…ij");
        assert_eq!(elide_end("abcdefghij", 5), "abcd…");
    }
}
