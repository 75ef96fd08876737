//! How another machine joins a swarm. The token is shown only when it is asked for, for a minute, and is forgotten when this
//! closes.

use super::Overlay;
use super::frame::frame;
use crate::input::Command;
use crate::model::{ActionKind, ClusterId, Request, Secret, Text};
use crate::theme::Role;
use crate::ui::Effect;
use crate::ui::cx::Cx;
use crate::ui::outcome::Outcome;
use crate::ui::pane::wrapped;
use crate::ui::widget::input::TextInput;
use crate::ui::widget::pen::Pen;
use crate::util::time::Timestamp;
use crate::util::width::width;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::time::Duration;

/// How long a token is shown.
const SHOWN: Duration = Duration::from_secs(60);
/// What stands for a token that is not.
const MASK: &str = "••••••••••••••••";

/// See the module's description.
pub struct Join {
    cluster: Option<ClusterId>,
    managers: bool,
    /// When the token was asked for: an answer from before is none.
    asked: Option<Timestamp>,
}

/// What may be said of the token.
enum Token<'a> {
    Masked,
    Asked,
    Shown(&'a Secret, &'a Text),
    Failed(&'a Text),
}

impl Join {
    /// For the swarm of the row under the cursor.
    pub fn new(cluster: Option<ClusterId>) -> Self {
        Self { cluster, managers: false, asked: None }
    }

    /// Why there is nothing to join by, if so.
    fn refusal(&self, cx: &Cx<'_>) -> Option<String> {
        let Some(state) = self.cluster.as_ref().and_then(|id| cx.world.cluster(id)) else {
            return Some("put the cursor on a row of the swarm first".to_owned());
        };
        let cluster = &state.cluster;
        let name = Text::new(&cluster.id);
        if !cluster.capabilities.can(ActionKind::RotateToken) {
            return Some(format!("{name} ({}) has no join tokens: only a swarm has", cluster.kind.word()));
        }
        if !cx.reveals {
            return Some("a token is shown on a terminal only".to_owned());
        }
        if cluster.read_only || cx.read_only {
            return Some(format!("{name} is read-only here: who may change nothing is not shown how"));
        }
        (!cluster.link.is_live()).then(|| format!("{name} is {}", cluster.link.word()))
    }

    fn token<'a>(&self, cx: &Cx<'a>) -> Token<'a> {
        let Some(asked) = self.asked.filter(|asked| cx.since(*asked) < SHOWN && self.refusal(cx).is_none()) else {
            return Token::Masked;
        };
        let join = self.cluster.as_ref().and_then(|id| cx.world.cluster(id)).and_then(|state| state.join.as_deref());
        match join.filter(|join| join.managers == self.managers && join.at >= asked).map(|join| &join.found) {
            None => Token::Asked,
            Some(Ok((token, address))) => Token::Shown(token, address),
            Some(Err(why)) => Token::Failed(why),
        }
    }

    fn conceal(&mut self) -> Vec<Effect> {
        self.asked = None;
        self.cluster.iter().map(|id| Effect::Request(Request::Conceal(id.clone()))).collect()
    }
}

fn command(token: &str, address: &str) -> String {
    format!("docker swarm join --token {token} {address}")
}

impl Overlay for Join {
    fn text(&mut self, input: TextInput, cx: &Cx<'_>) -> Outcome {
        match input {
            TextInput::Escape => Outcome::Close(self.conceal()),
            TextInput::Tab | TextInput::BackTab | TextInput::Left | TextInput::Right | TextInput::Up | TextInput::Down => {
                self.managers = !self.managers;
                Outcome::Effects(self.conceal())
            }
            TextInput::Char('r') | TextInput::Enter => match (&self.cluster, self.refusal(cx)) {
                (Some(cluster), None) => {
                    self.asked = Some(cx.moment.now);
                    Outcome::Effects(vec![Effect::Request(Request::Reveal { cluster: cluster.clone(), managers: self.managers })])
                }
                _ => Outcome::Handled,
            },
            TextInput::Char('c') => match self.token(cx) {
                Token::Shown(token, address) => {
                    let copied = Effect::Copy(command(token.reveal(), address));
                    Outcome::Close(std::iter::once(copied).chain(self.conceal()).collect())
                }
                _ => Outcome::Handled,
            },
            _ => Outcome::Handled,
        }
    }

    fn command(&mut self, command: Command, _cx: &Cx<'_>) -> Outcome {
        match command {
            Command::Back | Command::Quit => Outcome::Close(self.conceal()),
            _ => Outcome::Ignored,
        }
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        let most = usize::from(area.width.saturating_sub(6)).clamp(20, 110);
        let mut lines: Vec<(String, Role)> = Vec::new();
        let mut put = |text: &str, role: Role| lines.extend(wrapped(text, most).map(|line| (line.to_owned(), role)));
        let ask = if let Some(why) = self.refusal(cx) {
            put(&why, Role::Warning);
            "esc closes"
        } else {
            put("run this on the machine that is to join:", Role::Dialog);
            match self.token(cx) {
                Token::Masked | Token::Asked => put(&command(MASK, "…"), Role::Dim),
                Token::Shown(token, address) => put(&command(token.reveal(), address), Role::Strong),
                Token::Failed(why) => put(why, Role::Failing),
            }
            let what = match self.managers {
                true => "whoever has it can join as a manager, and gets all that the swarm keeps secret",
                false => "whoever has it can join as a worker, and runs what the swarm gives it, with its secrets",
            };
            put(&format!("▲ {what}"), Role::Warning);
            match self.token(cx) {
                Token::Masked => "r shows the token for a minute · esc closes",
                Token::Asked => "asking the swarm… · esc closes",
                Token::Shown(..) => "c copies the command and closes · esc closes",
                Token::Failed(_) => "r asks again · esc closes",
            }
        };
        let wide = lines.iter().map(|(line, _)| width(line)).max().unwrap_or(0).max(width(ask)).max(44).min(most);
        let size = (u16::try_from(wide).unwrap_or(u16::MAX), u16::try_from(lines.len() + 4).unwrap_or(u16::MAX));
        let name = self.cluster.as_ref().map(|id| Text::new(id)).unwrap_or_default();
        let inner = frame(area, buf, cx, &[("join ", Role::Strong), (name.as_str(), Role::Strong)], size);
        let Some(last) = inner.bottom().checked_sub(1).filter(|last| *last > inner.y) else { return };
        let mut pen = Pen::new(buf, inner, inner.y);
        pen.put("as a", cx.style(Role::Dim)).gap(2);
        for (word, chosen) in [("worker", !self.managers), ("manager", self.managers)] {
            let (mark, role) = if chosen { ("▸", Role::Input) } else { (" ", Role::Hint) };
            pen.put(mark, cx.style(role)).put(word, cx.style(role)).gap(1);
        }
        pen.gap(1).put("tab", cx.style(Role::Hint));
        for ((line, role), y) in lines.iter().zip(inner.y + 2..last) {
            Pen::new(buf, inner, y).put(line, cx.style(*role));
        }
        Pen::new(buf, inner, last).put(ask, cx.style(Role::Key));
    }
}
