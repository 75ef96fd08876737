//! The command line: what the program is called with, and everything it does without a screen.
//!
//! Exit codes: 0 well, 1 something failed, 2 wrong call, configuration or no terminal, 128 and the signal's number.

mod args;
mod audit;
mod lists;
mod live;
mod picture;
mod snapshot;
mod svg;

use crate::util::clean::clean;
use args::{Args, Sub};
use clap::Parser;
use std::process::ExitCode;

/// Something that ends the program before it has done what it was asked.
#[derive(Debug)]
struct Failure {
    code: u8,
    words: String,
}

impl Failure {
    /// The operator has to change something: call, configuration, surroundings.
    fn usage(words: impl ToString) -> Self {
        Self { code: 2, words: words.to_string() }
    }

    /// It was tried and did not work.
    fn failed(words: impl ToString) -> Self {
        Self { code: 1, words: words.to_string() }
    }
}

/// Says something beside the output. Its words may be names and errors of clusters and files: they are made safe to show.
fn tell(words: impl ToString) {
    eprintln!("quarterdeck: {}", clean(&words.to_string()));
}

/// Runs the program.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.sub {
        None => live::run(&args),
        Some(Sub::Snapshot(options)) => snapshot::run(&args, options),
        Some(Sub::Keys) => lists::keys(&args),
        Some(Sub::Themes) => lists::themes(&args),
        Some(Sub::Config) => lists::config(&args),
        Some(Sub::Audit(options)) => audit::run(&args, options),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            tell(&failure.words);
            ExitCode::from(failure.code)
        }
    }
}
