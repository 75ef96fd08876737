//! What goes to the clipboard, and what is said of it.

use super::Ui;
use crate::ui::{Effect, Moment};

/// Bytes that may be copied at once: terminals drop a sequence with more than about 74 KB, in which three bytes take four,
/// and say nothing.
const MOST: usize = 55_000;

impl Ui {
    /// Says what these effects copy, by its words if it may be `told`; what a terminal would not take is left out.
    pub(super) fn copying(&mut self, mut effects: Vec<Effect>, told: bool, moment: Moment) -> Vec<Effect> {
        let text = effects.iter().find_map(|effect| if let Effect::Copy(text) = effect { Some(text) } else { None });
        let Some(text) = text else { return effects };
        if text.len() > MOST {
            let (long, most) = (text.len().div_ceil(1_000), MOST / 1_000);
            self.say(format!("nothing was copied: it is {long} KB, and terminals take {most} KB at most"), true, moment);
            effects.retain(|effect| !matches!(effect, Effect::Copy(_)));
            return effects;
        }
        let words = match text.lines().count() {
            _ if !told => "copied".to_owned(),
            0 | 1 => format!("copied {text}"),
            n => format!("copied {n} lines"),
        };
        self.say(words, false, moment);
        effects
    }
}
