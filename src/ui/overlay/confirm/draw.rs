//! How the dialog draws itself: its title, what happens to each object, and how to go on.

use super::Confirm;
use crate::model::{AT_ONCE, Danger, Text, World};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::overlay::frame::frame;
use crate::ui::pane::wrapped;
use crate::ui::widget::pen::Pen;
use crate::util::width::width;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

impl Confirm {
    pub(super) fn draw(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        self.cursor = None;
        let (title, clusters, protected) = self.head(cx);
        let mut head = vec![(title.as_str(), Role::Strong), (" · ", Role::Rule), (clusters.as_str(), Role::Dialog)];
        if protected {
            head.push((" (protected)", Role::Danger));
        }
        let most = usize::from(area.width.saturating_sub(6)).clamp(20, 90);
        let lines = self.lines(most);
        let (ask, role) = self.ask(cx.world);
        let leave = "esc leaves all as it is";
        let typing = self.danger == Danger::Destructive && !self.in_entry && self.refusal().is_none() && self.held().is_none();
        let ask_wide = width(&ask) + if typing { width(&self.word()) + 2 } else { 0 };
        // the way out goes to a line of its own where both do not fit side by side
        let stacked = ask_wide + width(leave) + 3 > most;
        let widest = lines.iter().map(|(indent, text, _)| indent + width(text)).max().unwrap_or(0);
        let wide = widest.max(if stacked { ask_wide.min(most) } else { ask_wide + width(leave) + 3 }).max(44).min(most);
        let top = if self.entry.is_some() { 2 } else { 0 };
        let asks: Vec<&str> = if typing { vec![ask.as_str()] } else { wrapped(&ask, wide).collect() };
        let bottom = 1 + asks.len().max(1) + usize::from(stacked);
        let high = lines.len() + top + bottom;
        let size = (u16::try_from(wide).unwrap_or(u16::MAX), u16::try_from(high).unwrap_or(u16::MAX));
        let inner = frame(area, buf, cx, &head, size);
        if inner.height == 0 {
            return;
        }
        let mut y = inner.y;
        if let Some(entry) = &self.entry {
            let x = entry.draw(&mut Pen::new(buf, inner, y), cx);
            if let Some(x) = x.filter(|_| self.in_entry) {
                self.cursor = Some(Position { x, y });
            }
            y += 2;
        }
        let foot = inner.bottom().saturating_sub(u16::try_from(bottom - 1).unwrap_or(u16::MAX)).max(inner.y);
        let room = usize::from(foot.saturating_sub(1).saturating_sub(y)).max(usize::from(y < foot));
        self.scroll = self.scroll.min(lines.len().saturating_sub(room));
        let hidden = lines.len().saturating_sub(self.scroll + room);
        for (n, (indent, text, role)) in lines.iter().skip(self.scroll).take(room).enumerate() {
            let row = y + u16::try_from(n).unwrap_or(u16::MAX);
            let mut pen = Pen::new(buf, inner, row);
            if n + 1 == room && hidden > 0 {
                pen.put(&format!("↓ {} more lines (page-down)", hidden + 1), cx.style(Role::Hint));
            } else {
                pen.gap(*indent).put(text, cx.style(*role));
            }
        }
        for (n, line) in asks.iter().enumerate() {
            let row = foot + u16::try_from(n).unwrap_or(u16::MAX);
            let mut pen = Pen::new(buf, inner, row);
            pen.put(line, cx.style(role));
            if typing {
                let room = pen.room();
                let x = self.typed.draw(&mut pen, cx.style(Role::Input), room);
                self.cursor = Some(Position { x: x.min(inner.right().saturating_sub(1)), y: row });
            }
        }
        let out = inner.right().saturating_sub(u16::try_from(width(leave)).unwrap_or(0)).max(inner.x);
        Pen::new(buf, inner, inner.bottom() - 1).to(out).put(leave, cx.style(Role::Hint));
    }

    fn head(&self, cx: &Cx<'_>) -> (String, String, bool) {
        let title = match self.targets.as_slice() {
            [one] => match &one.preview {
                Ok(preview) => preview.title.to_string(),
                Err(_) => format!("{} {}", self.action.kind().spec().label, one.name),
            },
            many => format!("{} {} {}s", self.action.kind().spec().label, many.len(), self.action.kind().spec().on.word()),
        };
        let mut clusters: Vec<&str> = self.targets.iter().map(|target| target.object.cluster.as_str()).collect();
        clusters.sort_unstable();
        clusters.dedup();
        let protected =
            self.targets.iter().any(|t| cx.world.cluster(&t.object.cluster).is_some_and(|state| state.cluster.protected));
        (title, Text::from(clusters.join(", ")).to_string(), protected)
    }

    /// The body: what happens to each object, then what is left out.
    fn lines(&self, wide: usize) -> Vec<(usize, String, Role)> {
        let mut lines = Vec::new();
        let mut put = |indent: usize, text: &str, role: Role| {
            // behind its sign a warning has the room that is left beside it, in all its lines
            let (sign, hang) = if role == Role::Warning { ("▲ ", 2) } else { ("", 0) };
            for (n, line) in wrapped(text, wide.saturating_sub(indent + hang)).enumerate() {
                lines.push(if n == 0 { (indent, format!("{sign}{line}"), role) } else { (indent + hang, line.to_owned(), role) });
            }
        };
        let many = self.targets.len() > 1;
        let indent = if many { 2 } else { 0 };
        if many {
            let few = if self.targets.len() > AT_ONCE { format!("{AT_ONCE} at a time; ") } else { String::new() };
            let fate = if self.stop { "begins no more once one fails" } else { "goes on when one fails" };
            put(0, &format!("{few}{fate} (shift-tab changes that)"), Role::Dialog);
        }
        for target in &self.targets {
            if many {
                let cluster = if self.targets.iter().any(|t| t.object.cluster != target.object.cluster) {
                    format!(" · {}", Text::new(&target.object.cluster))
                } else {
                    String::new()
                };
                put(0, &format!("{}{cluster}", target.preview.as_ref().map_or(&target.name, |p| &p.title)), Role::Strong);
            }
            match (&target.changed, &target.preview) {
                (Some(what), _) => put(indent, &format!("✖ {what}"), Role::Failing),
                (None, Err(why)) => put(indent, &format!("✖ {why}"), Role::Failing),
                (None, Ok(preview)) => {
                    for line in &preview.lines {
                        put(indent, &line.text, if line.warning { Role::Warning } else { Role::Dialog });
                    }
                }
            }
        }
        for (name, why) in &self.left_out {
            put(0, &format!("left out: {name}: {why}"), Role::Dim);
        }
        lines
    }

    /// The last line: how to go on.
    fn ask(&self, world: &World) -> (String, Role) {
        if let Some(why) = self.refusal() {
            return (why.to_string(), Role::Failing);
        }
        if let Some(why) = self.held() {
            return (why.to_string(), Role::Hint);
        }
        if let Some(hint) = &self.hint {
            return (hint.to_string(), Role::Warning);
        }
        if let Some((_, how)) = self.missing(world).filter(|_| self.in_entry) {
            return (how.into(), Role::Hint);
        }
        match self.danger {
            Danger::Reversible => ("enter to go on".into(), Role::Key),
            Danger::Disruptive if self.in_line() => ("enter, then y".into(), Role::Key),
            Danger::Disruptive => ("y to go on".into(), Role::Key),
            Danger::Destructive if self.in_entry => ("enter, then type the name".into(), Role::Key),
            Danger::Destructive => (format!("type {} to go on: ", self.word()), Role::Danger),
        }
    }
}
