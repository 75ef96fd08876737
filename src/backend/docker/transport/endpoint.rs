//! Where an engine listens, as `DOCKER_HOST` and contexts write it.

use std::fmt;
use std::path::{Path, PathBuf};

/// One engine's address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A socket of this machine.
    Unix(PathBuf),
    /// TCP, plain or with TLS.
    Tcp {
        /// Host name or address; IPv6 without brackets.
        host: String,
        /// Port.
        port: u16,
        /// How to speak TLS; plain text if none.
        tls: Option<Tls>,
    },
    /// The engine's socket of a machine that the system's `ssh` can log in to.
    Ssh {
        /// User, where it differs from what ssh's own configuration says.
        user: Option<String>,
        /// Host name or alias of ssh's configuration.
        host: String,
        /// Port.
        port: Option<u16>,
        /// The socket there; the remote docker's own default if none.
        socket: Option<String>,
    },
}

/// Files of a TLS connection, in the layout of `DOCKER_CERT_PATH` and of a context's TLS directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tls {
    /// The directory with `ca.pem`, `cert.pem` and `key.pem`; the system's authorities and no client certificate if none.
    pub dir: Option<PathBuf>,
    /// Whether the server's certificate is checked.
    pub verify: bool,
}

impl Endpoint {
    /// Reads an address; `tls` applies to TCP only.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(raw: &str, tls: Option<Tls>) -> Result<Self, String> {
        let (scheme, rest) = raw.split_once("://").unwrap_or(("tcp", raw));
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Unix(PathBuf::from(rest))),
            "unix" => Err(format!("the address {raw} names no absolute socket path; write unix:///path/to/docker.sock")),
            "tcp" => {
                let default = if tls.is_some() { 2376 } else { 2375 };
                let (host, port) = host_and_port(rest.trim_end_matches('/')).ok_or_else(|| wrong_address(raw))?;
                Ok(Self::Tcp { host, port: port.unwrap_or(default), tls })
            }
            "ssh" => parse_ssh(raw, rest),
            other => Err(format!("the address {raw} uses {other}://, which this system cannot connect to; unix, tcp and ssh work")),
        }
    }

    /// Whether both lead to the same engine, as far as the addresses show.
    pub fn same_as(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }

    /// The same text for all that lead to the same engine, as far as the address shows: a socket is the file it is, TCP is
    /// host and port however it is secured.
    pub fn identity(&self) -> String {
        match self {
            Self::Unix(path) => format!("unix://{}", real_path(path).display()),
            Self::Tcp { host, port, .. } => format!("tcp://{}:{port}", host.to_ascii_lowercase()),
            Self::Ssh { .. } => self.to_string(),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port, .. } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port, .. } => write!(f, "tcp://{host}:{port}"),
            Self::Ssh { user, host, port, socket } => {
                f.write_str("ssh://")?;
                user.as_ref().map_or(Ok(()), |user| write!(f, "{user}@"))?;
                f.write_str(host)?;
                port.map_or(Ok(()), |port| write!(f, ":{port}"))?;
                f.write_str(socket.as_deref().unwrap_or_default())
            }
        }
    }
}

fn parse_ssh(raw: &str, rest: &str) -> Result<Endpoint, String> {
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let (user, authority) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    if user.is_some_and(|user| user.contains(':')) {
        return Err("an ssh address must not hold a password; use keys or an agent".to_owned());
    }
    let (host, port) = host_and_port(authority).ok_or_else(|| wrong_address(raw))?;
    let socket = Some(path).filter(|path| !path.is_empty() && *path != "/").map(str::to_owned);
    Ok(Endpoint::Ssh { user: user.filter(|user| !user.is_empty()).map(str::to_owned), host, port, socket })
}

fn wrong_address(raw: &str) -> String {
    format!("the address {raw} cannot be read; write tcp://host:port, ssh://user@host or unix:///path")
}

fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        (host, after.strip_prefix(':'))
    } else {
        text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)))
    };
    let port = match port {
        Some(port) => Some(port.parse().ok()?),
        None => None,
    };
    let fits =
        !host.is_empty() && !host.starts_with('-') && !host.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control());
    fits.then(|| (host.to_owned(), port))
}

fn real_path(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_are_read_as_docker_reads_them() {
        for (raw, shown) in [
            ("unix:///run/d.sock", Some("unix:///run/d.sock")),
            ("tcp://10.0.0.1", Some("tcp://10.0.0.1:2375")),
            ("tcp://10.0.0.1:2380/", Some("tcp://10.0.0.1:2380")),
            ("tcp://[::1]:4000", Some("tcp://[::1]:4000")),
            ("box:2375", Some("tcp://box:2375")),
            ("ssh://ops@box:2222", Some("ssh://ops@box:2222")),
            ("ssh://box/run/podman.sock", Some("ssh://box/run/podman.sock")),
            ("ssh://ops:secret@box", None),
            ("ssh://-oProxyCommand=x", None),
            ("unix://relative", None),
            ("npipe:////./pipe/docker_engine", None),
            ("tcp://:2375", None),
            ("tcp://a b:1", None),
        ] {
            assert_eq!(Endpoint::parse(raw, None).ok().map(|e| e.to_string()).as_deref(), shown, "{raw}");
        }
        let tls = Some(Tls { dir: None, verify: true });
        assert_eq!(Endpoint::parse("tcp://h", tls).unwrap().to_string(), "tcp://h:2376");
    }

    #[test]
    fn the_same_socket_by_another_name_is_the_same_engine() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("a.sock"), dir.path().join("b.sock"));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(Endpoint::Unix(file.clone()).same_as(&Endpoint::Unix(link)));
        assert!(!Endpoint::Unix(file).same_as(&Endpoint::Unix(dir.path().join("c.sock"))));
    }
}
