//! Docker contexts over TLS, as the program shows them.

use super::authority::{Authority, Gate, Pair};
use crate::discovery::{assert_said, context, snapshot};
use crate::hostile::platform::{Held, Platform, container};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_docker_context_over_tls_trusts_its_own_authority_and_shows_its_own_certificate() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let engine = Platform::start(Held { containers: vec![container(1, "-behind-tls", "running")], ..Held::default() });
    let (authority, other) = (Authority::new("engine"), Authority::new("engine"));
    let shown = authority.certify(&["127.0.0.1"]);
    let gate = || Gate::open(&shown, Some(&authority), engine.address.port());
    // an address each: two contexts of one address are one cluster
    let gates = [gate().await, gate().await, gate().await, gate().await];
    let Pair { certificate, key } = authority.certify(&["me"]);
    let mine = [("cert.pem", certificate.as_str()), ("key.pem", key.as_str())];
    context(home, "good", gates[0].port, false, &[("ca.pem", &authority.pem), mine[0], mine[1]]);
    context(home, "wrong-ca", gates[1].port, false, &[("ca.pem", &other.pem), mine[0], mine[1]]);
    context(home, "unchecked", gates[2].port, true, &mine);
    context(home, "nobody", gates[3].port, false, &[("ca.pem", &authority.pem)]);
    for cluster in ["good", "unchecked"] {
        let shown = snapshot(home, "tasks", &["--cluster", cluster, "--size", "200x40"]);
        assert!(shown.contains("-behind-tls"), "{cluster}:\n{shown}");
    }
    let at = |gate: &Gate| format!("(tcp://127.0.0.1:{})", gate.port);
    assert_said(
        home,
        &[
            (
                "wrong-ca",
                format!(
                    "the engine cannot be trusted: its certificate is of an unknown authority (check ca.pem) {}",
                    at(&gates[1])
                ),
            ),
            ("nobody", "the engine does not accept our client certificate, or got none".to_owned()),
        ],
    );
}
