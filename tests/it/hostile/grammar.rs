//! What the program may send to a terminal, whole: everything else is a violation.
//!
//! ```text
//! frame   = { sequence | move | text }
//! move    = LF | CR | BS
//! text    = any character but those of `forbidden`, at most MARKS without a width in a row
//! session = ESC "[" "?" ( 1049 | 2004 | 7 | 25 | 2026 ) ( "h" | "l" )        a frame has 25 and 2026 alone
//! sequence= session | ESC "[" [ n ";" n ] "H" | ESC "[2J" | ESC "[K" | ESC "[" n "X" | ESC "[" [ n ] ( "C" | "D" )
//!         | ESC "[" [ n { ( ";" | ":" ) n } ] "m"
//! copy    = ESC "]52;c;" base64 ( BEL | ESC "\" )
//! ```

/// Characters without a width that may follow each other.
const MARKS: usize = 4;

/// What no terminal and no reader may get. A table of its own, so that the program's is held against it.
pub fn forbidden(c: char) -> bool {
    let code = c as u32;
    let ranges: [(u32, u32); 32] = [
        (0, 0x1f),
        (0x7f, 0x9f),
        (0xad, 0xad),
        (0x34f, 0x34f),
        (0x61c, 0x61c),
        (0x115f, 0x1160),
        (0x17b4, 0x17b5),
        (0x180b, 0x180f),
        (0x200b, 0x200f),
        (0x2028, 0x202e),
        (0x2060, 0x206f),
        (0x2800, 0x2800),
        (0x3164, 0x3164),
        (0xe000, 0xf8ff),
        (0xfdd0, 0xfdef),
        (0xfe00, 0xfe0f),
        (0xfeff, 0xfeff),
        (0xffa0, 0xffa0),
        (0xfff0, 0xfffb),
        (0xfffe, 0xffff),
        (0x1bca0, 0x1bca3),
        (0x1d173, 0x1d17a),
        (0x1fffe, 0x1ffff),
        (0x2fffe, 0x2ffff),
        (0x3fffe, 0x3ffff),
        (0x4fffe, 0x4ffff),
        (0xdfffe, 0xdffff),
        (0xe0000, 0xe0fff),
        (0xefffe, 0xeffff),
        (0xf0000, 0x10ffff),
        (0xd800, 0xdfff),
        (0x110000, u32::MAX),
    ];
    ranges.iter().any(|(from, to)| (*from..=*to).contains(&code))
}

/// What is wrong with the text, if anything is.
pub fn text_fault(text: &str) -> Option<String> {
    let mut marks = 0;
    for c in text.chars() {
        if forbidden(c) {
            return Some(format!("U+{:04X} in {text:?}", c as u32));
        }
        let unseen = unicode_width::UnicodeWidthChar::width(c) == Some(0);
        marks = if unseen { marks + 1 } else { 0 };
        if marks > MARKS {
            return Some(format!("{marks} marks on one letter"));
        }
    }
    None
}

/// The first violation in what was sent between taking the terminal and giving it back; with `modes`, from and to there,
/// and with copies.
pub fn fault(bytes: &[u8], modes: bool) -> Option<String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Some("it is not UTF-8".to_owned()) };
    let mut rest = text;
    while !rest.is_empty() {
        rest = if let Some(after) = rest.strip_prefix(['\n', '\r', '\x08']) {
            after
        } else if let Some(after) = rest.strip_prefix("\x1b[") {
            let end = after.find(|c: char| !matches!(c, '0'..='9' | ';' | ':' | '?'));
            let Some((params, end)) = end.map(|end| after.split_at(end)) else { return Some(format!("{after:?} has no end")) };
            let last = &end[..1];
            if !sequence(params, last, modes) {
                return Some(format!("ESC [ {params} {last}"));
            }
            &end[1..]
        } else if modes && rest.starts_with("\x1b]52;c;") {
            let end = rest.find("\x1b\\").map_or(rest.len(), |end| end + 2);
            let (copy, after) = rest.split_at(rest.find('\x07').map_or(end, |bell| end.min(bell + 1)));
            if copied(copy.as_bytes()).is_none() {
                return Some(format!("{copy:?} is no copy"));
            }
            after
        } else if rest.starts_with('\x1b') {
            return Some(format!("{:?}", rest.chars().take(12).collect::<String>()));
        } else {
            let end = rest.find(|c: char| c.is_control() && c as u32 <= 0x1f).unwrap_or(rest.len());
            let (text, after) = rest.split_at(end);
            if let Some(fault) = text_fault(text) {
                return Some(fault);
            }
            if text.is_empty() {
                return Some(format!("{:?}", rest.chars().next().unwrap()));
            }
            after
        };
    }
    None
}

fn sequence(params: &str, last: &str, modes: bool) -> bool {
    let number = |text: &str| !text.is_empty() && text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit());
    match last {
        "H" => params.is_empty() || params.split_once(';').is_some_and(|(y, x)| number(y) && number(x)),
        "J" => params == "2",
        "K" => params.is_empty(),
        "X" => number(params),
        "C" | "D" => params.is_empty() || number(params),
        "m" => params.is_empty() || params.split([';', ':']).all(number),
        "h" | "l" => match params.strip_prefix('?') {
            Some("25" | "2026") => true,
            Some("1049" | "2004" | "7") => modes,
            _ => false,
        },
        _ => false,
    }
}

/// What a copy puts on the clipboard; none if the sequence is not exactly that.
pub fn copied(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?.strip_prefix("\x1b]52;c;")?;
    let body = text.strip_suffix("\x1b\\").or_else(|| text.strip_suffix('\x07'))?;
    let digit = |b: u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".iter().position(|d| *d == b);
    let mut bits = 0_u32;
    let mut held = 0;
    let mut out = Vec::new();
    for b in body.trim_end_matches('=').bytes() {
        bits = bits << 6 | u32::try_from(digit(b)?).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held & 0xff) as u8);
        }
    }
    String::from_utf8(out).ok()
}

#[test]
fn the_grammar_takes_frames_and_nothing_else() {
    for right in [
        "",
        "plain é 東",
        "\x1b[?2026h\x1b[?25l\x1b[m\x1b[H\x1b[2Jx\x1b[0;38;5;203;48;2;1;2;3my\x1b[5X\x1b[C\r\n\x1b[3;4H\x1b[K\x1b[?25h",
    ] {
        assert_eq!(fault(right.as_bytes(), false), None, "{right:?}");
    }
    for wrong in super::payloads::payloads() {
        // what is harmless as it stands: wide characters, few marks, words that only look like a sequence, our own moves
        let text = String::from_utf8_lossy(&wrong).into_owned();
        let harmless = text_fault(&text).is_none() || text.chars().any(|c| matches!(c, '\n' | '\r' | '\x08' | '\x1b'));
        assert!(harmless || fault(&wrong, false).is_some(), "{text:?} passed");
    }
    for wrong in
        ["\x1b[3J", "\x1b[?1049l", "\x1b]0;t\x07", "\x1bc", "\x1b[6n", "\x1b[", "\u{9b}2J", "\x07", "a\u{202e}b", "\x1b[?1000h"]
    {
        assert!(fault(wrong.as_bytes(), false).is_some(), "{wrong:?} passed");
    }
    assert_eq!(copied(b"\x1b]52;c;cHJvZA==\x1b\\").as_deref(), Some("prod"));
    assert_eq!(copied(b"\x1b]52;c;?\x07"), None);
}
