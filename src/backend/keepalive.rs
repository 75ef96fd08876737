//! When a silent connection counts as dead. A gateway that has forgotten one connection leaves it as it was and lets all
//! others live: it is found before its rows may not be called live any more, which is after 15 s.

use rustix::net::sockopt;
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;

/// A connection without traffic is probed after this long.
pub(super) const IDLE: Duration = Duration::from_secs(5);
/// Between two probes.
pub(super) const PROBE: Duration = Duration::from_secs(4);
/// Probes without an answer after which it is given up.
pub(super) const PROBES: u32 = 2;
/// What was sent and stays unacknowledged for so long ends it (Linux; elsewhere the probes alone).
#[cfg(target_os = "linux")]
pub(super) const DEAD: Duration = Duration::from_secs(13);

/// Has the kernel watch over a connection.
///
/// # Errors
/// Those of the system calls.
pub(super) fn watch_over(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, IDLE)?;
    sockopt::set_tcp_keepintvl(stream, PROBE)?;
    sockopt::set_tcp_keepcnt(stream, PROBES)?;
    #[cfg(target_os = "linux")]
    sockopt::set_tcp_user_timeout(stream, u32::try_from(DEAD.as_millis()).unwrap_or(u32::MAX))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_connection_that_is_dead_is_given_up_before_its_rows_may_not_be_live() {
        assert!(IDLE + PROBE * PROBES < Duration::from_secs(15));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        watch_over(&stream).unwrap();
        assert!(sockopt::socket_keepalive(&stream).unwrap());
        let set = (
            sockopt::tcp_keepidle(&stream).unwrap(),
            sockopt::tcp_keepintvl(&stream).unwrap(),
            sockopt::tcp_keepcnt(&stream).unwrap(),
        );
        assert_eq!(set, (IDLE, PROBE, PROBES));
    }
}
