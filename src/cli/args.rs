//! What the program can be called with.

use super::Failure;
use crate::app::{self, Choice, Demo};
use crate::config::{Config, LogLevel, Paths};
use crate::engine;
use crate::ui::PaneId;
use crate::ui::pane::PANES;
use clap::builder::PossibleValuesParser;
use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use ratatui::layout::Size;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The longest that a simulated fleet is played for one picture.
const DAY: Duration = Duration::from_secs(86_400);

/// A terminal control room for container platforms: Kubernetes, Docker Swarm and Docker engines, live and side by side.
///
/// Without a command it opens on every cluster it can find: kubeconfig contexts, docker contexts, DOCKER_HOST, the local
/// engine, and those of the configuration file.
#[derive(Debug, Parser)]
#[command(name = "quarterdeck", version, max_term_width = 100, disable_help_subcommand = true)]
pub(super) struct Args {
    /// What to do, if not to open the screen
    #[command(subcommand)]
    pub(super) sub: Option<Sub>,

    #[command(flatten)]
    pub(super) common: Common,

    /// Break off after the first frame: the loop, or only a task, or the loop once the terminal takes nothing
    #[cfg(debug_assertions)]
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "loop", value_parser = ["loop", "task", "stalled"])]
    pub(super) break_off: Option<String>,
}

#[derive(Clone, Debug, Group)]
pub(super) struct Common {
    /// A simulated fleet instead of real clusters
    #[arg(long, global = true)]
    pub(super) demo: bool,

    /// What happens in the simulated fleet: the same number, the same happenings
    #[arg(long, global = true, value_name = "N", default_value_t = 1, requires = "demo")]
    pub(super) seed: u64,

    /// A simulated fleet of this size instead of the usual one
    #[arg(long, global = true, hide = true, value_name = "NODES,SERVICES,TASKS", value_parser = fleet_size, requires = "demo")]
    pub(super) demo_size: Option<(u32, u32, u32)>,

    /// Another configuration file
    #[arg(long, global = true, value_name = "FILE", env = "QUARTERDECK_CONFIG")]
    pub(super) config: Option<PathBuf>,

    /// Only this kubeconfig context (may be given several times)
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "demo")]
    pub(super) context: Vec<String>,

    /// Only this cluster, by its name on screen (may be given several times)
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) cluster: Vec<String>,

    /// Send no action to any cluster
    #[arg(long, global = true)]
    pub(super) read_only: bool,

    /// A theme by name
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) theme: Option<String>,

    /// A keymap by name
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) keymap: Option<String>,

    /// How much is logged
    #[arg(long, global = true, value_name = "LEVEL", value_parser = PossibleValuesParser::new(LogLevel::WORDS))]
    pub(super) log_level: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Sub {
    /// Print one frame without a terminal: for scripts and pictures
    Snapshot(Snapshot),
    /// List all keys
    Keys,
    /// List all themes
    Themes,
    /// Show where files are and what holds
    Config,
    /// Show what was done on the clusters, newest last
    Audit(Audit),
}

#[derive(Debug, Group)]
pub(super) struct Snapshot {
    /// How long the simulated fleet has run: 90s, 5m, at most 24h
    #[arg(long, value_name = "TIME", value_parser = played, default_value = "90s", requires = "demo")]
    pub(super) at: Duration,

    /// Columns and rows
    #[arg(long, value_name = "COLUMNSxROWS", value_parser = size, default_value = "200x50")]
    pub(super) size: Size,

    /// Which pane
    #[arg(long, value_parser = PossibleValuesParser::new(panes()), default_value = "fleet")]
    pub(super) pane: String,

    /// In which form
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,

    /// Keys pressed before the picture is taken, as keymaps write them: "j j enter"
    #[arg(long, value_name = "KEYS", default_value = "")]
    pub(super) keys: String,

    /// How long real clusters get to answer
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5s")]
    pub(super) wait: Duration,
}

#[derive(Debug, Group)]
pub(super) struct Audit {
    /// Check that no record was changed, taken out or put in, and show nothing else
    #[arg(long, conflicts_with_all = ["json", "since"])]
    pub(super) verify: bool,

    /// The records as they are, a JSON object a line
    #[arg(long)]
    pub(super) json: bool,

    /// Only what was done since then: 90m, 12h, 7d
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) since: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Plain text
    Text,
    /// Text with colours
    Ansi,
    /// A picture
    Svg,
}

impl Args {
    /// The paths, and the configuration with what the command line says put over it.
    pub(super) fn configuration(&self) -> Result<(Paths, Config), Failure> {
        let common = &self.common;
        let paths = Paths::find(common.config.clone());
        let mut config = Config::load(&paths).map_err(Failure::usage)?;
        if let Some(theme) = &common.theme {
            config.theme.clone_from(theme);
        }
        if let Some(keymap) = &common.keymap {
            config.keymap.clone_from(keymap);
        }
        if let Some(level) = common.log_level.as_deref().and_then(LogLevel::named) {
            config.log_level = level;
        }
        config.read_only |= common.read_only;
        Ok((paths, config))
    }

    /// Where actions are written down: nowhere in the demo, which has none that are real.
    pub(super) fn audit(&self, paths: &Paths) -> Option<Arc<engine::Audit>> {
        (!self.common.demo).then(|| Arc::new(engine::Audit::new(&paths.audit(), app::origin())))
    }

    /// Which clusters are asked for.
    pub(super) fn choice(&self) -> Choice {
        let common = &self.common;
        let demo = common.demo.then_some(Demo { seed: common.seed, size: common.demo_size });
        Choice { demo, contexts: common.context.clone(), clusters: common.cluster.clone() }
    }
}

impl Snapshot {
    /// The pane asked for.
    pub(super) fn pane(&self) -> PaneId {
        PANES.iter().find(|spec| spec.name == self.pane).map_or(PaneId::Fleet, |spec| spec.id)
    }
}

/// The panes that can be opened by name; the others show a row of these, and keys lead there.
fn panes() -> impl Iterator<Item = &'static str> {
    PANES.iter().filter(|spec| spec.command.is_some()).map(|spec| spec.name)
}

/// A time of the simulated fleet, which is played second by second.
fn played(text: &str) -> Result<Duration, String> {
    let at = duration(text)?;
    if at > DAY { Err(format!("`{text}` is too long; the simulated fleet is played for 24h at most")) } else { Ok(at) }
}

/// `90s`, `5m`, `1h`, `7d`, `250ms`, or seconds without a unit.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time; write 250ms, 90s, 5m, 1h or 7d");
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let amount: u32 = digits.parse().map_err(|_| wrong())?;
    let unit = match &text[digits.len()..] {
        "ms" => Duration::from_millis(1),
        "" | "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3_600),
        "d" => Duration::from_secs(86_400),
        _ => return Err(wrong()),
    };
    Ok(unit.saturating_mul(amount))
}

/// `1000,500,10000`.
fn fleet_size(text: &str) -> Result<(u32, u32, u32), String> {
    let numbers: Option<Vec<u32>> = text.split(',').map(|n| n.parse().ok()).collect();
    match numbers.as_deref() {
        Some([nodes, services, tasks]) => Ok((*nodes, *services, *tasks)),
        _ => Err(format!("`{text}` is no fleet; write NODES,SERVICES,TASKS, like 1000,500,10000")),
    }
}

/// `200x50`, at most 1000 by 1000.
fn size(text: &str) -> Result<Size, String> {
    let parsed = text.split_once('x').and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    match parsed {
        Some((columns @ 1..=1_000, rows @ 1..=1_000)) => Ok(Size::new(columns, rows)),
        _ => Err(format!("`{text}` is no size; write COLUMNSxROWS, like 200x50, at most 1000x1000")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn times_and_sizes_are_read() {
        for (text, want) in [("90s", 90_000), ("5m", 300_000), ("1h", 3_600_000), ("250ms", 250), ("7", 7_000), ("2d", 172_800_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(want)));
        }
        assert_eq!(played("24h"), Ok(DAY));
        assert!(played("25h").is_err());
        for text in ["", "s", "-1s", "5x", "1.5s", "99999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(size("80x24"), Ok(Size::new(80, 24)));
        for text in ["80", "0x5", "80x", "70000x10", "2000x10", "8 x 8"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
