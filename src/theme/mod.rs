//! Roles and the style each has on this terminal.
//!
//! Imports ratatui's style types and the reading of named files from `config`.

mod load;
mod quantize;
mod role;

pub use quantize::{ColorDepth, Rgb, rgb_of, sixteen};
pub use role::Role;

use ratatui::style::Style;

/// A theme made ready for one terminal: every role has a style in colours that the terminal can show.
#[derive(Clone, Debug)]
pub struct Theme {
    /// Its name.
    pub name: String,
    styles: Vec<Style>,
}

impl Theme {
    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// No colours at all; bold, dim and reverse only. What `mono` and `NO_COLOR` come down to.
    pub fn plain() -> Self {
        use ratatui::style::Modifier;
        let styles = Role::ALL
            .iter()
            .map(|role| match role {
                Role::Cursor => Style::new().add_modifier(Modifier::REVERSED),
                Role::Strong | Role::Title | Role::TitleFocus | Role::Failing | Role::Danger | Role::Key | Role::Marked => {
                    Style::new().add_modifier(Modifier::BOLD)
                }
                Role::Dim | Role::Rule | Role::Header | Role::Stale | Role::Hint => Style::new().add_modifier(Modifier::DIM),
                _ => Style::new(),
            })
            .collect();
        Self { name: "plain".into(), styles }
    }
}
