//! Addresses of servers as they may be shown.

/// An address without user and password.
pub(super) fn without_credentials(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return misspelt(address) };
    match user(rest) {
        Some(user) => format!("{scheme}://{}", &rest[user.len() + 1..]),
        None => address.to_owned(),
    }
}

/// The same for what should be an address and has no scheme: a slip in it must not show the password.
fn misspelt(address: &str) -> String {
    let start = address.find("//").map_or(0, |at| at + 2);
    match address[start..].rsplit_once('@') {
        Some((user, host)) if user.contains(':') => format!("{}{host}", &address[..start]),
        _ => address.to_owned(),
    }
}

/// User and password in an address, from what follows its scheme. A password may have a slash that should have been escaped:
/// what stands where a port belongs and is none is part of it.
pub(super) fn user(rest: &str) -> Option<&str> {
    let authority = rest.find('/').map_or(rest, |end| &rest[..end]);
    let port = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let whole = match authority.rsplit_once(':') {
        Some((host, end)) if !authority.contains('@') && !host.starts_with('[') && !port(end) => rest,
        _ => authority,
    };
    whole.rsplit_once('@').map(|(user, _)| user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_user_and_password_go() {
        for (address, shown) in [
            ("https://a:6443", "https://a:6443"),
            ("https://me:p@ss@a:6443/x@y", "https://a:6443/x@y"),
            ("ssh://ops@edge/run/a@b.sock", "ssh://edge/run/a@b.sock"),
            ("unix:///run/a@b.sock", "unix:///run/a@b.sock"),
            ("me@host", "me@host"),
            ("pg://me:a/b?c@db/x", "pg://db/x"),
            ("https//me:pass@host:1", "https//host:1"),
            ("https:/me:pass@host:1", "host:1"),
            ("http://[::1]:80/x@y", "http://[::1]:80/x@y"),
            ("http://a:80/x@y", "http://a:80/x@y"),
        ] {
            assert_eq!(without_credentials(address), shown);
        }
    }
}
