//! Whether a server is reached through a proxy, and which: what the kubeconfig says of the cluster, else what the
//! environment says, read as kubectl reads it (Go, `golang.org/x/net/http/httpproxy`).

use super::failure::link_words;
use http::Uri;
use http::uri::Scheme;
use std::error::Error;
use std::fmt;
use std::net::IpAddr;

/// What the environment says of proxies.
#[derive(Clone, Default)]
pub struct Proxies {
    https: Option<String>,
    http: Option<String>,
    except: String,
}

/// An address may hold a password.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies").field("except", &self.except).finish_non_exhaustive()
    }
}

impl Proxies {
    /// `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, or the same in small letters, as `var` knows them.
    pub fn new(var: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: [&str; 2]| names.into_iter().filter_map(&var).find(|value| !value.trim().is_empty());
        Self {
            https: first(["HTTPS_PROXY", "https_proxy"]),
            http: first(["HTTP_PROXY", "http_proxy"]),
            except: first(["NO_PROXY", "no_proxy"]).unwrap_or_default(),
        }
    }

    /// The proxy for `server`. A loopback address has none, whatever the environment says.
    pub(super) fn of(&self, server: &Uri) -> Option<&str> {
        let secure = server.scheme() != Some(&Scheme::HTTP);
        let proxy = if secure { &self.https } else { &self.http }.as_deref()?;
        let host = server.host()?.trim_matches(['[', ']']).to_ascii_lowercase();
        let port = server.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let address: Option<IpAddr> = host.parse().ok();
        let home = host == "localhost" || address.is_some_and(|ip| ip.is_loopback());
        (!home && !self.except.split(',').any(|entry| excepts(entry.trim(), &host, address, port))).then_some(proxy)
    }
}

/// Whether this entry of `NO_PROXY` means the host: `*`, an address, a network, `name` with what is below it, or `.name`
/// for what is below it alone; names and addresses with or without a port.
fn excepts(entry: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    if entry.is_empty() || entry == "*" {
        return entry == "*";
    }
    let entry = entry.to_ascii_lowercase();
    if let Some((network, bits)) = entry.split_once('/') {
        let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
        return address.is_some_and(|address| within(address, network, bits));
    }
    if let Ok(ip) = entry.parse::<IpAddr>() {
        return address == Some(ip);
    }
    let name = match entry.rsplit_once(':') {
        Some((name, at)) if at.parse() == Ok(port) => name,
        Some(_) => return false,
        None => entry.as_str(),
    };
    let name = name.trim_matches(['[', ']']);
    if let Ok(ip) = name.parse::<IpAddr>() {
        return address == Some(ip);
    }
    let below = name.strip_prefix('*').unwrap_or(name);
    match below.strip_prefix('.') {
        Some(_) => host.ends_with(below),
        None => host == below || host.strip_suffix(below).is_some_and(|rest| rest.ends_with('.')),
    }
}

fn within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (a, b, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return false,
    };
    bits <= width && (bits == 0 || a >> (width - bits) == b >> (width - bits))
}

/// An address of a proxy; a bare `host:port` is one that speaks HTTP.
pub(super) fn parse(raw: &str) -> Result<Uri, String> {
    let raw = raw.trim();
    let full = if raw.contains("://") { raw.to_owned() } else { format!("http://{raw}") };
    let uri: Uri = full.parse().map_err(|err| format!("the proxy address is none: {err}"))?;
    match uri.scheme_str() {
        _ if uri.host().is_none_or(str::is_empty) => Err("the proxy address has no host".to_owned()),
        Some("http" | "https" | "socks5" | "socks5h") => Ok(uri),
        other => Err(format!("a proxy of the kind {} is not known here (http, https, socks5)", other.unwrap_or_default())),
    }
}

/// User and password within the address of a proxy.
pub(super) fn login(proxy: &Uri) -> Option<(String, String)> {
    let (login, _) = proxy.authority()?.as_str().rsplit_once('@')?;
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    Some((unescape(user), unescape(password)))
}

/// Undoes percent-encoding; what is none stays as it is.
fn unescape(raw: &str) -> String {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// No connection could be had through a proxy.
#[derive(Debug)]
pub(super) struct ProxyFailed {
    /// Its address as it may be shown.
    pub proxy: String,
    /// Why.
    pub cause: tower::BoxError,
}

impl ProxyFailed {
    /// What went wrong between us, the proxy and `server`.
    pub fn words(&self, server: &str) -> String {
        let Self { proxy, cause } = self;
        let said = cause.to_string();
        if ["authorization required", "credentials not accepted", "user/pass authentication"].iter().any(|end| said.ends_with(end))
        {
            format!("the proxy {proxy} wants a user and password, or others (give them in its address: user:password@host)")
        } else if said.ends_with("unsuccessful") || said.ends_with("unexpected end of file") {
            format!("the proxy {proxy} does not connect us to {server} (may it? NO_PROXY names what is reached without)")
        } else if said == "SOCKS error: failed to create underlying connection" {
            // it says no more of any cause
            format!("the proxy {proxy} cannot be reached (does it run? is a VPN or route missing?)")
        } else {
            link_words(&format!("the proxy {proxy}"), &**cause)
        }
    }
}

impl fmt::Display for ProxyFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {}: {}", self.proxy, self.cause)
    }
}

impl Error for ProxyFailed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn proxies(except: &str) -> Proxies {
        let except = except.to_owned();
        Proxies::new(move |name| match name {
            "HTTPS_PROXY" => Some(" ".into()),
            "https_proxy" => Some("proxy:3128".into()),
            "NO_PROXY" => Some(except.clone()),
            _ => None,
        })
    }

    #[test]
    fn no_proxy_is_read_as_kubectl_reads_it() {
        for (except, server, through) in [
            ("", "https://api.example:6443", true),
            ("", "http://api.example", false),
            ("", "https://127.0.0.1:6443", false),
            ("", "https://localhost:6443", false),
            ("", "https://[::1]:6443", false),
            ("*", "https://api.example", false),
            ("other, ,example,", "https://api.example", false),
            ("ample", "https://api.example", true),
            (".example", "https://api.example", false),
            (".example", "https://example", true),
            ("*.example", "https://API.Example", false),
            ("api.example:443", "https://api.example", false),
            ("api.example:6443", "https://api.example", true),
            ("10.0.0.0/8", "https://10.9.8.7:6443", false),
            ("10.0.0.0/8", "https://11.9.8.7:6443", true),
            ("fd00::/8", "https://[fd12::1]:6443", false),
            ("10.0.0.1", "https://10.0.0.1", false),
            ("10.0.0.1:80", "https://10.0.0.1", true),
            ("no/thing", "https://10.0.0.1", true),
        ] {
            let proxies = proxies(except);
            assert_eq!(proxies.of(&server.parse().unwrap()).is_some(), through, "{except} {server}");
        }
    }

    #[test]
    fn an_address_of_a_proxy_may_be_bare_and_hold_a_login() {
        assert_eq!(parse("proxy:3128").unwrap(), "http://proxy:3128");
        assert_eq!(login(&parse("http://me:p%40ss@proxy:3128").unwrap()), Some(("me".into(), "p@ss".into())));
        assert_eq!(login(&parse("http://me:5%@proxy:3128").unwrap()), Some(("me".into(), "5%".into())));
        assert_eq!(login(&parse("socks5://proxy:1080").unwrap()), None);
        assert!(parse("ftp://proxy").unwrap_err().contains("ftp"));
    }
}
