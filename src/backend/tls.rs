//! TLS to the servers of a cluster: whom to believe, who we are, and why it failed, in words.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::error::Error as Cause;
use std::sync::Arc;

/// A certificate with those that vouch for it, and its key.
pub(super) type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The authorities that this machine believes.
pub(super) fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// The client's side: the server must be known to one of `roots`, or may be anybody without; `identity` is shown to whoever
/// asks for it.
///
/// # Errors
/// Certificate and key do not belong together.
pub(super) fn client(roots: Option<RootCertStore>, identity: Option<Identity>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = match roots {
        Some(roots) => builder.with_root_certificates(roots),
        None => builder.dangerous().with_custom_certificate_verifier(Arc::new(Unchecked(provider))),
    };
    match identity {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key),
        None => Ok(builder.with_no_client_auth()),
    }
}

/// Accepts any certificate of a server: `SkipTLSVerify` of a docker context, `insecure-skip-tls-verify` of a kubeconfig.
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

/// Where the operator writes down what TLS needs, for the advice.
pub(super) struct Settings {
    /// What holds the authority that servers are checked with.
    pub authority: &'static str,
    /// What says the name that a server's certificate must be for.
    pub name: &'static str,
}

/// The TLS error within an i/o error. `source()` of an i/o error skips what it wraps, and some wrap it twice.
fn in_io(io: &std::io::Error) -> Option<&rustls::Error> {
    let inner = io.get_ref()?;
    inner.downcast_ref::<rustls::Error>().or_else(|| in_io(inner.downcast_ref::<std::io::Error>()?))
}

/// The TLS error that `error` itself is or wraps, if it does.
pub(super) fn at<'a>(error: &'a (dyn Cause + 'static)) -> Option<&'a rustls::Error> {
    error.downcast_ref::<rustls::Error>().or_else(|| in_io(error.downcast_ref::<std::io::Error>()?))
}

/// The TLS error that `error` was caused by, if one was.
pub(super) fn within<'a>(error: &'a (dyn Cause + 'static)) -> Option<&'a rustls::Error> {
    let mut causes = std::iter::successors(Some(error), |error: &&'a (dyn Cause + 'static)| (**error).source());
    causes.find_map(at)
}

/// What words on a refused client certificate hold, so that they can be told from a broken link.
pub(super) const CLIENT: &str = "does not accept our client certificate";

/// What went wrong with `server`.
pub(super) fn words(server: &str, error: &rustls::Error, settings: &Settings) -> String {
    use rustls::{AlertDescription, CertificateError, Error};
    let Settings { authority, name } = settings;
    match error {
        // of another authority that has the same name: a cluster that was made anew
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            format!("{server} cannot be trusted: its certificate is of an unknown authority (check {authority})")
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            format!("{server} cannot be trusted: its certificate has expired")
        }
        Error::InvalidCertificate(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) => {
            format!("{server} cannot be trusted: its certificate is for another name (check {name})")
        }
        // Go's servers answer BadCertificate also to a client that has none
        Error::AlertReceived(
            alert @ (AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA),
        ) => format!("{server} {CLIENT}, or got none ({alert:?}; has it expired?)"),
        _ => format!("TLS with {server} failed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tls_error_is_found_however_deep_it_is_wrapped() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let wrapped = std::io::Error::other(std::io::Error::other(tls.clone()));
        assert_eq!(in_io(&wrapped), Some(&tls));
        assert_eq!(within(&wrapped), Some(&tls));
        assert_eq!(within(&std::io::Error::from(std::io::ErrorKind::ConnectionRefused)), None);
        let settings = Settings { authority: "ca.pem", name: "the host" };
        assert!(words("tcp://a", &tls, &settings).ends_with("unknown authority (check ca.pem)"));
    }
}
