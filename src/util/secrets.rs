//! What a server said, without credentials. Servers, proxies and credential plugins repeat in their errors what they
//! were sent.

use std::borrow::Cow;
use std::ops::Range;

/// What stands for what was taken out.
const MASK: &str = "(masked)";
/// Names of values that are nobody's business, in small letters.
const NAMES: [&str; 8] = ["password", "passwd", "secret", "token", "apikey", "api_key", "api-key", "authorization"];
/// Schemes of HTTP authorization, which may be read; what follows them may not.
const SCHEMES: [&str; 10] =
    ["bearer", "basic", "negotiate", "ntlm", "digest", "apikey", "token", "oauth", "kerberos", "aws4-hmac-sha256"];
/// How an API server begins to say which value it finds wrong.
const INVALID: &str = "Invalid value: ";
/// Fields whose values may be secrets whatever they are called.
const PRIVATE: [&str; 5] = ["env[", "args[", "command[", "data[", ".value"];
/// What stands round a value, or escapes what does.
const QUOTES: [char; 3] = ['"', '\'', '\\'];
/// How ids of keys of a cloud begin. They are as long as this in all.
const KEY_IDS: ([&str; 2], usize) = (["AKIA", "ASIA"], 20);

/// `text` without what looks like a credential: users and passwords in addresses, what authorizes a request, values of
/// names like `password`, keys, and values of variables that an API server found wrong.
pub fn without_secrets(text: &str) -> String {
    let text = mask_each(text, pem);
    let text = mask_each(&text, key_id);
    let text = mask_each(&text, invalid);
    let text = mask_each(&text, in_quotes);
    by_words(&text)
}

/// `text` with each place that `next` finds in what is left of it masked.
fn mask_each(text: &str, next: impl Fn(&str) -> Option<Range<usize>>) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(found) = next(rest) {
        out.push_str(&rest[..found.start]);
        out.push_str(MASK);
        rest = &rest[found.end..];
    }
    out.push_str(rest);
    out
}

/// A key or certificate in the form that begins with `-----BEGIN`. One that was cut has no end.
fn pem(text: &str) -> Option<Range<usize>> {
    const RULE: &str = "-----";
    let start = text.find("-----BEGIN ")?;
    let last = text[start..].find("-----END ").map(|at| start + at + RULE.len());
    let end = last.and_then(|last| Some(last + text[last..].find(RULE)? + RULE.len()));
    Some(start..end.unwrap_or(text.len()))
}

fn key_id(text: &str) -> Option<Range<usize>> {
    let (begins, long) = KEY_IDS;
    let is_key =
        |at: usize| text.get(at..at + long).is_some_and(|key| key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
    let found = begins.iter().flat_map(|begin| text.match_indices(begin)).map(|(at, _)| at).filter(|at| is_key(*at)).min()?;
    Some(found..found + long)
}

/// `…env[0].value: Invalid value: "…"`.
fn invalid(text: &str) -> Option<Range<usize>> {
    text.match_indices(INVALID).find_map(|(at, _)| {
        let field = text[..at].trim_end().rsplit(char::is_whitespace).next().unwrap_or_default();
        let (from, value) = (at + INVALID.len(), &text[at + INVALID.len()..]);
        // what was masked already is no value
        if value.starts_with(MASK) || !PRIVATE.iter().any(|part| field.contains(part)) {
            return None;
        }
        let long = if is_quoted(value) { quoted(value) } else { value.find(": ").unwrap_or(value.len()) };
        Some(from..from + long)
    })
}

/// A value in quotes after a name which says that it is a secret: all of its words.
fn in_quotes(text: &str) -> Option<Range<usize>> {
    let small = text.to_ascii_lowercase();
    let mut from = 0;
    loop {
        from += NAMES.iter().filter_map(|name| Some(small[from..].find(name)? + name.len())).min()?;
        if let Some(value) = value_of(&text[from..]).filter(|value| is_quoted(value)) {
            let start = text.len() - value.len();
            return Some(start..start + quoted(value));
        }
    }
}

/// What follows the rest of a name, the quotes round it, and a `:` or `=`.
fn value_of(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let rest = rest.trim_start_matches(['"', '\'', '\\']).trim_start();
    rest.strip_prefix([':', '=']).map(str::trim_start)
}

fn is_quoted(value: &str) -> bool {
    value.strip_prefix('\\').unwrap_or(value).starts_with(['"', '\''])
}

/// How long what stands in quotes is, with them; all of it where they do not close. The quotes may be escaped themselves.
fn quoted(value: &str) -> usize {
    let outer = usize::from(value.starts_with('\\'));
    let Some(quote) = value[outer..].chars().next() else { return value.len() };
    let mut escapes = 0;
    for (at, c) in value.char_indices().skip(outer + 1) {
        let closes = if outer == 1 { escapes == 1 } else { escapes % 2 == 0 };
        match c {
            c if c == quote && closes => return at + 1,
            '\\' => escapes += 1,
            _ => escapes = 0,
        }
    }
    value.len()
}

/// What a word says of those after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Nothing.
    Plain,
    /// The next one is a secret.
    Secret,
    /// What follows authorizes a request: a scheme and a secret, or only that.
    Authorizes,
    /// More of the same may come, with a `=` in it.
    More,
}

fn by_words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut next = Next::Plain;
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let scheme = matches!(next, Next::Secret | Next::Authorizes) && is_scheme(bare);
        let hidden = match next {
            _ if scheme || bare.is_empty() || bare.starts_with(MASK) => None,
            Next::Secret => Some(if bare.ends_with(',') { Next::More } else { Next::Plain }),
            Next::Authorizes => Some(Next::Secret),
            Next::More if bare.contains('=') => Some(if bare.ends_with(',') { Next::More } else { Next::Plain }),
            Next::More | Next::Plain => None,
        };
        if let Some(after) = hidden {
            out.push_str(MASK);
            next = after;
        } else if !bare.is_empty() {
            let (shown, after) = masked(bare);
            out.push_str(&shown);
            next = if scheme { Next::Secret } else { after };
        }
        out.push_str(&word[bare.len()..]);
    }
    out
}

fn is_scheme(word: &str) -> bool {
    SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// A word in which no address has a user.
fn without_users(word: &str) -> Cow<'_, str> {
    const MARK: &str = "://";
    let user = |from: usize| {
        let rest = &word[from..];
        let authority = rest.find('/').map_or(rest, |end| &rest[..end]);
        authority.rfind('@').map(|at| from..from + at + 1)
    };
    let users: Vec<Range<usize>> = word.match_indices(MARK).filter_map(|(at, _)| user(at + MARK.len())).collect();
    if users.is_empty() {
        return Cow::Borrowed(word);
    }
    let (mut out, mut from) = (String::with_capacity(word.len()), 0);
    for user in users {
        out.push_str(&word[from..user.start]);
        from = user.end;
    }
    out.push_str(&word[from..]);
    Cow::Owned(out)
}

/// A word without its credential, and what it says of the next one.
fn masked(word: &str) -> (String, Next) {
    // the token that a machine joins a swarm with
    if let Some(at) = word.find("SWMTKN-") {
        return (format!("{}{MASK}", &word[..at]), Next::Plain);
    }
    // the three parts of a signed token, the first of which always begins so
    if let Some(at) = word.find("eyJ")
        && word[at..].matches('.').count() >= 2
    {
        return (format!("{}{MASK}", &word[..at]), Next::Plain);
    }
    let word = &*without_users(word);
    // who was refused must be read, also in a namespace of secrets
    if word.trim_start_matches(QUOTES).starts_with("system:serviceaccount") {
        return (word.to_owned(), Next::Plain);
    }
    let small = word.to_ascii_lowercase();
    let named = NAMES.iter().filter_map(|name| Some(small.find(name)? + name.len())).min();
    if let Some(end) = named
        && let Some(mark) = small[end..].find(['=', ':']).map(|at| end + at + 1)
    {
        if let Some(rest) = word[mark..].strip_prefix(MASK) {
            let (rest, next) = masked(rest);
            return (format!("{}{MASK}{rest}", &word[..mark]), next);
        }
        // `the token: expired` says something; `token:abc` and `token=abc` hold it
        let value = &word[mark..];
        return match value.trim_matches(QUOTES) {
            "" if small[..mark].contains("authorization") => (word.to_owned(), Next::Authorizes),
            "" if !small.ends_with(':') || small.contains('"') => (word.to_owned(), Next::Secret),
            "" => (word.to_owned(), Next::Plain),
            // a quote that was opened before the name is closed
            _ if !value.starts_with(QUOTES) => {
                let after = &value[value.trim_end_matches(QUOTES).len()..];
                (format!("{}{MASK}{after}", &word[..mark]), Next::Plain)
            }
            _ => (format!("{}{MASK}", &word[..mark]), Next::Plain),
        };
    }
    // an option of a command, whose value is the next argument
    let option = word.starts_with("--") && named == Some(word.len());
    let scheme = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic");
    (word.to_owned(), if option || scheme { Next::Secret } else { Next::Plain })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_and_words_stay() {
        for (said, kept) in [
            ("5 of 5 ready", "5 of 5 ready"),
            ("the token expired; log in again", "the token expired; log in again"),
            ("get https://me:pa@ss@a:6443/x@y failed", "get https://a:6443/x@y failed"),
            ("GET https://me:pw@p/x?token=abcd&y=1: EOF", "GET https://p/x?token=(masked) EOF"),
            ("tried https://a/x,https://me:pw@b/,c://u@d", "tried https://a/x,https://b/,c://d"),
            (r#""https://me:pw@p/?password=ab" EOF"#, r#""https://p/?password=(masked)" EOF"#),
            (r#"the header "X-Token:abc" was refused"#, r#"the header "X-Token:(masked)" was refused"#),
            (
                r#"User "system:serviceaccount:external-secrets:reader" cannot list resource "secrets""#,
                r#"User "system:serviceaccount:external-secrets:reader" cannot list resource "secrets""#,
            ),
            ("Authorization: Bearer abc.def was refused", "Authorization: Bearer (masked) was refused"),
            ("with Bearer sha256~abcdef, 401", "with Bearer (masked) 401"),
            ("jwt eyJhbGciOi.eyJpc3Mi.c2ln; bad", "jwt (masked) bad"),
            ("?token=abcd&x=1 no", "?token=(masked) no"),
            (r#"{"password": "hunter2", "a": 1}"#, r#"{"password": (masked), "a": 1}"#),
            (r#"{"client_secret":"hunter2"}"#, r#"{"client_secret":(masked)}"#),
            ("join with SWMTKN-1-abc-def, or not", "join with (masked) or not"),
            ("PASSWORD=hunter2", "PASSWORD=(masked)"),
            ("login --token hunter2 --port 80: refused", "login --token (masked) --port 80: refused"),
            ("unknown option --token", "unknown option --token"),
            ("Authorization: Negotiate YIIabc== was refused", "Authorization: Negotiate (masked) was refused"),
            ("authorization: ApiKey abc, and more", "authorization: ApiKey (masked) and more"),
            ("Authorization: abcdef", "Authorization: (masked)"),
            ("Authorization: Homemade abc", "Authorization: (masked) (masked)"),
            (r#"authorization: Digest username="me", response="ab", no"#, "authorization: Digest (masked) (masked) no"),
            (r#"body {\"token\": \"two words\"} refused"#, r#"body {\"token\": (masked)} refused"#),
            (r#"{"password": "two words", "a": 1}"#, r#"{"password": (masked), "a": 1}"#),
            (r#"{"token":"a b \"c\" d","a":1}"#, r#"{"token":(masked),"a":1}"#),
            (r#"password="two words" no"#, r#"password=(masked) no"#),
            ("key AKIAIOSFODNN7EXAMPLE is unknown", "key (masked) is unknown"),
            ("key ASIAIOSFODNN7EXAMPLE: no", "key (masked): no"),
            ("bad -----BEGIN RSA PRIVATE KEY-----\nMIIE\nab==\n-----END RSA PRIVATE KEY----- here", "bad (masked) here"),
            ("cut -----BEGIN PRIVATE KEY----- MIIE", "cut (masked)"),
            (
                r#"Pod "web" is invalid: spec.containers[0].env[0].value: Invalid value: "hunter2 \"x\" y": must be short"#,
                r#"Pod "web" is invalid: spec.containers[0].env[0].value: Invalid value: (masked): must be short"#,
            ),
            (r#"spec.replicas: Invalid value: -1: must be 0 or more"#, r#"spec.replicas: Invalid value: -1: must be 0 or more"#),
            (
                r#"metadata.labels: Invalid value: "a b": must be a label"#,
                r#"metadata.labels: Invalid value: "a b": must be a label"#,
            ),
        ] {
            assert_eq!(without_secrets(said), kept);
        }
    }
}
