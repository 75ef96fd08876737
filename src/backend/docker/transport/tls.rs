//! TLS to an engine: its own authority, the operator's client certificate.

use super::endpoint::Tls;
use crate::backend::tls::{Settings, client, system_roots};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// The client's side of TLS for these files.
///
/// # Errors
/// A sentence naming the file that cannot be read.
pub fn client_config(tls: &Tls) -> Result<Arc<ClientConfig>, String> {
    let file = |name: &str| tls.dir.as_ref().map(|dir| dir.join(name)).filter(|path| path.exists());
    let roots = if tls.verify {
        let roots = match file("ca.pem") {
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(&path)? {
                    roots.add(certificate).map_err(|e| format!("{} holds no usable authority: {e}", path.display()))?;
                }
                roots
            }
            None => system_roots(),
        };
        if roots.is_empty() {
            let dir = tls.dir.as_ref().map_or_else(|| "the TLS directory".into(), |dir| dir.to_string_lossy());
            return Err(format!("there is no certificate authority to check the server with: put ca.pem into {dir}"));
        }
        Some(roots)
    } else {
        None
    };
    let (cert, key) = match (file("cert.pem"), file("key.pem")) {
        (Some(cert), Some(key)) => (cert, key),
        (None, None) => return client(roots, None).map(Arc::new).map_err(|e| format!("TLS cannot be set up: {e}")),
        (Some(one), None) => return Err(format!("{} has no key.pem beside it", one.display())),
        (None, Some(one)) => return Err(format!("{} has no cert.pem beside it", one.display())),
    };
    let key_der = PrivateKeyDer::from_pem_file(&key)
        .map_err(|e| format!("the private key {} cannot be read (encrypted keys cannot be used): {e}", key.display()))?;
    client(roots, Some((certificates(&cert)?, key_der)))
        .map(Arc::new)
        .map_err(|e| format!("{} and {} do not make a client certificate: {e}", cert.display(), key.display()))
}

/// Why TLS failed, if it was TLS that failed.
pub fn words(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let settings = Settings { authority: "ca.pem", name: "the address" };
    crate::backend::tls::within(error).map(|error| crate::backend::tls::words("the engine", error, &settings))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |e: rustls::pki_types::pem::Error| format!("the certificate {} cannot be read: {e}", path.display());
    let all: Vec<_> = CertificateDer::pem_file_iter(path).map_err(wrong)?.collect::<Result<_, _>>().map_err(wrong)?;
    if all.is_empty() { Err(format!("{} holds no certificate", path.display())) } else { Ok(all) }
}
