//! Finds by name: commands, panes, clusters, namespaces, nodes and services. The same list picks a cluster or a namespace
//! to narrow to.

use super::{Here, Overlay, frame::frame};
use crate::input::{Command, Scope};
use crate::model::{ClusterId, Kind, ObjectRef, Text};
use crate::theme::Role;
use crate::ui::act;
use crate::ui::cx::{Cx, Narrow};
use crate::ui::outcome::{Go, Outcome};
use crate::ui::view::naming;
use crate::ui::widget::input::{LineEdit, TextInput};
use crate::ui::widget::pen::Pen;
use crate::util::width::{elide_end, width};
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::collections::BTreeMap;

/// What an entry does.
#[derive(Clone, Debug)]
enum Pick {
    Command(Command),
    Narrow(Narrow),
    Object(ObjectRef),
}

/// A line to pick.
#[derive(Clone, Debug)]
struct Entry {
    /// What is shown, and what tab completes to.
    name: Text,
    /// Other names.
    also: &'static str,
    doc: Text,
    key: String,
    /// Why it cannot be picked now.
    refused: Option<Text>,
    pick: Pick,
}

impl Entry {
    /// Its place while nothing is typed: what can be done to the row under the cursor, then the rest, then what leaves the
    /// program (an enter too many must not), then what cannot be done.
    fn rank(&self) -> u8 {
        match &self.pick {
            _ if self.refused.is_some() => 3,
            Pick::Command(Command::Quit | Command::Suspend) => 2,
            Pick::Command(command) if !matches!(command.scope(), Scope::Global | Scope::List) => 0,
            _ => 1,
        }
    }
}

/// See the module's description.
pub struct Palette {
    title: &'static str,
    entries: Vec<Entry>,
    /// Found only by typing: there may be thousands.
    objects: Vec<Entry>,
    typed: LineEdit,
    /// Indices into `entries`, then (past its length) into `objects`; best first.
    found: Vec<usize>,
    at: usize,
    offset: usize,
    matcher: Matcher,
    cursor: Option<Position>,
}

/// Most lines listed.
const MOST: usize = 200;
/// Characters from which nodes and services are searched too.
const ENOUGH: usize = 2;

/// Commands that only make sense as keys.
const KEYS_ONLY: [Command; 9] = [
    Command::Up,
    Command::Down,
    Command::PageUp,
    Command::PageDown,
    Command::Top,
    Command::Bottom,
    Command::Left,
    Command::Right,
    Command::Palette,
];

/// Other names of commands, those of k9s among them.
fn aliases(command: Command) -> &'static str {
    match command {
        Command::PaneFleet => "pulses pulse home",
        Command::PaneClusters => "clusters",
        Command::PaneNodes => "no node nodes",
        Command::PaneServices => "svc service services dp deploy deployment deployments sts ds statefulsets daemonsets jobs stacks",
        Command::PaneTasks => "po pod pods task tasks containers",
        Command::PaneEvents => "ev event events",
        Command::PaneLogs => "log logs",
        Command::PaneMetrics => "top graphs",
        Command::PaneOperations => "ops operations",
        Command::ScopeNamespace => "ns namespace namespaces",
        Command::ScopeCluster => "ctx context contexts",
        Command::ScopeAll => "all",
        Command::Quit => "q q! qa exit",
        Command::Redeploy => "restart rollout",
        Command::RollBack => "rollback undo",
        Command::DeleteTask | Command::DeleteService => "rm remove",
        Command::ForceDelete => "rm remove",
        Command::HoldService => "pause suspend",
        Command::ResumeService => "unpause unsuspend",
        Command::TriggerService => "trigger job",
        Command::PauseNode => "cordon",
        Command::ActivateNode => "uncordon",
        Command::Reschedule => "move evict",
        Command::Inspect => "yaml json",
        Command::Detail => "describe",
        Command::ToggleTime => "utc local clock",
        Command::NextTheme => "skin colors colours",
        _ => "",
    }
}

impl Palette {
    /// Everything that has a name.
    pub fn everything(cx: &Cx<'_>, here: &Here) -> Self {
        let commands = Command::ALL.iter().filter(|command| !KEYS_ONLY.contains(command)).map(|command| Entry {
            name: Text::new(command.name()),
            also: aliases(*command),
            doc: Text::new(command.doc()),
            key: cx.keymap.key_for(*command, &here.scopes).unwrap_or_default().to_owned(),
            refused: refused(*command, cx, here),
            pick: Pick::Command(*command),
        });
        let mut entries: Vec<Entry> = commands.collect();
        entries.extend(clusters(cx));
        entries.extend(namespaces(cx, "namespace "));
        Self::of("", entries, objects(cx))
    }

    /// The clusters, to narrow to one.
    pub fn clusters(cx: &Cx<'_>, here: &Here) -> Self {
        let all = entry("all clusters", "widen", Narrow { cluster: None, ..cx.place.narrow.clone() });
        let entries: Vec<Entry> = std::iter::once(all).chain(clusters(cx)).collect();
        let wanted = here.cluster.as_ref();
        let mut picker = Self::of("narrow to a cluster", entries, Vec::new());
        picker.point(|pick| matches!(pick, Pick::Narrow(narrow) if narrow.cluster.is_some() && narrow.cluster.as_ref() == wanted));
        picker
    }

    /// The namespaces and stacks, to narrow to one.
    pub fn namespaces(cx: &Cx<'_>, here: &Here) -> Self {
        let all = entry("all namespaces", "widen", Narrow { namespace: None, ..cx.place.narrow.clone() });
        let entries: Vec<Entry> = std::iter::once(all).chain(namespaces(cx, "")).collect();
        let wanted = here.namespace.as_ref();
        let mut picker = Self::of("narrow to a namespace or stack", entries, Vec::new());
        picker.point(
            |pick| matches!(pick, Pick::Narrow(narrow) if narrow.namespace.is_some() && narrow.namespace.as_ref() == wanted),
        );
        picker
    }

    fn of(title: &'static str, entries: Vec<Entry>, objects: Vec<Entry>) -> Self {
        let mut palette = Self {
            title,
            entries,
            objects,
            typed: LineEdit::default(),
            found: Vec::new(),
            at: 0,
            offset: 0,
            matcher: Matcher::new(Config::DEFAULT),
            cursor: None,
        };
        palette.find();
        palette
    }

    fn point(&mut self, wanted: impl Fn(&Pick) -> bool) {
        self.at = self.found.iter().position(|n| self.entry(*n).is_some_and(|entry| wanted(&entry.pick))).unwrap_or(0);
    }

    fn entry(&self, n: usize) -> Option<&Entry> {
        self.entries.get(n).or_else(|| self.objects.get(n.checked_sub(self.entries.len())?))
    }

    /// Finds what fits, best first: an exact name, then names, then what it says of itself; what can be picked before
    /// what cannot.
    fn find(&mut self) {
        let typed = self.typed.text().trim().to_lowercase();
        self.at = 0;
        self.offset = 0;
        if typed.is_empty() {
            let mut all: Vec<usize> = (0..self.entries.len()).collect();
            all.sort_by_key(|n| self.entries.get(*n).map(Entry::rank));
            self.found = all;
            return;
        }
        let by_name = Pattern::new(&typed, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        let by_doc = Pattern::new(&typed, CaseMatching::Ignore, Normalization::Smart, AtomKind::Substring);
        let enough = typed.chars().count() >= ENOUGH;
        let searched = self.entries.iter().chain(self.objects.iter().filter(|_| enough));
        let mut buffer = Vec::new();
        let mut ranked: Vec<(u8, bool, u32, usize)> = Vec::new();
        for (n, entry) in searched.enumerate() {
            let exact = entry.name.eq_ignore_ascii_case(&typed) || entry.also.split(' ').any(|alias| alias == typed);
            let mut score = |pattern: &Pattern, text: &str| pattern.score(Utf32Str::new(text, &mut buffer), &mut self.matcher);
            let name = score(&by_name, &entry.name);
            let also = entry.also.split(' ').filter_map(|alias| score(&by_name, alias)).max();
            let (tier, score) = match (exact, name.max(also)) {
                (true, score) => (3, score.unwrap_or(0)),
                (false, Some(score)) => (2, score),
                (false, None) => match score(&by_doc, &entry.doc) {
                    Some(score) => (1, score),
                    None => continue,
                },
            };
            ranked.push((tier, entry.refused.is_none(), score, n));
        }
        ranked.sort_unstable_by(|a, b| (b.0, b.1, b.2).cmp(&(a.0, a.1, a.2)).then(a.3.cmp(&b.3)));
        ranked.truncate(MOST);
        self.found = ranked.into_iter().map(|(.., n)| n).collect();
    }

    fn step(&mut self, by: isize) -> Outcome {
        let last = self.found.len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
        Outcome::Handled
    }

    fn run(&self) -> Outcome {
        let Some(entry) = self.found.get(self.at).and_then(|n| self.entry(*n)) else {
            return Outcome::Handled;
        };
        match (&entry.refused, &entry.pick) {
            // the reason stands beside it
            (Some(_), _) => Outcome::Handled,
            (None, Pick::Command(command)) => Outcome::Run(*command),
            (None, Pick::Narrow(narrow)) => Outcome::Go(Go::Narrow(narrow.clone())),
            (None, Pick::Object(object)) => Outcome::Go(Go::To(object.clone())),
        }
    }
}

fn entry(name: &str, doc: &str, narrow: Narrow) -> Entry {
    Entry { name: Text::new(name), also: "", doc: Text::new(doc), key: String::new(), refused: None, pick: Pick::Narrow(narrow) }
}

fn clusters(cx: &Cx<'_>) -> Vec<Entry> {
    let narrow = |id: &ClusterId| Narrow { cluster: Some(id.clone()), namespace: None };
    let entry = |state: &std::sync::Arc<crate::model::ClusterState>| {
        let cluster = &state.cluster;
        let doc = format!("cluster · {} · {}", cluster.kind.word(), cluster.link.word());
        Entry { also: "ctx context", ..entry(&cluster.id, &doc, narrow(&cluster.id)) }
    };
    cx.world.clusters.iter().map(entry).collect()
}

/// Every namespace and stack of the clusters shown, with how many services it has.
fn namespaces(cx: &Cx<'_>, prefix: &str) -> Vec<Entry> {
    let mut counts: BTreeMap<Text, usize> = BTreeMap::new();
    for state in cx.clusters() {
        for service in state.services.iter().filter(|service| !service.namespace.is_empty()) {
            *counts.entry(service.namespace.clone()).or_default() += 1;
        }
    }
    let narrow = |namespace: &Text| Narrow { cluster: cx.place.narrow.cluster.clone(), namespace: Some(namespace.clone()) };
    let doc = |n: usize| if n == 1 { "1 service".to_owned() } else { format!("{n} services") };
    let entry = |(name, n): (&Text, &usize)| Entry { also: "ns", ..entry(&format!("{prefix}{name}"), &doc(*n), narrow(name)) };
    counts.iter().map(entry).collect()
}

/// Nodes and services by name.
fn objects(cx: &Cx<'_>) -> Vec<Entry> {
    let mut all = Vec::new();
    for state in cx.clusters() {
        let id = &state.cluster.id;
        let mut put = |kind: Kind, key: &crate::model::Key| {
            let Some(name) = naming::name(state, kind, key) else { return };
            let name = name.text();
            let object = ObjectRef { cluster: id.clone(), kind, key: key.clone() };
            let doc = Text::from(format!("{} · {id}", kind.word()));
            all.push(Entry { name, also: "", doc, key: String::new(), refused: None, pick: Pick::Object(object) });
        };
        state.nodes.iter().for_each(|node| put(Kind::Node, &node.key));
        state.services.iter().for_each(|service| put(Kind::Service, &service.key));
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// Why a command cannot be run here and now.
fn refused(command: Command, cx: &Cx<'_>, here: &Here) -> Option<Text> {
    if let Some(kind) = act::kind_of(command) {
        return act::refusal(kind, &here.targets, cx);
    }
    let has = |scope| here.scopes.contains(&scope);
    let words = match command.scope() {
        Scope::Global => return None,
        scope if has(scope) => return None,
        Scope::Document if has(Scope::Logs) => return None,
        Scope::List => "only in lists",
        Scope::Service => "there is no service under the cursor",
        Scope::Task => "there is no task under the cursor",
        Scope::Node => "there is no node under the cursor",
        Scope::Cluster => "there is no cluster under the cursor",
        Scope::Logs => "only in the log view",
        Scope::Operation => "only in the list of operations",
        Scope::Document => "only in logs and in the text of an object",
    };
    Some(Text::new(words))
}

impl Overlay for Palette {
    fn text(&mut self, input: TextInput, _cx: &Cx<'_>) -> Outcome {
        match input {
            TextInput::Escape => Outcome::Ignored,
            TextInput::Backspace if self.typed.text().is_empty() => Outcome::Close(Vec::new()),
            TextInput::Enter => self.run(),
            TextInput::Up | TextInput::BackTab => self.step(-1),
            TextInput::Down => self.step(1),
            TextInput::PageUp => self.step(-10),
            TextInput::PageDown => self.step(10),
            TextInput::Tab => {
                if let Some(name) = self.found.get(self.at).and_then(|n| self.entry(*n)).map(|entry| entry.name.clone()) {
                    self.typed = LineEdit::new(&name);
                    self.find();
                }
                Outcome::Handled
            }
            input => {
                if self.typed.edit(&input) {
                    self.find();
                }
                Outcome::Handled
            }
        }
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        self.cursor = None;
        let wide = area.width.saturating_sub(6).min(96);
        // as high as all there is to pick: a box that changes its height while one types is hard to read
        let most = u16::try_from(self.entries.len() + self.objects.len() + 1).unwrap_or(u16::MAX);
        let high = area.height.saturating_sub(6).min(24).min(most);
        let title: Vec<(&str, Role)> =
            if self.title.is_empty() { vec![("find", Role::Strong)] } else { vec![(self.title, Role::Strong)] };
        let inner = frame(area, buf, cx, &title, (wide, high));
        if inner.height == 0 {
            return;
        }
        let mut pen = Pen::new(buf, inner, inner.y);
        pen.put(if self.title.is_empty() { ": " } else { "/ " }, cx.style(Role::Key));
        let count = format!("{} of {}", self.found.len(), self.entries.len() + self.objects.len());
        let room = pen.room().saturating_sub(u16::try_from(width(&count)).unwrap_or(0) + 2);
        let x = self.typed.draw(&mut pen, cx.style(Role::Input), room);
        self.cursor = Some(Position { x: x.min(inner.right().saturating_sub(1)), y: inner.y });
        let right = inner.right().saturating_sub(u16::try_from(width(&count)).unwrap_or(0)).max(inner.x);
        Pen::new(buf, inner, inner.y).to(right).put(&count, cx.style(Role::Dim));
        let rows = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
        if self.found.is_empty() {
            let words = format!("nothing is called {}", self.typed.text());
            Pen::new(buf, rows, rows.y).gap(2).put_elided(&words, usize::from(rows.width), cx.style(Role::Dim));
            return;
        }
        let page = usize::from(rows.height);
        if self.at < self.offset {
            self.offset = self.at;
        } else if page > 0 && self.at >= self.offset + page {
            self.offset = self.at + 1 - page;
        }
        let names = self.found.iter().skip(self.offset).take(page).filter_map(|n| self.entry(*n)).map(|e| width(&e.name)).max();
        let column = names.unwrap_or(0).clamp(18, usize::from(rows.width / 2).max(18));
        for (n, y) in (self.offset..self.found.len()).zip(rows.y..rows.bottom()) {
            if let Some(entry) = self.found.get(n).and_then(|n| self.entry(*n)) {
                draw(entry, Rect { y, height: 1, ..rows }, buf, cx, column, n == self.at);
            }
        }
    }

    fn cursor(&self) -> Option<Position> {
        self.cursor
    }
}

fn draw(entry: &Entry, row: Rect, buf: &mut Buffer, cx: &Cx<'_>, column: usize, here: bool) {
    let role = |role| cx.style(if entry.refused.is_some() { Role::Dim } else { role });
    let key_wide = u16::try_from(width(&entry.key)).unwrap_or(0);
    let mut pen = Pen::new(buf, row, row.y);
    pen.put(if here { "▸ " } else { "  " }, cx.style(Role::Key));
    let start = pen.x();
    pen.put(&elide_end(&entry.name, column), role(Role::Text));
    pen.to(start.saturating_add(u16::try_from(column).unwrap_or(u16::MAX)).saturating_add(2));
    let room = usize::from(pen.room().saturating_sub(key_wide + 1));
    let words = entry.refused.as_ref().unwrap_or(&entry.doc);
    pen.put_elided(words, room, cx.style(Role::Hint));
    Pen::new(buf, row, row.y).to(row.right().saturating_sub(key_wide)).put(&entry.key, role(Role::Key));
    if here {
        let style = cx.style(Role::Cursor);
        for x in row.left()..row.right() {
            if let Some(cell) = buf.cell_mut((x, row.y)) {
                cell.set_style(style);
            }
        }
    }
}
