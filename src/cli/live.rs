//! The program with its screen.

use super::Failure;
use super::args::Args;
use crate::app::{self, App, Ended, Fleet, Looks, Start};
use crate::backend::sim;
use crate::model::OpState;
use crate::term::{self, Caps};
use crate::util::clean::clean;
use crate::util::time::Timestamp;
use rustix::fs::Mode;
use std::process::ExitCode;
use std::time::Duration;

/// Threads for the engine; the loop has the main one.
const THREADS: usize = 2;

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let (paths, config) = args.configuration()?;
    if !term::is_interactive() {
        return Err(Failure::usage(
            "this needs a terminal on standard input and output; over ssh use `ssh -t`, in a container `-it`, and for one \
             picture without a terminal `quarterdeck snapshot`",
        ));
    }
    if std::env::var("TERM").is_ok_and(|term| term == "dumb") {
        return Err(Failure::usage(
            "this terminal says that it cannot place a cursor (TERM=dumb); use another one, or set TERM to what it is, or \
             for one picture `quarterdeck snapshot`",
        ));
    }
    // the log and reports are the operator's alone
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let mut warnings = Vec::new();
    let log = app::start_logging(&paths.state, config.log_level).unwrap_or_else(|words| {
        warnings.push(words);
        None
    });
    term::install_panic_hook(paths.state.clone());
    let looks = Looks::load(&config, &paths, Caps::from_env());
    let choice = args.choice();
    // a simulated fleet is another one each time
    let journal = choice.demo.is_none().then(|| paths.state.join("operations"));
    let audit = args.audit(&paths);
    let (settings, now) = (config.clone(), Timestamp::now());
    let demo = move || sim::Options { epoch: now, ..sim::Options::default() };
    // names on the command line are checked while the terminal is still the shell's
    let sized = choice.demo.is_some_and(|demo| demo.size.is_some());
    let chosen = sized || !choice.clusters.is_empty() || !choice.contexts.is_empty();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
    let inside = runtime.enter();
    let early = if chosen { Some(app::discover(&settings, &choice, demo()).map_err(Failure::usage)?) } else { None };
    drop(inside);
    let discover = Box::new(move || match early {
        Some(fleet) => fleet,
        None => app::discover(&settings, &choice, demo())
            .unwrap_or_else(|words| Fleet { connectors: Vec::new(), warnings: vec![words] }),
    });
    let start = Start {
        config,
        journal,
        looks,
        discover,
        audit,
        warnings,
        #[cfg(debug_assertions)]
        break_off: args.break_off.clone(),
    };
    tracing::info!("quarterdeck {} begins", env!("CARGO_PKG_VERSION"));
    let ended = runtime.block_on(App::run(start));
    // what still runs (a write to a terminal that takes nothing, a slow connection) is not waited for
    runtime.shutdown_timeout(Duration::from_millis(100));
    let ended = ended.map_err(|error| Failure::failed(format!("the terminal cannot be used: {error}")))?;
    tracing::info!("quarterdeck ends with {}", ended.code);
    tell_unfinished(&ended);
    drop(log);
    Ok(ExitCode::from(u8::try_from(ended.code).unwrap_or(1)))
}

/// Operations go on in their clusters when nobody watches; the operator has to know which.
fn tell_unfinished(ended: &Ended) {
    for operation in &ended.unfinished {
        let stage = match operation.state {
            OpState::Done => continue,
            OpState::Queued => "was not sent",
            OpState::Paused => "is paused; it can be resumed when quarterdeck runs again",
            OpState::Running | OpState::Verifying => "was not over yet and was not followed to its end",
            OpState::Failed | OpState::Cancelled => operation.progress.note.as_str(),
        };
        println!("{} on {}: {stage}", operation.title, clean(&operation.intent.object.cluster));
    }
}
