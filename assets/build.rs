//! What only the linker can do for the size of the release binary: functions of the same code are kept once.

use std::env::var;

fn main() {
    println!("cargo:rerun-if-changed=assets/build.rs");
    let release = var("PROFILE").is_ok_and(|profile| profile == "release");
    // there rustc brings the linker along that knows how; with flags of somebody's own it may be another one
    let known = var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu")
        && var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| flags.is_empty());
    if release && known {
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    }
}
