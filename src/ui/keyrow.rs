//! The last row: the keys that work here and now, or something just said.

use super::cx::Cx;
use super::widget::pen::Pen;
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
        Command::LogsPrevious => "previous logs",
        Command::Inspect => "yaml",
        Command::Palette => "command",
        Command::PauseNode => "pause",
        Command::Sort => "sort",
        _ => command.name().rsplit('.').next().unwrap_or_default(),
    }
}

/// Draws the hints of these commands. Those that do not fit are left out, the everywhere ones last of all.
pub fn draw(area: Rect, y: u16, buf: &mut Buffer, cx: &Cx<'_>, commands: &[Command], filter: bool) {
    let cost = |command: &Command| cx.hints.key(*command).map_or(0, |key| width(key) + width(word(*command)) + 3);
    let everywhere = || EVERYWHERE.iter().filter(|c| filter || **c != Command::Filter);
    let kept: usize = everywhere().map(cost).sum();
    let mut pen = Pen::new(buf, area, y);
    pen.gap(1);
    for command in commands {
        if usize::from(pen.room()) < kept + cost(command) {
            break;
        }
        hint(&mut pen, cx, *command);
    }
    everywhere().for_each(|command| hint(&mut pen, cx, *command));
}

fn hint(pen: &mut Pen<'_>, cx: &Cx<'_>, command: Command) {
    if let Some(key) = cx.hints.key(command) {
        pen.put(key, cx.style(Role::Key)).gap(1);
        pen.put(word(command), cx.style(Role::Hint)).gap(2);
    }
}

/// Draws something just said instead of the hints.
pub fn say(area: Rect, y: u16, buf: &mut Buffer, cx: &Cx<'_>, words: &str, warning: bool) {
    let mut pen = Pen::new(buf, area, y);
    if warning {
        pen.gap(1).put("▲", cx.style(Role::Warning));
    }
    let room = usize::from(pen.room());
    pen.gap(1).put_elided(words, room, cx.style(if warning { Role::Warning } else { Role::Text }));
}
