//! Texts made to fool a terminal or its reader, put together from small tables.

use std::collections::BTreeSet;

/// What begins a string that a terminal takes for itself, in 7 and in 8 bits.
const STRINGS: [(&[u8], u8); 5] = [(b"\x1b]", 0x9d), (b"\x1bP", 0x90), (b"\x1b_", 0x9f), (b"\x1b^", 0x9e), (b"\x1bX", 0x98)];

/// What ends it; the last leaves it open.
const ENDS: [&[u8]; 5] = [b"\x07", b"\x1b\\", b"\xc2\x9c", b"\x9c", b""];

/// What stands in such strings: titles, folder, links, colours, clipboard written and read, notices, shell marks, requests
/// for settings and capabilities, a picture.
const BODIES: [&[u8]; 16] = [
    b"0;title",
    b"1;icon",
    b"2;title",
    b"4;1;rgb:ff/00/00",
    b"7;file:///etc",
    b"8;;http://evil.example",
    b"9;notice",
    b"10;?",
    b"52;c;cm0gLXJm",
    b"52;c;?",
    b"133;A",
    b"777;notify;a;b",
    b"1337;File=inline=1:AAAA",
    b"$qm",
    b"+q544e",
    b"q#0;2;0;0;0~",
];

/// Control sequences after their introducer: cursor, erasing, scrolling, modes, reports that the terminal would type,
/// window and title reports, colours, resets.
const CONTROLS: [&[u8]; 38] = [
    b"2J",
    b"3J",
    b"H",
    b"1;1H",
    b"999;999H",
    b"A",
    b"99B",
    b"C",
    b"99D",
    b"K",
    b"1K",
    b"5X",
    b"3L",
    b"3M",
    b"4P",
    b"4@",
    b"5S",
    b"5T",
    b"1;5r",
    b"?1049l",
    b"?1049h",
    b"?25h",
    b"?7h",
    b"?2004l",
    b"?1000h",
    b"?2026h",
    b">1u",
    b"6n",
    b"c",
    b">c",
    b"21t",
    b"20t",
    b"22t",
    b"31m",
    b"8m",
    b"!p",
    b"5i",
    b"20l",
];

/// Other escape sequences: reset, saved cursor, character sets, keypad, shifts, alignment test.
const ESCAPES: [&[u8]; 16] = [
    b"\x1bc", b"\x1b7", b"\x1b8", b"\x1b(0", b"\x1b)0", b"\x1b=", b"\x1b>", b"\x1bN", b"\x1bO", b"\x1bn", b"\x1bo", b"\x1bD",
    b"\x1bE", b"\x1bM", b"\x1b#8", b"\x1b%@",
];

/// Characters that turn the order of others round, are drawn as nothing, or are no characters.
pub const UNSEEN: [char; 52] = [
    '\u{00ad}',
    '\u{034f}',
    '\u{061c}',
    '\u{115f}',
    '\u{1160}',
    '\u{17b4}',
    '\u{17b5}',
    '\u{180b}',
    '\u{180e}',
    '\u{200b}',
    '\u{200c}',
    '\u{200d}',
    '\u{200e}',
    '\u{200f}',
    '\u{2028}',
    '\u{2029}',
    '\u{202a}',
    '\u{202b}',
    '\u{202c}',
    '\u{202d}',
    '\u{202e}',
    '\u{2060}',
    '\u{2061}',
    '\u{2064}',
    '\u{2066}',
    '\u{2067}',
    '\u{2068}',
    '\u{2069}',
    '\u{206a}',
    '\u{206f}',
    '\u{2800}',
    '\u{3164}',
    '\u{e000}',
    '\u{f8ff}',
    '\u{fdd0}',
    '\u{fe00}',
    '\u{fe0e}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{ffa0}',
    '\u{fff0}',
    '\u{fff9}',
    '\u{fffb}',
    '\u{fffe}',
    '\u{1bca0}',
    '\u{1d173}',
    '\u{e0001}',
    '\u{e0041}',
    '\u{e007f}',
    '\u{e0100}',
    '\u{f0000}',
    '\u{10ffff}',
];

/// What writes over what stood before, breaks columns, or is not UTF-8.
const ODD: [&[u8]; 24] = [
    b"evil\rgood",
    b"evil\x08\x08\x08\x08good",
    b"one\ntwo",
    b"one\r\ntwo",
    b"\t\t\t",
    b"\x0b\x0c",
    b"\xff",
    b"\xfe\xff",
    b"\xc0\xaf",
    b"\xc0\x9b[2J",
    b"\xe0\x80\x9b[2J",
    b"\xed\xa0\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xf4\x90\x80\x80",
    b"\xc2",
    b"\xe2\x80",
    b"\x1b\x1b[2J",
    b"\x1b[\x1b[2J",
    b"\x1b[3\x1b[0m1m",
    b"\x1b\x1b[0m[2J",
    b"\x1b[0m\x1b]0;\x1b[0mt\x07",
    b"\x18\x1a",
    b"^[[2J",
    b"\\x1b[2J",
];

/// Marks without a letter, far too many of them, and characters wider than one column.
const HEAPS: [(&str, usize); 13] = [
    ("\u{301}", 1),
    ("\u{301}", 5),
    ("\u{301}", 300),
    ("\u{489}", 40),
    ("\u{20dd}", 9),
    ("\u{1161}", 50),
    ("\u{e31}", 30),
    ("東", 30),
    ("\u{1f469}\u{200d}\u{1f4bb}", 3),
    ("\u{fdfd}", 2),
    ("\u{1f3fb}", 2),
    ("\u{1f1e9}", 3),
    ("\u{644}\u{627}", 2),
];

/// All payloads, each between two letters, and no two alike. As bytes: some are not UTF-8.
pub fn payloads() -> Vec<Vec<u8>> {
    let mut all = BTreeSet::new();
    let mut put = |parts: &[&[u8]]| {
        all.insert([b"a".as_slice(), &parts.concat(), b"b"].concat());
    };
    for code in (0..=0x1f).chain([0x7f]) {
        put(&[&[code]]);
    }
    for code in 0x80..=0x9f_u8 {
        put(&[&[code]]);
        put(&[&[0xc2, code]]);
    }
    for control in CONTROLS {
        put(&[b"\x1b[", control]);
        put(&[b"\xc2\x9b", control]);
        put(&[b"\x9b", control]);
    }
    for escape in ESCAPES {
        put(&[escape]);
    }
    for (n, body) in BODIES.iter().enumerate() {
        let (seven, eight) = STRINGS[if n < 13 { 0 } else { 1 }];
        for end in ENDS {
            put(&[seven, body, end]);
            put(&[&[0xc2, eight], body, end]);
        }
        put(&[&[eight], body, b"\x9c"]);
        // one within the other: what ends the inner one must not end the outer
        put(&[b"\x1b]0;", seven, body, b"\x07\x1b\\"]);
        put(&[seven, body, b"\x1b[2J\x07"]);
    }
    for (seven, eight) in STRINGS {
        for end in ENDS {
            put(&[seven, b"x", end]);
            put(&[&[0xc2, eight], b"x", end]);
        }
    }
    for whole in
        [b"\x1b]52;c;cm0gLXJm\x07".as_slice(), b"\x1b[38;2;1;2;3m", b"\x1bP$qm\x1b\\", b"\xf0\x9f\x91\xa9", b"\xc2\x9d0;t\xc2\x9c"]
    {
        for end in 1..whole.len() {
            put(&[&whole[..end]]);
        }
    }
    for c in UNSEEN {
        put(&[c.encode_utf8(&mut [0; 4]).as_bytes()]);
    }
    put(&["\u{202e}gpj.\u{202c}".as_bytes()]);
    put(&["\u{2067}1\u{2069}/\u{2066}2".as_bytes()]);
    for odd in ODD {
        put(&[odd]);
    }
    for (what, times) in HEAPS {
        put(&[what.repeat(times).as_bytes()]);
    }
    all.into_iter().collect()
}

/// The payloads as text, as a decoder that replaces what is no UTF-8 would hand them on.
pub fn texts() -> Vec<String> {
    let all: BTreeSet<String> = payloads().iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    all.into_iter().collect()
}

#[test]
fn there_are_many_of_them() {
    let (bytes, texts) = (payloads().len(), texts().len());
    println!("{bytes} payloads, {texts} as text");
    assert!(bytes >= 400 && texts >= 400, "{bytes} {texts}");
}
