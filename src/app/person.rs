//! Who asks for operations, and from where.

use crate::engine::audit::Origin;
use crate::model::Text;

/// `alice@host`, or `alice as root@host` where sudo says who became root.
pub fn by() -> Text {
    let uid = rustix::process::getuid().as_raw();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Text::from(format!("{}@{host}", user(uid, &accounts, &var)))
}

/// The other end of the ssh connection and the terminal, as far as there are such.
pub fn origin() -> Origin {
    let ssh = std::env::var("SSH_CONNECTION").or_else(|_| std::env::var("SSH_CLIENT")).unwrap_or_default();
    let tty = rustix::termios::ttyname(rustix::stdio::stdin(), Vec::new()).ok();
    Origin { ssh: ssh.split_whitespace().next().map(str::to_owned), tty: tty.map(|name| name.to_string_lossy().into_owned()) }
}

/// The account's own name before what the environment says: that is inherited from whoever it was set for. Accounts of a
/// directory service are in no file, so there the environment is the best there is.
fn user(uid: u32, accounts: &str, var: &dyn Fn(&str) -> Option<String>) -> String {
    let account = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    let name = account.or_else(|| var("USER")).or_else(|| var("LOGNAME")).unwrap_or_else(|| format!("uid {uid}"));
    match var("SUDO_USER").filter(|before| *before != name) {
        Some(before) => format!("{before} as {name}"),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_counts_before_the_environment() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\nbroken\nalice:x:1000:1000::/home/alice:/bin/sh\n";
        for (uid, vars, want) in [
            (0, &[][..], "root"),
            (1000, &[("USER", "bob")], "alice"),
            (0, &[("USER", "alice"), ("SUDO_USER", "alice")], "alice as root"),
            (0, &[("SUDO_USER", "root")], "root"),
            (2000, &[("USER", "carol")], "carol"),
            (2000, &[], "uid 2000"),
        ] {
            let var = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(user(uid, accounts, &var), want);
        }
    }
}
