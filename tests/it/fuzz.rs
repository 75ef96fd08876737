//! The entries of the fuzz targets on generated input: bytes of any sort, and words of each format in any order. How many
//! cases says `PROPTEST_CASES`.

#[path = "../fuzz/entries.rs"]
mod entries;

use proptest::prelude::*;
use proptest::sample::select;
use quarterdeck::backend::kubernetes::{Pipeline, encode};

/// Bytes: any, and these words in any order with any bytes between them.
fn bytes(words: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    let word = select(words).prop_map(<[u8]>::to_vec);
    let piece = prop_oneof![6 => word, 1 => prop::collection::vec(any::<u8>(), 0..4), 1 => any::<char>().prop_map(|c| c.to_string().into_bytes())];
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..400),
        4 => prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat()),
    ]
}

const ESCAPES: &[&[u8]] = &[
    b"\x1b[",
    b"\x1b]52;c;",
    b"\x1b[31m",
    b"0;t",
    b"\x07",
    b"\x1b\\",
    b"\xc2\x9b",
    b"a",
    b" ",
    b"\n",
    b"\xe2\x80\xae",
    b"\xcc\x81",
    b"\xe2\x80\x8d",
    b"\xe1\x85\xa1",
    b"\xe1\x84\x80",
    b"\xf0\x9f\x91\xa9",
    b"\xf0\x9f\x87\xa9",
    b"\xd9\x84",
    b"\xd8\xa7",
    b"\xef\xb8\x8f",
];
const FRAMES: &[&[u8]] = &[
    b"\x01\0\0\0\0\0\0\x05",
    b"\x02\0\0\0\0\0\0\x20",
    b"\x01\0\0\0\0\0\0\0",
    b"\0\0\0\0\0\0\0\x03",
    b"\x03\0\0\0\0\0\0\x02",
    b"2026-01-01T00:00:00.5Z ",
    b"2026-01-01T00:00:00Z",
    b"\r\n",
    b"\n",
    b"hello",
    b"\x1b[31mred\x1b[0m",
    b"\xff",
    b"x",
];
const WATCH: &[&[u8]] = &[
    br#"{"type":"MODIFIED","object":"#,
    br#"{"type":"BOOKMARK","object":"#,
    br#"{"type":"ERROR","object":{"code":410}}"#,
    br#"{"metadata":{"name":"w","uid":"u","#,
    br#""labels":{"a":"b"}"#,
    br#""ownerReferences":[{}]"#,
    br#""spec":{"containers":[{"name":"c","image":"i"}]}"#,
    br#""status":{"phase":"Running""#,
    br#""containerStatuses":[{"restartCount":-1}]"#,
    br#"{"items":["#,
    b"{",
    b"}",
    b"]",
    b",",
    b"null",
    b"\"\\u001b[2J\"",
    b"\"\\ud800\"",
    b":",
    b"1e999",
];
const PROTOBUF: &[&[u8]] = &[
    b"\x0a\x05ADDED\x12",
    b"\x0a\x08MODIFIED\x12\x20\x0a\x1ek8s\0",
    b"\x12\x20",
    b"\x12\x10\x0a\x0e",
    b"\x0a\x10\x0a\x02ab\x2a\x01u",
    b"\x32\x0217",
    b"\x42\x04\x08\x01\x10\x02",
    b"\x5a\x06\x0a\x01a\x12\x01b",
    b"\x1a\x09\x0a\x07Running",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x80",
    b"\0",
    b"\x09",
    b"\x0d",
    b"\x1b[2J",
];
/// Whole lines and frames, parts of them, and lengths that are not those of what follows.
const STREAM: &[&[u8]] = &[
    b"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"uid\":\"a\",\"resourceVersion\":\"7\"}}}\n",
    b"{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"b\",\"uid\":\"b\",\"resourceVersion\":\"5\"}}}\n",
    br#"{"type":"MODIFIED","object":"#,
    br#"{"metadata":{"name":"c"}}}"#,
    b"\n",
    b"\r\n",
    b"\0\0\0\x10\x0a\x05ADDED\x12\x07\x0a\x05k8s\0\x12",
    b"\0\0\0\x09\x0a\x05ADDED\x12\0",
    b"\0\0\0\0",
    b"\0\0\0\x03",
    b"\0\0\x01\0",
    b"\xff\xff\xff\xff",
    b"\0",
];
const FILTER: &[&[u8]] = &[
    b"web",
    b"!job",
    b"!",
    b" ",
    b"\n",
    b"\t",
    "İ".as_bytes(),
    "ß".as_bytes(),
    "ẞ".as_bytes(),
    "Σς".as_bytes(),
    b"shop/web",
    b"\xcc\x87",
    b"JOB",
    b"web shop\nshop/web",
];
const KUBECONFIG: &[&[u8]] = &[
    b"contexts: [{name: a, context: {cluster: c, user: u}}]\n",
    b"clusters: [{name: c, cluster: {server: 'https://me:hunter2@h:1'}}]\n",
    b"clusters: [{name: c, cluster: {server: 'https://me:a/hunter2@h'}}]\n",
    b"users: [{name: u, user: {token: x}}]\n",
    b"current-context: a\n",
    b"&a [*a, *a]\n",
    b"- ",
    b"  ",
    b"{",
    b"}",
    b"!!binary x\n",
    b"---\n",
    b"\t",
    b"? ",
    b"|\n",
    b"\"\\x1b\"",
    b"~\n",
    b"<<: *a\n",
];
const KEYMAP: &[&[u8]] = &[
    b"[global]\n",
    b"[list]\n",
    b"[nowhere]\n",
    b"inherits = \"default\"\n",
    b"inherits = \"mine\"\n",
    b"quit = \"q\"\n",
    b"\"quit\" = [\"ctrl-q\", \"g g\"]\n",
    b"help = []\n",
    b"quit = \"hyper-\x1b\"\n",
    b"up = 3\n",
    b"open = [1]\n",
    b"\"",
    b"=",
    b"[",
    b"]",
    b"\n",
    "é".as_bytes(),
    b"#",
    b"''' ",
    b"ctrl-",
    b"g g g g",
];

proptest! {
    // a failure prints its smallest input
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sanitiser(data in bytes(ESCAPES)) {
        entries::sanitiser(&data);
    }

    #[test]
    fn docker_log(data in bytes(FRAMES)) {
        entries::docker_log(&data);
    }

    #[test]
    fn pod_log(data in bytes(FRAMES)) {
        entries::pod_log(&data);
    }

    #[test]
    fn watch(data in bytes(WATCH)) {
        entries::watch(&data);
    }

    #[test]
    fn protobuf(data in bytes(PROTOBUF)) {
        entries::protobuf(&data);
    }

    #[test]
    fn stream(data in bytes(STREAM)) {
        entries::stream(&data);
    }

    #[test]
    fn filter(data in bytes(FILTER)) {
        entries::filter(&data);
    }

    #[test]
    fn keymap(data in bytes(KEYMAP)) {
        entries::keymap(&data);
    }

    #[test]
    fn kubeconfig(data in bytes(KUBECONFIG)) {
        let folder = tempfile::tempdir().unwrap();
        entries::kubeconfig(&data, folder.path());
    }
}

/// A real pod with any bytes in place of any of its own, and cut anywhere.
#[test]
fn a_pod_is_read_whatever_is_wrong_with_it() {
    let whole = include_str!("../bench/recorded/pod.json").trim();
    let line = format!(r#"{{"type":"MODIFIED","object":{whole}}}"#).into_bytes();
    for (n, at) in (0..line.len()).step_by(7).enumerate() {
        entries::watch(&line[..at]);
        let mut odd = line.clone();
        odd[at] = [b'"', b'{', b'0', 0x1b, 0xff, b',', b'\\'][n % 7];
        entries::watch(&odd);
    }
}

/// The same in Protocol Buffers.
#[test]
fn a_pod_in_protocol_buffers_is_read_whatever_is_wrong_with_it() {
    let whole = include_str!("../bench/recorded/pod.json").trim();
    let pod: serde_json::Value = serde_json::from_str(whole).unwrap();
    let (path, line) = ("/api/v1/pods", serde_json::json!({ "type": "MODIFIED", "object": pod }));
    let frame = encode::frame(path, &line).unwrap().split_off(4);
    let page = encode::page(path, &serde_json::json!({ "items": [pod] })).unwrap().split_off(4);
    for whole in [frame, page] {
        for at in 0..whole.len() {
            entries::protobuf(&whole[..at]);
            for bit in 0..8 {
                let mut odd = whole.clone();
                odd[at] ^= 1 << bit;
                entries::protobuf(&odd);
            }
        }
    }
}

/// A watch of real pods, cut in many places and in pieces of many sizes: the length of a frame and the end of a line are cut,
/// too.
#[test]
fn a_watch_of_pods_is_the_same_in_pieces_of_any_size() {
    let whole = include_str!("../bench/recorded/pod.json").trim();
    let pod: serde_json::Value = serde_json::from_str(whole).unwrap();
    let lines = ["ADDED", "MODIFIED", "DELETED"].map(|word| serde_json::json!({ "type": word, "object": pod }));
    let json: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
    let frames: Vec<u8> = lines.iter().flat_map(|line| encode::frame("/api/v1/pods", line).unwrap()).collect();
    for (protobuf, whole) in [(false, json), (true, frames)] {
        let hear = |size| Pipeline::default().watch(protobuf, whole.chunks(size));
        let (told, said) = hear(whole.len());
        assert_eq!((told.len(), &said), (3, &Ok(())));
        for size in (1..40).chain((40..whole.len()).step_by(61)) {
            assert_eq!(hear(size), (told.clone(), Ok(())), "in pieces of {size}");
        }
        for at in (0..whole.len()).step_by(97) {
            entries::stream(&whole[..at]);
        }
    }
}

/// A real kubeconfig likewise, with a password in an address.
#[test]
fn a_kubeconfig_is_read_whatever_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let whole =
        b"apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters:\n- name: c\n  cluster: {server: 'https://me:hunter2@h:1'}\n\
        contexts:\n- name: a\n  context: {cluster: c, user: u}\nusers:\n- name: u\n  user: {token: x}\n";
    entries::kubeconfig(whole, folder.path());
    for at in 0..whole.len() {
        entries::kubeconfig(&whole[..at], folder.path());
        let mut odd = whole.to_vec();
        odd[at] = [b'"', b'{', b'0', 0x1b, 0xff, b':', b'\n'][at % 7];
        entries::kubeconfig(&odd, folder.path());
    }
    // as Windows writes it
    let text = String::from_utf8_lossy(whole).into_owned();
    let wide: Vec<u8> = std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    for at in 0..=wide.len() {
        entries::kubeconfig(&wide[..at], folder.path());
    }
}
