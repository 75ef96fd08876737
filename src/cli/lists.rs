//! Lists for people and scripts: keys, themes, and what the configuration comes to.

use super::Failure;
use super::args::Args;
use crate::app::Looks;
use crate::config::{Config, Paths};
use crate::input::{Command, Scope};
use crate::term::Caps;
use crate::util::clean::clean;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::ExitCode;

/// Prints; a reader that has heard enough (`| head`) is no failure.
pub(super) fn print(text: &str) -> Result<ExitCode, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::failed(format!("cannot print: {error}"))),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn load(args: &Args) -> Result<(Paths, Config, Looks), Failure> {
    let (paths, config) = args.configuration()?;
    let looks = Looks::load(&config, &paths, Caps::from_env());
    for warning in &looks.warnings {
        super::tell(warning);
    }
    Ok((paths, config, looks))
}

/// Every command with its keys, in the order of the command table.
pub(super) fn keys(args: &Args) -> Result<ExitCode, Failure> {
    let (_, _, looks) = load(args)?;
    let mut text = String::new();
    let mut section = None;
    for command in Command::ALL {
        let bindings = looks.keymap.bindings().iter().filter(|binding| binding.command == *command);
        let mut keys: Vec<String> = bindings.map(|binding| binding.keys.to_string()).collect();
        // one key in two scopes is one key
        let mut seen = BTreeSet::new();
        keys.retain(|key| seen.insert(key.clone()));
        if section != Some(command.scope()) {
            section = Some(command.scope());
            text.push_str(&format!("{}[{}]\n", if text.is_empty() { "" } else { "\n" }, Scope::name(command.scope())));
        }
        text.push_str(&format!("{:<20} {:<20} {}\n", keys.join(", "), command.name(), command.doc()));
    }
    print(&text)
}

/// All themes, the one in use marked.
pub(super) fn themes(args: &Args) -> Result<ExitCode, Failure> {
    let (_, _, looks) = load(args)?;
    let row = |name: &str| format!("{} {}\n", if name == looks.theme.name { "*" } else { " " }, clean(name));
    print(&looks.themes.iter().map(|theme| row(&theme.name)).collect::<String>())
}

/// Where files are looked for, and what holds once they and the command line are read.
pub(super) fn config(args: &Args) -> Result<ExitCode, Failure> {
    let (paths, config, _) = load(args)?;
    let there = |path: &std::path::Path| if path.exists() { "" } else { "  (not there)" };
    let mut text = String::new();
    let audit = paths.audit();
    for (what, path) in [
        ("config", &paths.config),
        ("themes", &paths.themes),
        ("keymaps", &paths.keymaps),
        ("logs", &paths.state),
        ("audit", &audit),
    ] {
        text.push_str(&format!("{what:<8} {}{}\n", clean(&path.to_string_lossy()), there(path)));
    }
    text.push_str(&format!(
        "\ntheme = \"{}\"\nkeymap = \"{}\"\nascii = {}\nutc = {}\nread_only = {}\nmax_bulk = {}\nlog_level = \"{}\"\n\n[discover]\nkubernetes = {}\ndocker = {}\n",
        clean(&config.theme),
        clean(&config.keymap),
        config.ascii,
        config.utc,
        config.read_only,
        config.max_bulk,
        config.log_level.word(),
        config.discover_kubernetes,
        config.discover_docker,
    ));
    for (name, cluster) in &config.clusters {
        let mut marks = Vec::new();
        marks.extend(cluster.endpoint.is_none().then_some("settings only"));
        marks.extend(cluster.protected.then_some("protected"));
        marks.extend(cluster.read_only.then_some("read only"));
        marks.extend(cluster.hide.then_some("hidden"));
        text.push_str(&format!("\n[clusters.{}]  # {}\n", clean(name), marks.join(", ")));
    }
    print(&text)
}
