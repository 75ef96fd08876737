//! What a server said, without credentials. Servers, proxies and credential plugins repeat in their errors what they
//! were sent.

/// What stands for what was taken out.
const MASK: &str = "(masked)";
/// Names of values that are nobody's business, in small letters.
const NAMES: [&str; 8] = ["password", "passwd", "secret", "token", "apikey", "api_key", "api-key", "authorization"];

/// `text` without what looks like a credential: users and passwords in addresses, bearer tokens, values of names like
/// `password`.
pub(super) fn without_secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // what the word before says about the next one
    let mut follows = false;
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let rest = &word[bare.len()..];
        if follows && !bare.is_empty() && !is_scheme(bare) {
            out.push_str(MASK);
            follows = false;
        } else {
            let (shown, more) = masked(bare);
            out.push_str(&shown);
            follows = more || follows && (bare.is_empty() || is_scheme(bare));
        }
        out.push_str(rest);
    }
    out
}

fn is_scheme(word: &str) -> bool {
    word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic")
}

/// A word without its credential, and whether the next word is one.
fn masked(word: &str) -> (String, bool) {
    // the token that a machine joins a swarm with
    if let Some(at) = word.find("SWMTKN-") {
        return (format!("{}{MASK}", &word[..at]), false);
    }
    // the three parts of a signed token, the first of which always begins so
    if let Some(at) = word.find("eyJ")
        && word[at..].matches('.').count() >= 2
    {
        return (format!("{}{MASK}", &word[..at]), false);
    }
    if let Some((scheme, rest)) = word.split_once("://")
        && let Some(at) = rest.find('/').map_or(rest, |end| &rest[..end]).rfind('@')
    {
        return (format!("{scheme}://{}", &rest[at + 1..]), false);
    }
    let small = word.to_ascii_lowercase();
    let named = NAMES.iter().filter_map(|name| Some(small.find(name)? + name.len())).min();
    if let Some(end) = named
        && let Some(mark) = small[end..].find(['=', ':']).map(|at| end + at + 1)
    {
        // `the token: expired` says something; `token:abc` and `token=abc` hold it
        return match word[mark..].trim_matches(['"', '\'', '\\']) {
            "" => (word.to_owned(), !small.ends_with(':') || small.contains('"') || small.starts_with("authorization")),
            _ => (format!("{}{MASK}", &word[..mark]), false),
        };
    }
    // an option of a command, whose value is the next argument
    let option = word.starts_with("--") && named == Some(word.len());
    (word.to_owned(), option || is_scheme(word))
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
            ("Authorization: Bearer abc.def was refused", "Authorization: Bearer (masked) was refused"),
            ("with Bearer sha256~abcdef, 401", "with Bearer (masked) 401"),
            ("jwt eyJhbGciOi.eyJpc3Mi.c2ln; bad", "jwt (masked) bad"),
            ("?token=abcd&x=1 no", "?token=(masked) no"),
            (r#"{"password": "hunter2", "a": 1}"#, r#"{"password": (masked) "a": 1}"#),
            (r#"{"client_secret":"hunter2"}"#, r#"{"client_secret":(masked)"#),
            ("join with SWMTKN-1-abc-def, or not", "join with (masked) or not"),
            ("PASSWORD=hunter2", "PASSWORD=(masked)"),
            ("login --token hunter2 --port 80: refused", "login --token (masked) --port 80: refused"),
            ("unknown option --token", "unknown option --token"),
        ] {
            assert_eq!(without_secrets(said), kept);
        }
    }
}
