//! Graphs of cpu, memory and network of one object over the last ten minutes; without one, of the node under the cursor
//! of a list of nodes.

use super::nodes::Nodes;
use super::{ListPane, Pane};
use crate::input::{Command, Scope};
use crate::model::{Interest, Kind, ObjectRef, Resources, Sample, Text};
use crate::theme::Role;
use crate::ui::act;
use crate::ui::cx::Cx;
use crate::ui::outcome::Outcome;
use crate::ui::widget::graph;
use crate::ui::widget::input::TextInput;
use crate::ui::widget::pen::Pen;
use crate::ui::widget::title;
use crate::util::humanize;
use crate::util::time::Timestamp;
use crate::util::width::width;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// See the module's description.
#[derive(Default)]
pub struct Metrics {
    object: Option<ObjectRef>,
    list: ListPane<Nodes>,
}

/// One graph.
struct Graph {
    name: &'static str,
    role: Role,
    points: Vec<(Timestamp, u64)>,
    words: fn(&mut String, u64),
    binary: bool,
    /// Least top of the scale: noise at rest stays flat.
    least: u64,
    /// What is set aside, and the most it may use; zero is none.
    bounds: Option<(&'static str, u64, &'static str, u64)>,
}

fn rate(out: &mut String, bytes: u64) {
    humanize::bytes(out, bytes);
    out.push_str("/s");
}

/// What is set aside for an object and what it may use; the words differ for nodes.
fn bounds(cx: &Cx<'_>, object: &ObjectRef) -> (Resources, Resources) {
    let Some(state) = cx.world.cluster(&object.cluster) else { return Default::default() };
    match object.kind {
        Kind::Node => {
            let reserved = state.node_loads.get(&object.key).map(|load| load.reserved).unwrap_or_default();
            (reserved, state.nodes.get(&object.key).map(|node| node.allocatable).unwrap_or_default())
        }
        Kind::Service => {
            let live = || state.tasks_of(&object.key).filter(|task| task.wanted && !task.state.ended());
            let requests = live().fold(Resources::default(), |sum, task| sum.plus(task.requests));
            let limits = live().fold(Resources::default(), |sum, task| sum.plus(task.limits));
            // one task without a limit is a service without one
            let all = |of: fn(&Resources) -> u64| live().all(|task| of(&task.limits) > 0);
            let limits = Resources {
                cpu_m: if all(|l| l.cpu_m) { limits.cpu_m } else { 0 },
                mem: if all(|l| l.mem) { limits.mem } else { 0 },
            };
            (requests, limits)
        }
        Kind::Task => state.tasks.get(&object.key).map(|task| (task.requests, task.limits)).unwrap_or_default(),
        Kind::Event => Default::default(),
    }
}

fn samples(cx: &Cx<'_>, object: &ObjectRef) -> Vec<Sample> {
    let Some(state) = cx.world.cluster(&object.cluster) else { return Vec::new() };
    let table = match object.kind {
        Kind::Node => &state.node_usage,
        Kind::Service => &state.service_usage,
        Kind::Task | Kind::Event => &state.task_usage,
    };
    table.get(&object.key).map_or_else(Vec::new, |series| series.samples().collect())
}

fn graphs(cx: &Cx<'_>, object: &ObjectRef) -> Vec<Graph> {
    let samples = samples(cx, object);
    let (asked, most) = bounds(cx, object);
    let (low, high) = if object.kind == Kind::Node { ("reserved", "of") } else { ("request", "limit") };
    let points = |of: &dyn Fn(&Sample) -> Option<u64>| samples.iter().filter_map(|s| Some((s.at, of(s)?))).collect::<Vec<_>>();
    let cpu = points(&|s| Some(u64::from(s.usage.cpu_m)));
    let memory = points(&|s| Some(s.usage.mem));
    let received = points(&|s| s.usage.net.map(|(received, _)| u64::from(received)));
    let sent = points(&|s| s.usage.net.map(|(_, sent)| u64::from(sent)));
    let net = |name, points| Graph { name, role: Role::GraphNet, points, words: rate, binary: true, least: 1 << 10, bounds: None };
    let mut all = vec![
        Graph {
            name: "cpu",
            role: Role::GraphCpu,
            points: cpu,
            words: humanize::cpu,
            binary: false,
            least: 20,
            bounds: Some((low, asked.cpu_m, high, most.cpu_m)),
        },
        Graph {
            name: "memory",
            role: Role::GraphMemory,
            points: memory,
            words: humanize::bytes,
            binary: true,
            least: 1 << 20,
            bounds: Some((low, asked.mem, high, most.mem)),
        },
    ];
    // a source that does not measure the network gets no empty graphs
    if !received.is_empty() {
        all.push(net("received", received));
        all.push(net("sent", sent));
    }
    all
}

/// Draws one graph: its numbers, the area with its scale, the time below.
fn draw(graph: &Graph, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    if area.height < 3 || area.width < 20 {
        return;
    }
    let words = |value: u64| {
        let mut out = String::new();
        (graph.words)(&mut out, value);
        out
    };
    let begin = cx.moment.now.minus(graph::SPAN);
    let values = || graph.points.iter().filter(|(at, _)| *at >= begin).map(|(_, value)| *value);
    let peak = values().max().unwrap_or(0);
    let (low, asked, high, most) = graph.bounds.unwrap_or(("", 0, "", 0));
    // a bound that is near is worth its room; one far above would flatten the curve
    let near = [most, asked].into_iter().find(|bound| *bound > 0 && *bound <= peak.saturating_mul(4));
    let top = graph::round_up(peak.max(near.unwrap_or(0)), graph.least, graph.binary);
    let dim = cx.style(Role::Dim);
    let mut pen = Pen::new(buf, area, area.y);
    pen.put(graph.name, cx.style(Role::Title));
    if let Some((_, last)) = graph.points.last() {
        pen.put("  ", dim).put(&words(*last), cx.style(Role::Strong));
        pen.put(&format!("  min {} · max {}", words(values().min().unwrap_or(0)), words(peak)), dim);
    }
    for (word, bound) in [(low, asked), (high, most)] {
        if bound > 0 {
            pen.put(&format!(" · {word} {}", words(bound)), dim);
        }
    }
    let scale = [words(top), words(top / 2), words(0)];
    let wide = u16::try_from(scale.iter().map(|s| width(s)).max().unwrap_or(0)).unwrap_or(0);
    let plot = Rect { x: area.x + wide + 1, y: area.y + 1, width: area.width.saturating_sub(wide + 1), height: area.height - 2 };
    let mut label = |y: u16, text: &str| {
        let at = area.x + wide.saturating_sub(u16::try_from(width(text)).unwrap_or(0));
        Pen::new(buf, area, y).to(at).put(text, dim);
    };
    label(plot.y, &scale[0]);
    if plot.height >= 5 {
        label(plot.y + plot.height / 2, &scale[1]);
    }
    if plot.height >= 2 {
        label(plot.bottom() - 1, &scale[2]);
    }
    let columns = graph::columns(&graph.points, cx.moment.now, usize::from(plot.width));
    graph::area(buf, plot, &columns, top, cx.style(graph.role), near.map(|bound| (bound, cx.style(Role::Warning))));
    graph::axis(buf, Rect { y: plot.bottom(), height: 1, ..plot }, dim);
}

/// Why there is nothing to draw.
fn nothing(cx: &Cx<'_>, object: &ObjectRef) -> Text {
    let Some(state) = cx.world.cluster(&object.cluster) else { return Text::new("its cluster is gone") };
    if let Some(why) = &state.no_usage {
        return Text::from(format!("no measurements from {}: {why}", state.cluster.id));
    }
    match object.kind {
        Kind::Task => match state.tasks.get(&object.key) {
            Some(task) if task.state.ended() => Text::from(format!("it has {}: nothing is measured any more", task.state.word())),
            Some(_) => Text::new("nothing measured yet: the first measurement takes up to a minute"),
            None => Text::new("it is gone"),
        },
        Kind::Event => Text::new("an event uses nothing"),
        Kind::Node | Kind::Service => Text::new("nothing measured yet: the first measurement takes up to a minute"),
    }
}

fn all(object: &ObjectRef, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let graphs = graphs(cx, object);
    if graphs.iter().all(|graph| graph.points.is_empty()) {
        return super::say(area, buf, cx, &nothing(cx, object), Role::Dim);
    }
    let across: u16 = if area.width >= 120 && graphs.len() > 2 { 2 } else { 1 };
    let count = u16::try_from(graphs.len()).unwrap_or(1);
    // as many as have room to be read, the first ones first
    let rows = count.div_ceil(across).min((area.height / 5).max(1));
    let high = (area.height / rows).min(16);
    let wide = area.width / across;
    for (n, graph) in (0..rows * across).zip(&graphs) {
        let at = Rect {
            x: area.x + n % across * wide,
            y: area.y + n / across * high,
            width: wide.saturating_sub(across - 1),
            height: high,
        };
        draw(graph, at, buf, cx);
    }
}

impl Pane for Metrics {
    fn sync(&mut self, cx: &Cx<'_>) -> bool {
        self.object.is_some() || self.list.sync(cx) | cx.world.clusters.iter().any(|state| !state.node_usage.is_empty())
    }

    fn enter(&mut self, cx: &Cx<'_>) -> Outcome {
        self.object = cx.place.subject.as_ref().map(|subject| subject.object.clone());
        Outcome::Handled
    }

    fn command(&mut self, command: Command, cx: &Cx<'_>) -> Outcome {
        match act::kind_of(command) {
            Some(kind) => Outcome::Act(kind, self.targets(cx)),
            None if self.object.is_none() => self.list.command(command, cx),
            None => Outcome::Ignored,
        }
    }

    fn wants_text(&self) -> bool {
        self.object.is_none() && self.list.wants_text()
    }

    fn text(&mut self, input: TextInput, cx: &Cx<'_>) -> Outcome {
        self.list.text(input, cx)
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, focus: bool) {
        let area = area.intersection(buf.area);
        let mut right = area;
        if self.object.is_none() {
            // beside each other where there is room, else the list above
            let list = if area.width >= 110 {
                Rect { width: 44, ..area }
            } else {
                Rect { height: (area.height / 3).clamp(area.height.min(4), 8), ..area }
            };
            self.list.render(list, buf, cx, focus);
            right = if area.width >= 110 {
                Rect { x: list.right() + 1, width: area.width - list.width - 1, ..area }
            } else {
                Rect { y: list.bottom(), height: area.height - list.height, ..area }
            };
        }
        let object = self.selection(cx);
        let body = title::title(buf, right, cx, "metrics", focus && self.object.is_some(), |pen| {
            if let Some(object) = &object {
                title::part(pen, cx, format_args!("{} {}", object.kind.word(), cx.name_of(object)), Role::Strong);
                title::part(pen, cx, Text::new(&object.cluster), Role::Dim);
                if let Some(last) = samples(cx, object).last() {
                    let age = humanize::age_of(cx.since(last.at));
                    title::part(pen, cx, format_args!("measured {age} ago"), Role::Dim);
                }
            }
        });
        match object {
            Some(object) => all(&object, body, buf, cx),
            None => super::say(body, buf, cx, "there is no node to show the measurements of", Role::Dim),
        }
    }

    fn cursor(&self) -> Option<Position> {
        if self.object.is_none() { self.list.cursor() } else { None }
    }

    fn selection(&self, cx: &Cx<'_>) -> Option<ObjectRef> {
        self.object.clone().or_else(|| self.list.selection(cx))
    }

    fn scopes(&self, cx: &Cx<'_>) -> &'static [Scope] {
        super::scopes_of(self.selection(cx).map(|object| object.kind))
    }

    fn hints(&self, _cx: &Cx<'_>) -> &'static [Command] {
        &[Command::Back]
    }

    fn interest(&self) -> Interest {
        Interest { usage: true, tasks: false }
    }
}
