//! Makes text from clusters safe to show: no control characters, escape sequences, bidi overrides or invisible characters
//! reach the screen. Nothing is dropped without a trace: each hostile character becomes a visible stand-in.

use std::borrow::Cow;
use std::fmt::Write;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Marks that may stand on one letter; no script needs more, and a pile of them runs over the rows above and below.
const MARKS: usize = 4;

/// Whether `c` must not reach the screen as it is: C0, DEL, C1, bidi controls, line and paragraph separators, private use,
/// noncharacters, and all that is drawn as nothing (Unicode's `Default_Ignorable_Code_Point`, the blank Braille pattern).
pub fn hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
            | '\u{f0000}'..='\u{10ffff}')
        || c as u32 & 0xfffe == 0xfffe
}

/// Whether `c` is drawn on the letter before it.
fn mark(c: char) -> bool {
    c.width() == Some(0)
}

/// `raw` with every hostile character made visible: tab and newline as a space, other C0 in caret notation
/// (`^[`), the rest as `<U+202E>`, and so marks that stand on nothing or on too many others. Borrowed when there was nothing
/// to do, which is nearly always.
pub fn clean(raw: &str) -> Cow<'_, str> {
    if raw.bytes().all(|b| (0x20..0x7f).contains(&b)) || !raw.chars().any(|c| hostile(c) || mark(c)) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len() + 8);
    for letter in raw.graphemes(true) {
        let unseen = letter.width() == 0;
        // how many marks there is still room for
        let mut room = 0;
        for c in letter.chars() {
            let bare = mark(c) && (unseen || room == 0);
            // a line may be broken at a space, which leaves its marks behind
            room = match c {
                c if hostile(c) || bare || c.is_whitespace() => 0,
                c if mark(c) => room - 1,
                _ => MARKS,
            };
            match c {
                '\t' | '\n' | '\r' => out.push(' '),
                c if c.is_ascii_control() => {
                    out.push('^');
                    out.push(char::from((c as u8) ^ 0x40));
                }
                c if hostile(c) || bare => {
                    // writing to a String cannot fail
                    let _ = write!(out, "<U+{:04X}>", c as u32);
                }
                c => out.push(c),
            }
        }
    }
    Cow::Owned(out)
}

/// JSON that says the same and may be shown: what must not reach the screen is escaped (`\u202e`). It can only stand in a
/// string there, so that nothing has to be read; line feeds between values stay.
pub fn json(text: &str) -> Cow<'_, str> {
    // between two values a carriage return or tab may stand for a blank
    let blank = |c: char| matches!(c, '\r' | '\t');
    let bad = |c: char| hostile(c) && c != '\n';
    if !text.chars().any(bad) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if blank(c) {
            out.push(' ');
        } else if bad(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // writing to a String cannot fail
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// `raw` without the escape sequences that colour text (CSI … `m`), for logs: programs that log to a terminal put them
/// round nearly every word. All other sequences stay, for [`clean`] to make visible. ECMA-48, section 8.3.117.
pub fn strip_sgr(raw: &str) -> Cow<'_, str> {
    if !raw.contains("\u{1b}[") {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find("\u{1b}[") {
        let (head, sequence) = rest.split_at(at);
        out.push_str(head);
        let end = sequence.char_indices().skip(2).find(|(_, c)| !matches!(c, '0'..='9' | ';' | ':'));
        rest = match end {
            Some((end, 'm')) => &sequence[end + 1..],
            _ => {
                out.push_str(&sequence[..2]);
                &sequence[2..]
            }
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_says_the_same_in_characters_that_are_only_shown() {
        assert!(matches!(json("{\"a\": \"東京\"}\n"), Cow::Borrowed(_)));
        let shown = json("{\"a\u{9b}2J\":\t\"\u{202e}b\u{e0001}\"}\r\n");
        assert_eq!(shown, "{\"a\\u009b2J\": \"\\u202eb\\udb40\\udc01\"} \n");
    }

    #[test]
    fn hostile_text_becomes_visible_and_plain_text_is_borrowed() {
        assert!(matches!(clean("checkout-7d9f"), Cow::Borrowed(_)));
        assert!(matches!(clean("Zürich 東京"), Cow::Borrowed(_)));
        assert_eq!(clean("\u{1b}[2Jx\u{7f}"), "^[[2Jx^?");
        assert_eq!(clean("a\u{202e}b\u{200b}c\u{9b}d"), "a<U+202E>b<U+200B>c<U+009B>d");
        assert_eq!(clean("two\nlines\there"), "two lines here");
        assert_eq!(clean("x\u{034f}\u{3164}\u{fffe}"), "x<U+034F><U+3164><U+FFFE>");
    }

    #[test]
    fn marks_stand_on_letters_and_are_few() {
        assert_eq!(clean("e\u{301}\u{302}"), "e\u{301}\u{302}");
        assert_eq!(clean("\u{301}prod \u{302}eu"), "<U+0301>prod <U+0302>eu");
        assert_eq!(clean("a\u{200b}\u{301}"), "a<U+200B><U+0301>");
        let bomb = format!("a{}b", "\u{301}".repeat(6));
        assert_eq!(clean(&bomb), format!("a{}<U+0301><U+0301>b", "\u{301}".repeat(4)));
        assert_eq!(clean(&clean(&bomb)), clean(&bomb));
    }

    #[test]
    fn colours_are_taken_out_and_other_sequences_stay_visible() {
        assert_eq!(strip_sgr("\u{1b}[1;31mERROR\u{1b}[0m x\u{1b}[m"), "ERROR x");
        assert_eq!(strip_sgr("\u{1b}[38:2::1:2:3mé\u{1b}[2Jy\u{1b}[3"), "é\u{1b}[2Jy\u{1b}[3");
        assert!(matches!(strip_sgr("plain"), Cow::Borrowed(_)));
    }
}
