//! One of the definitions a service had, chosen with the arrow keys.

use crate::model::Earlier;
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::pane::cells::short_image;
use crate::ui::widget::input::TextInput;
use crate::ui::widget::pen::Pen;
use crate::util::humanize;

/// See the module's description.
#[derive(Clone, Debug)]
pub struct Revision {
    /// The previous one first.
    all: Vec<Earlier>,
    at: usize,
}

impl Revision {
    /// Begins with the one of this number, else with the first, the previous one.
    pub fn new(all: Vec<Earlier>, to: Option<u64>) -> Self {
        let at = all.iter().position(|earlier| to == Some(earlier.revision)).unwrap_or(0);
        Self { all, at }
    }

    /// The number of the one chosen.
    pub fn value(&self) -> Option<u64> {
        self.all.get(self.at).map(|earlier| earlier.revision)
    }

    /// Edits, down to older ones; true if another one is chosen.
    pub fn edit(&mut self, input: &TextInput) -> bool {
        let to = match input {
            TextInput::Down | TextInput::Tab => (self.at + 1).min(self.all.len().saturating_sub(1)),
            TextInput::Up | TextInput::BackTab => self.at.saturating_sub(1),
            _ => self.at,
        };
        std::mem::replace(&mut self.at, to) != to
    }

    /// Draws the one chosen, and how many there are.
    pub fn draw(&self, pen: &mut Pen<'_>, cx: &Cx<'_>) {
        let Some(chosen) = self.all.get(self.at) else { return };
        pen.put("revision", cx.style(Role::Dim)).gap(2).put(&format!("▸{}", chosen.revision), cx.style(Role::Input));
        let age = chosen.made.map(|made| format!(" · made {} ago", humanize::age_of(cx.since(made)))).unwrap_or_default();
        pen.gap(2).put(&format!("{}{age}", short_image(&chosen.image)), cx.style(Role::Dialog));
        pen.gap(2).put(&format!("{} of {} ↑ ↓", self.at + 1, self.all.len()), cx.style(Role::Hint));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn down_goes_to_older_ones_and_stops_at_the_oldest() {
        let earlier = |revision| Earlier { revision, image: "web:1".into(), made: None };
        assert_eq!(Revision::new(vec![earlier(6), earlier(4)], Some(4)).value(), Some(4));
        let mut entry = Revision::new(vec![earlier(6), earlier(4)], None);
        assert_eq!(entry.value(), Some(6));
        assert!(!entry.edit(&TextInput::Char('4')) && !entry.edit(&TextInput::Up));
        assert!(entry.edit(&TextInput::Down) && !entry.edit(&TextInput::Down));
        assert_eq!(entry.value(), Some(4));
    }
}
