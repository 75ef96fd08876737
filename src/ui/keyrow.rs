//! The last row: the keys that work here and now, or something just said.

use super::cx::Cx;
use super::pane::wrapped_to;
use super::widget::pen::{self, Pen};
use crate::input::Command;
use crate::theme::Role;
use crate::util::width::width;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Always there, at the end.
const EVERYWHERE: [Command; 3] = [Command::Filter, Command::Palette, Command::Help];

/// The word for a command beside its key: `roll back` for `service.roll-back`.
pub fn word(command: Command) -> &'static str {
    match command {
        Command::RollBack => "roll back",
        Command::TriggerService => "run now",
        Command::SetImage => "image",
        Command::LogsPrevious => "previous logs",
        Command::Inspect => "yaml",
        Command::Palette => "command",
        Command::PauseNode => "pause",
        Command::SearchNext => "next match",
        Command::SearchPrevious => "previous",
        Command::Sort => "sort",
        _ => command.name().rsplit('.').next().unwrap_or_default(),
    }
}

/// Draws the hints of these commands. Those that do not fit are left out, the everywhere ones last of all.
pub fn draw(area: Rect, y: u16, buf: &mut Buffer, cx: &Cx<'_>, commands: impl Iterator<Item = Command>, filter: bool) {
    let hint = |command: Command| cx.key(command).map(|key| (key, word(command)));
    let cost = |(key, word): (&str, &str)| width(key) + width(word) + 3;
    let everywhere = || EVERYWHERE.into_iter().filter(|command| filter || *command != Command::Filter).filter_map(hint);
    let kept: usize = everywhere().map(cost).sum();
    let mut pen = Pen::new(buf, area, y);
    let put = |pen: &mut Pen<'_>, (key, word): (&str, &str)| {
        pen.put(key, cx.style(Role::Key)).gap(1).put(word, cx.style(Role::Hint)).gap(2);
    };
    pen.gap(1);
    for hint in commands.filter_map(hint) {
        if usize::from(pen.room()) < kept + cost(hint) {
            break;
        }
        put(&mut pen, hint);
    }
    everywhere().for_each(|hint| put(&mut pen, hint));
}

/// Most rows that something said takes.
const SAID: usize = 3;

/// Draws something just said instead of the hints, in as many rows from the bottom as it needs.
pub fn say(area: Rect, buf: &mut Buffer, cx: &Cx<'_>, words: &str, warning: bool) {
    let style = cx.style(if warning { Role::Warning } else { Role::Text });
    let indent = if warning { 3 } else { 1 };
    let wide = usize::from(area.width).saturating_sub(indent + 1).max(1);
    let lines = wrapped_to(words, wide, SAID);
    let high = u16::try_from(lines.len()).unwrap_or(1).max(1).min(area.height);
    let rows = Rect { y: area.bottom() - high, height: high, ..area };
    pen::clear(buf, rows, cx.style(Role::Text));
    for (n, (line, y)) in lines.iter().zip(rows.y..).enumerate() {
        let mut pen = Pen::new(buf, rows, y);
        if n == 0 && warning {
            pen.gap(1).put("▲", style).gap(1);
        } else {
            pen.gap(indent);
        }
        pen.put_elided(line, wide, style);
    }
}
