//! The `quarterdeck` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    // before anything can make a connection: rustls takes no provider by itself where more than one could be linked
    let _ = rustls::crypto::ring::default_provider().install_default();
    quarterdeck::cli::main()
}
