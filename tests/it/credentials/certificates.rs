//! Certificates: ours, from wherever they are, and those of servers.

use super::authority::{Authority, Gate, Pair};
use super::server::Server;
use super::{base64, connect, context, refusal};
use quarterdeck::backend::BackendError;
use std::path::Path;

fn write(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[tokio::test]
async fn a_client_certificate_is_shown_whether_it_is_in_the_file_beside_it_or_of_a_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&[]).await;
    let authority = Authority::new("cluster");
    let gate = Gate::open(&authority.certify(&["127.0.0.1"]), Some(&authority), server.port).await;
    write(folder.path(), "ca.crt", &authority.pem);
    let cluster = format!("server: 'https://127.0.0.1:{}', certificate-authority: ca.crt", gate.port);
    let Pair { certificate, key } = authority.certify(&["me"]);
    write(folder.path(), "me.crt", &certificate);
    write(folder.path(), "me.key", &key);
    let given = serde_json::json!({"status": {"clientCertificateData": certificate, "clientKeyData": key}}).to_string();
    let given = write(folder.path(), "given", &given);
    for user in [
        format!("client-certificate-data: {}, client-key-data: {}", base64(certificate.as_bytes()), base64(key.as_bytes())),
        "client-certificate: me.crt, client-key: me.key".to_owned(),
        format!("exec: {{apiVersion: client.authentication.k8s.io/v1, command: cat, args: ['{given}']}}"),
    ] {
        let backend = connect(&context(folder.path(), &cluster, &user)).await.unwrap_or_else(|why| panic!("{user}: {why}"));
        backend.ping().await.unwrap();
        assert_eq!(server.asked(), ["/version nobody", "/livez nobody"]);
    }
    let stranger = Authority::new("elsewhere").certify(&["me"]);
    write(folder.path(), "me.crt", &stranger.certificate);
    write(folder.path(), "me.key", &stranger.key);
    for user in ["", "client-certificate: me.crt, client-key: me.key"] {
        let refused = connect(&context(folder.path(), &cluster, user)).await.err().unwrap();
        let said = refused.to_string();
        assert!(said.contains("does not accept our client certificate, or got none"), "{user}: {said}");
        assert!(matches!(refused, BackendError::Unauthorised(_)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_trusted_is_told_and_tls_server_name_is_the_name_that_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&[]).await;
    let (authority, other) = (Authority::new("cluster"), Authority::new("cluster"));
    write(folder.path(), "ca.crt", &authority.pem);
    write(folder.path(), "other.crt", &other.pem);
    let named = Gate::open(&authority.certify(&["api.internal"]), None, server.port).await;
    let by = |gate: &Gate, more: &str| context(folder.path(), &format!("server: 'https://127.0.0.1:{}', {more}", gate.port), "");
    connect(&by(&named, "certificate-authority: ca.crt, tls-server-name: api.internal")).await.unwrap();
    connect(&by(&named, "insecure-skip-tls-verify: true")).await.unwrap();
    let once = Gate::open(&authority.certify_once(&["api.internal"]), None, server.port).await;
    for (gate, more, words) in [
        (&named, "certificate-authority: ca.crt", "its certificate is for another name (check server and tls-server-name)"),
        (
            &named,
            "certificate-authority: ca.crt, tls-server-name: web.internal",
            "its certificate is for another name (check server and tls-server-name)",
        ),
        (
            &named,
            "certificate-authority: other.crt, tls-server-name: api.internal",
            "its certificate is of an unknown authority (check certificate-authority)",
        ),
        (&once, "certificate-authority: ca.crt, tls-server-name: api.internal", "its certificate has expired"),
    ] {
        let said = refusal(&by(gate, more)).await;
        let want = format!("https://127.0.0.1:{} cannot be trusted: {words}", gate.port);
        assert!(said.contains(&want), "{more}: {said}");
    }
}
