//! See `entries`.
#![no_main]

#[path = "../entries.rs"]
#[allow(dead_code)]
mod entries;

use std::sync::LazyLock;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

libfuzzer_sys::fuzz_target!(|data: &[u8]| entries::kubeconfig(data, FOLDER.path()));
