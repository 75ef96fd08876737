//! What Quarterdeck has said so far, newest first.

use super::{Overlay, frame::frame};
use crate::input::{Command, Scope};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::outcome::Outcome;
use crate::ui::pane::wrapped;
use crate::ui::view::clock;
use crate::ui::widget::input::TextInput;
use crate::ui::widget::pen::Pen;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// See the module's description.
#[derive(Default)]
pub struct Notices {
    scroll: usize,
    page: usize,
}

impl Overlay for Notices {
    fn wants_text(&self) -> bool {
        false
    }

    fn scopes(&self) -> &[Scope] {
        &[Scope::List]
    }

    fn text(&mut self, _input: TextInput, _cx: &Cx<'_>) -> Outcome {
        Outcome::Ignored
    }

    fn command(&mut self, command: Command, _cx: &Cx<'_>) -> Outcome {
        let page = self.page.cast_signed();
        let by = match command {
            Command::Up => -1,
            Command::Down => 1,
            Command::PageUp => -page,
            Command::PageDown => page,
            Command::Top => isize::MIN,
            Command::Bottom => isize::MAX,
            Command::Open | Command::Notices => return Outcome::Close(Vec::new()),
            _ => return Outcome::Ignored,
        };
        self.scroll = self.scroll.saturating_add_signed(by);
        Outcome::Handled
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        let wide = area.width.saturating_sub(6).min(110);
        let text = usize::from(wide).saturating_sub(12).max(1);
        let mut lines: Vec<(String, String, bool)> = Vec::new();
        for notice in cx.world.notices.iter().rev() {
            for (n, line) in wrapped(&notice.text, text).enumerate() {
                let time = if n == 0 { clock::time(cx, notice.at) } else { String::new() };
                lines.push((time, line.to_owned(), notice.warning));
            }
        }
        if lines.is_empty() {
            lines.push((String::new(), "nothing so far".into(), false));
        }
        let high = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(4));
        let inner = frame(area, buf, cx, &[("notices", Role::Strong), (" · newest first", Role::Dim)], (wide, high));
        self.page = usize::from(inner.height).max(1);
        self.scroll = self.scroll.min(lines.len().saturating_sub(self.page));
        for ((time, line, warning), y) in lines.iter().skip(self.scroll).zip(inner.y..inner.bottom()) {
            let mut pen = Pen::new(buf, inner, y);
            pen.put(time, cx.style(Role::Dim)).to(inner.x.saturating_add(9));
            // a sign besides the colour, on its first line
            pen.put(if *warning && !time.is_empty() { "▲ " } else { "  " }, cx.style(Role::Warning));
            pen.put(line, cx.style(if *warning { Role::Warning } else { Role::Text }));
        }
    }
}
