//! What helps next, by what is wrong: keys that work here, most useful first.

use super::sheet::Sheet;
use crate::input::Command;
use crate::model::ObjectRef;
use crate::theme::Role;
use crate::ui::act;
use crate::ui::cx::Cx;
use crate::ui::keyrow;

/// Writes `next   R roll back to revision 7 · l logs · e events`. Commands without a key, or that can do nothing for this object, are left out.
pub fn write(cx: &Cx<'_>, sheet: &mut Sheet, objects: &[ObjectRef], steps: &[(Command, &str)]) {
    let mut pieces: Vec<(String, Role)> = Vec::new();
    for (command, more) in steps {
        let Some(key) = cx.key(*command).filter(|_| act::fits(*command, objects, cx)) else { continue };
        let gap = if pieces.is_empty() { "" } else { " · " };
        pieces.push((format!("{gap}{key} {}{more}", keyrow::word(*command)), Role::Text));
    }
    if !pieces.is_empty() {
        let pieces: Vec<(&str, Role)> = pieces.iter().map(|(text, role)| (text.as_str(), *role)).collect();
        sheet.field("next", Role::Key, &pieces);
    }
}
