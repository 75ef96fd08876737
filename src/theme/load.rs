//! Themes from TOML files.
//!
//! ```toml
//! inherits = "default"
//!
//! [palette]
//! red = "#e06c75"
//!
//! [roles]
//! failing = { fg = "red", bold = true }
//! dim = "gray"
//! ```

use super::Theme;
use super::quantize::ColorDepth;
use super::role::Role;
use crate::config::{Layer, Problem, chain};
use ratatui::style::{Color, Modifier, Style};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// The words for colours besides `#rrggbb`, numbers up to 255, and the names of the palette.
const COLORS: [(&str, Color); 18] = [
    ("default", Color::Reset),
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("gray", Color::DarkGray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
];

const MONO: &str = include_str!("../../themes/mono.toml");

impl Theme {
    /// The built-in themes, in the order `next-theme` goes round.
    pub fn builtin() -> Vec<Layer> {
        [
            ("default", include_str!("../../themes/default.toml")),
            ("light", include_str!("../../themes/light.toml")),
            ("high-contrast", include_str!("../../themes/high-contrast.toml")),
            ("nord", include_str!("../../themes/nord.toml")),
            ("mono", MONO),
        ]
        .map(|(name, text)| Layer::builtin(name, text))
        .to_vec()
    }

    /// All themes by name, the operator's and the built-in ones.
    pub fn names(files: &[Layer]) -> Vec<String> {
        let mut names: Vec<String> = Self::builtin().into_iter().map(|layer| layer.name).collect();
        for layer in files {
            if !names.contains(&layer.name) {
                names.push(layer.name.clone());
            }
        }
        names
    }

    /// The theme called `name`, from the operator's files or the built-in ones, in colours of `depth`. It always works:
    /// what is wrong is reported and left out; without any theme of that name the built-in default takes its place.
    pub fn load(name: &str, files: &[Layer], depth: ColorDepth) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut layers = files.to_vec();
        layers.extend(Self::builtin());
        let mut found = chain(name, &layers, "theme", &mut problems);
        if found.is_empty() {
            found = chain("default", &layers, "theme", &mut Vec::new());
        }
        let tables: Vec<(&Layer, DeTable<'_>)> = found.iter().map(|layer| (*layer, layer.parse(&mut problems))).collect();
        // the whole palette first: a theme that only changes the palette recolours the roles it inherits
        let mut palette = BTreeMap::new();
        for (layer, table) in &tables {
            read_palette(layer, table, &mut palette, &mut problems);
        }
        let mut named: BTreeMap<Role, Style> = BTreeMap::new();
        for (layer, table) in &tables {
            read_roles(layer, table, &palette, &mut named, &mut problems);
        }
        // without colours, a theme made of colours would tell little apart: the one made without them takes its place
        let coloured = |style: &Style| style.fg.is_some_and(|fg| fg != Color::Reset);
        if depth == ColorDepth::None && named.values().any(coloured) {
            let plain = Layer::builtin("mono", MONO);
            named.clear();
            read_roles(&plain, &plain.parse(&mut problems), &palette, &mut named, &mut problems);
        }
        let styles = Role::ALL.iter().map(|role| depth.style(resolve(*role, &named))).collect();
        (Self { name: found.last().map_or(name, |layer| layer.name.as_str()).to_owned(), styles }, problems)
    }
}

/// The style of a role: its own, else that of the nearest ancestor that has one.
fn resolve(role: Role, named: &BTreeMap<Role, Style>) -> Style {
    let mut role = role;
    loop {
        if let Some(style) = named.get(&role) {
            return *style;
        }
        if role.parent() == role {
            return Style::new();
        }
        role = role.parent();
    }
}

fn section<'a, 'i>(layer: &Layer, table: &'a DeTable<'i>, name: &str, problems: &mut Vec<Problem>) -> Option<&'a DeTable<'i>> {
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == name)?;
    let inner = value.get_ref().as_table();
    if inner.is_none() {
        problems.push(layer.problem(key, format!("`{name}` must be a section: `[{name}]`")));
    }
    inner
}

fn read_palette(layer: &Layer, table: &DeTable<'_>, palette: &mut BTreeMap<String, Color>, problems: &mut Vec<Problem>) {
    for key in table.keys() {
        let name = key.get_ref().as_ref();
        if !["inherits", "palette", "roles"].contains(&name) {
            let known = ["inherits", "palette", "roles"];
            problems.push(layer.problem(key, format!("there is no section `{name}` in a theme")).suggest(name, known));
        }
    }
    for (name, value) in section(layer, table, "palette", problems).into_iter().flatten() {
        // a palette name is not made of others: what it is stands in one place
        if let Some(color) = read_color(layer, value, &BTreeMap::new(), problems) {
            palette.insert(name.get_ref().to_string(), color);
        }
    }
}

fn read_roles(
    layer: &Layer,
    table: &DeTable<'_>,
    palette: &BTreeMap<String, Color>,
    named: &mut BTreeMap<Role, Style>,
    problems: &mut Vec<Problem>,
) {
    let Some(roles) = section(layer, table, "roles", problems) else { return };
    read_role_table(layer, roles, "", palette, named, problems);
}

/// Roles by name. An unquoted `title.focus` is a table within a table to TOML, and means the same here.
fn read_role_table(
    layer: &Layer,
    roles: &DeTable<'_>,
    prefix: &str,
    palette: &BTreeMap<String, Color>,
    named: &mut BTreeMap<Role, Style>,
    problems: &mut Vec<Problem>,
) {
    for (key, value) in roles {
        let name = format!("{prefix}{}", key.get_ref());
        let role = Role::ALL.iter().copied().find(|role| role.name() == name);
        let below = value.get_ref().as_table().filter(|inner| !inner.is_empty() && inner.keys().all(|key| !is_part(key)));
        match (role, below) {
            (_, Some(inner)) if Role::ALL.iter().any(|role| role.name().starts_with(&format!("{name}."))) => {
                read_role_table(layer, inner, &format!("{name}."), palette, named, problems);
            }
            (Some(role), _) => {
                named.insert(role, read_style(layer, value, palette, problems));
            }
            (None, _) => {
                let known = Role::ALL.iter().map(|role| role.name());
                problems.push(layer.problem(key, format!("there is no role `{name}`")).suggest(&name, known));
            }
        }
    }
}

fn is_part(key: &Spanned<DeString<'_>>) -> bool {
    let name = key.get_ref().as_ref();
    name == "fg" || name == "bg" || MODIFIERS.iter().any(|(word, _)| *word == name)
}

fn read_style(
    layer: &Layer,
    value: &Spanned<DeValue<'_>>,
    palette: &BTreeMap<String, Color>,
    problems: &mut Vec<Problem>,
) -> Style {
    let mut style = Style::new();
    let DeValue::Table(parts) = value.get_ref() else {
        style.fg = read_color(layer, value, palette, problems);
        return style;
    };
    for (key, part) in parts {
        let name = key.get_ref().as_ref();
        let modifier = MODIFIERS.iter().find(|(word, _)| *word == name).map(|(_, modifier)| *modifier);
        match (name, modifier, part.get_ref()) {
            ("fg", ..) => style.fg = read_color(layer, part, palette, problems),
            ("bg", ..) => style.bg = read_color(layer, part, palette, problems),
            (_, Some(modifier), DeValue::Boolean(on)) => {
                style = if *on { style.add_modifier(modifier) } else { style.remove_modifier(modifier) };
            }
            (_, Some(_), _) => problems.push(layer.problem(part, format!("`{name}` is true or false"))),
            (_, None, _) => {
                let known = ["fg", "bg"].into_iter().chain(MODIFIERS.iter().map(|(word, _)| *word));
                problems.push(layer.problem(key, format!("a style has no `{name}`")).suggest(name, known));
            }
        }
    }
    style
}

fn read_color(
    layer: &Layer,
    value: &Spanned<DeValue<'_>>,
    palette: &BTreeMap<String, Color>,
    problems: &mut Vec<Problem>,
) -> Option<Color> {
    let word = match value.get_ref() {
        DeValue::String(word) => word.to_string(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        _ => {
            problems.push(layer.problem(value, "a colour is a name, \"#rrggbb\", or a number up to 255"));
            return None;
        }
    };
    let color = palette.get(&word).copied().or_else(|| color(&word));
    if color.is_none() {
        let known = palette.keys().map(String::as_str).chain(COLORS.iter().map(|(name, _)| *name));
        let problem = layer.problem(value, format!("there is no colour `{word}`")).suggest(&word, known);
        problems.push(match problem.help {
            Some(_) => problem,
            None => problem.with_help("a colour is a name of the palette, one of the sixteen, \"#rrggbb\", or a number up to 255"),
        });
    }
    color
}

fn color(word: &str) -> Option<Color> {
    if let Some(hex) = word.strip_prefix('#') {
        let value = u32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 6)?;
        let [_, r, g, b] = value.to_be_bytes();
        return Some(Color::Rgb(r, g, b));
    }
    if let Ok(index) = word.parse() {
        return Some(Color::Indexed(index));
    }
    COLORS.iter().find(|(name, _)| *name == word).map(|(_, color)| *color)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> (Theme, String) {
        let mine = Layer { name: "mine".into(), file: Some("mine.toml".into()), text: text.into() };
        let (theme, problems) = Theme::load("mine", &[mine], ColorDepth::True);
        (theme, problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn every_built_in_theme_is_right_and_paints_only_cursor_and_dialogs() {
        for layer in Theme::builtin() {
            for depth in [ColorDepth::None, ColorDepth::Ansi, ColorDepth::Indexed, ColorDepth::True] {
                let (theme, problems) = Theme::load(&layer.name, &[], depth);
                assert_eq!(problems, [], "{}", layer.name);
                assert_eq!(theme.name, layer.name);
                for role in Role::ALL {
                    let style = theme.style(*role);
                    assert!(style.bg.is_none() || matches!(role, Role::Cursor | Role::Dialog), "{} {}", layer.name, role.name());
                    if depth == ColorDepth::None {
                        assert_eq!((style.fg, style.bg), (None, None), "{} {}", layer.name, role.name());
                    }
                }
                // healthy is quiet, and what is wrong stands out in every depth
                assert_eq!(theme.style(Role::Text).fg, None, "{}", layer.name);
                for role in [Role::Failing, Role::Warning, Role::Cursor, Role::TitleFocus, Role::Key, Role::Match] {
                    assert_ne!(theme.style(role), theme.style(Role::Text), "{} {depth:?} {}", layer.name, role.name());
                }
                assert_ne!(theme.style(Role::Failing), theme.style(Role::Warning), "{} {depth:?}", layer.name);
            }
        }
    }

    #[test]
    fn roles_take_the_style_of_their_parent_and_a_palette_recolours_what_is_inherited() {
        let (theme, problems) = load(
            "[palette]\nblood = \"#800000\"\n[roles]\nfailing = { fg = \"blood\", bold = true }\n\"title.focus\" = \"blood\"\n",
        );
        assert_eq!(problems, "");
        let blood = Style::new().fg(Color::Rgb(0x80, 0, 0));
        assert_eq!(theme.style(Role::LogError), blood.add_modifier(Modifier::BOLD));
        assert_eq!(theme.style(Role::TitleFocus), blood);
        assert_eq!(theme.style(Role::Title), Style::new());
        let (theme, problems) = load("inherits = \"nord\"\n[palette]\nred = 124\n");
        assert_eq!(problems, "");
        assert_eq!(theme.style(Role::Failing).fg, Some(Color::Indexed(124)));
        let (theme, problems) = load("[roles]\ntitle.focus = \"red\"\nlog.error = { fg = \"red\" }\n");
        assert_eq!(problems, "");
        assert_eq!(theme.style(Role::TitleFocus).fg, Some(Color::Red));
        assert_eq!(theme.style(Role::LogError).fg, Some(Color::Red));
    }

    #[test]
    fn mistakes_are_reported_to_the_column_and_the_rest_holds() {
        for (text, want) in [
            ("[roles]\nfialing = \"red\"\n", "mine.toml:2:1: there is no role `fialing` (did you mean `failing`?)"),
            ("[roles]\nfailing = \"rde\"\n", "mine.toml:2:11: there is no colour `rde` (did you mean `red`?)"),
            (
                "[roles]\nfailing = \"#12\"\n",
                "mine.toml:2:11: there is no colour `#12` (a colour is a name of the palette, one of the sixteen, \"#rrggbb\", or a number up to 255)",
            ),
            ("[roles]\nfailing = { fgg = \"red\" }\n", "mine.toml:2:13: a style has no `fgg` (did you mean `fg`?)"),
            ("[roles]\nfailing = { bold = 1 }\n", "mine.toml:2:20: `bold` is true or false"),
            ("[rolse]\nfailing = \"red\"\n", "mine.toml:1:2: there is no section `rolse` in a theme (did you mean `roles`?)"),
            ("inherits = \"nrod\"\n", "mine.toml:1:12: there is no theme `nrod` (did you mean `nord`?)"),
        ] {
            let (theme, problems) = load(&format!("{text}\n[palette]\n"));
            assert_eq!(problems, want, "{text}");
            assert_eq!(theme.name, "mine");
        }
        let (theme, problems) = load("[roles]\nfailing = \"rde\"\nwarning = \"yellow\"\n");
        assert!(!problems.is_empty());
        assert_eq!(theme.style(Role::Warning).fg, Some(Color::Yellow));
    }

    #[test]
    fn an_unknown_theme_is_said_and_the_default_holds() {
        let (theme, problems) = Theme::load("drak", &[], ColorDepth::True);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].to_string().starts_with("there is no theme `drak`"), "{}", problems[0]);
        assert_eq!(theme.name, "default");
        assert!(theme.style(Role::Failing).fg.is_some());
    }
}
