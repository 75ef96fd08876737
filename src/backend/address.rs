//! Addresses of servers as they may be shown.

/// An address without user and password.
pub(super) fn without_credentials(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let authority = rest.find('/').map_or(rest, |end| &rest[..end]);
    match authority.rsplit_once('@') {
        Some((user, _)) => format!("{scheme}://{}", &rest[user.len() + 1..]),
        None => address.to_owned(),
    }
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
        ] {
            assert_eq!(without_credentials(address), shown);
        }
    }
}
