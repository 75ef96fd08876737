//! Changes to labels or taints of nodes, typed as `kubectl` has them.

use crate::analysis::edits;
use crate::model::{Action, LabelEdit, Node, TaintEdit, Text};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::widget::input::{LineEdit, TextInput};
use crate::ui::widget::pen::Pen;

/// Columns it has at least; a longer line is scrolled.
const WIDE: u16 = 60;

/// See the module's description.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    line: LineEdit,
    /// Which of the two, and for labels whether Kubernetes reads them.
    taints: bool,
    strict: bool,
}

impl Edits {
    /// Labels, by the rules of Kubernetes or a swarm. Those given stand there already.
    pub fn labels(edits: &[LabelEdit], strict: bool) -> Self {
        let words: Vec<String> = edits.iter().map(LabelEdit::words).collect();
        Self { line: LineEdit::new(&words.join(" ")), taints: false, strict }
    }

    /// Taints. Those given stand there already.
    pub fn taints(edits: &[TaintEdit]) -> Self {
        let words: Vec<String> = edits.iter().map(TaintEdit::words).collect();
        Self { line: LineEdit::new(&words.join(" ")), taints: true, strict: true }
    }

    /// Writes them into the action; none where they cannot be read.
    pub fn apply(&self, action: &mut Action) {
        match action {
            Action::Label { edits: all } => *all = edits::labels(self.line.text(), self.strict).unwrap_or_default(),
            Action::Taint { edits: all } => *all = edits::taints(self.line.text()).unwrap_or_default(),
            _ => {}
        }
    }

    /// Edits; true if its value may have changed.
    pub fn edit(&mut self, input: &TextInput) -> bool {
        self.line.edit(input)
    }

    /// What is wrong with them, or that nothing would change on these nodes.
    pub fn missing<'a>(&self, mut nodes: impl Iterator<Item = &'a Node>) -> Option<Text> {
        let same = if self.taints {
            match edits::taints(self.line.text()) {
                Err(why) => return Some(why),
                Ok(all) => nodes.all(|node| all.iter().all(|edit| edit.holds(node))),
            }
        } else {
            match edits::labels(self.line.text(), self.strict) {
                Err(why) => return Some(why),
                Ok(all) => nodes.all(|node| all.iter().all(|edit| edit.holds(node))),
            }
        };
        same.then(|| Text::new(if self.line.text().trim().is_empty() { self.how() } else { "so it is: nothing would change" }))
    }

    /// How they are written.
    pub fn how(&self) -> &'static str {
        if self.taints {
            "type key=value:NoSchedule to put one on, key:NoSchedule- to take one away"
        } else {
            "type key=value to set one, key- to take one away"
        }
    }

    /// Draws them, and returns the column of the cursor.
    pub fn draw(&self, pen: &mut Pen<'_>, cx: &Cx<'_>) -> u16 {
        pen.put(if self.taints { "taints" } else { "labels" }, cx.style(Role::Dim)).gap(2);
        self.line.draw(pen, cx.style(Role::Input), WIDE)
    }
}
