//! Makes text from clusters safe to show: no control characters, escape sequences, bidi overrides or invisible characters
//! reach the screen. Nothing is dropped without a trace: each hostile character becomes a visible stand-in.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether `c` must not reach the screen as it is: C0, DEL, C1, bidi controls, zero-width and tag characters,
/// line and paragraph separators, private use.
pub fn hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}

/// `raw` with every hostile character made visible: tab and newline as a space, other C0 in caret notation
/// (`^[`), the rest as `<U+202E>`. Borrowed when there was nothing to do, which is nearly always.
pub fn clean(raw: &str) -> Cow<'_, str> {
    if raw.bytes().all(|b| (0x20..0x7f).contains(&b)) || !raw.chars().any(hostile) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len() + 8);
    for c in raw.chars() {
        match c {
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_ascii_control() => {
                out.push('^');
                out.push(char::from((c as u8) ^ 0x40));
            }
            c if hostile(c) => {
                // writing to a String cannot fail
                let _ = write!(out, "<U+{:04X}>", c as u32);
            }
            c => out.push(c),
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
    fn hostile_text_becomes_visible_and_plain_text_is_borrowed() {
        assert!(matches!(clean("checkout-7d9f"), Cow::Borrowed(_)));
        assert!(matches!(clean("Zürich 東京"), Cow::Borrowed(_)));
        assert_eq!(clean("\u{1b}[2Jx\u{7f}"), "^[[2Jx^?");
        assert_eq!(clean("a\u{202e}b\u{200b}c\u{9b}d"), "a<U+202E>b<U+200B>c<U+009B>d");
        assert_eq!(clean("two\nlines\there"), "two lines here");
    }

    #[test]
    fn colours_are_taken_out_and_other_sequences_stay_visible() {
        assert_eq!(strip_sgr("\u{1b}[1;31mERROR\u{1b}[0m x\u{1b}[m"), "ERROR x");
        assert_eq!(strip_sgr("\u{1b}[38:2::1:2:3mé\u{1b}[2Jy\u{1b}[3"), "é\u{1b}[2Jy\u{1b}[3");
        assert!(matches!(strip_sgr("plain"), Cow::Borrowed(_)));
    }
}
