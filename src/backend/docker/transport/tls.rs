//! TLS to an engine: its own authority, the operator's client certificate.

use super::endpoint::Tls;
use crate::backend::tls::Settings;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::path::Path;
use std::sync::Arc;

/// The client's side of TLS for these files.
///
/// # Errors
/// A sentence naming the file that cannot be read.
pub fn client_config(tls: &Tls) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS cannot be set up: {e}"))?;
    let file = |name: &str| tls.dir.as_ref().map(|dir| dir.join(name)).filter(|path| path.exists());
    let builder = if tls.verify {
        let mut roots = RootCertStore::empty();
        match file("ca.pem") {
            Some(path) => {
                for certificate in certificates(&path)? {
                    roots.add(certificate).map_err(|e| format!("{} holds no usable authority: {e}", path.display()))?;
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        if roots.is_empty() {
            let dir = tls.dir.as_ref().map_or_else(|| "the TLS directory".into(), |dir| dir.to_string_lossy());
            return Err(format!("there is no certificate authority to check the server with: put ca.pem into {dir}"));
        }
        builder.with_root_certificates(roots)
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Unchecked(provider)))
    };
    match (file("cert.pem"), file("key.pem")) {
        (Some(cert), Some(key)) => {
            let key_der = PrivateKeyDer::from_pem_file(&key)
                .map_err(|e| format!("the private key {} cannot be read (encrypted keys cannot be used): {e}", key.display()))?;
            builder
                .with_client_auth_cert(certificates(&cert)?, key_der)
                .map(Arc::new)
                .map_err(|e| format!("{} and {} do not make a client certificate: {e}", cert.display(), key.display()))
        }
        (None, None) => Ok(Arc::new(builder.with_no_client_auth())),
        (Some(one), None) => Err(format!("{} has no key.pem beside it", one.display())),
        (None, Some(one)) => Err(format!("{} has no cert.pem beside it", one.display())),
    }
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

/// Accepts any server certificate: what a context asks for with `SkipTLSVerify`.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
