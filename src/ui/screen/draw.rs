//! Draws the screen: header, page, key row, overlays.

use super::{Ui, pane_mut};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::pane::{Pane, PaneId, wrapped_to};
use crate::ui::strip::Strip;
use crate::ui::widget::pen::{self, Pen};
use crate::ui::{Moment, act, ascii, header, keyrow, layout, nothing, pending};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::time::Duration;

/// How long something said stands in the last row.
const SAID: Duration = Duration::from_secs(6);
/// Below this there is no room for anything honest.
const LEAST: (u16, u16) = (40, 10);

/// Columns before the words at the foot of a page: they stand below those of the rows.
const FOOT_INDENT: usize = 3;

/// How a pane is drawn into its place.
enum How {
    /// It has the keys.
    Page,
    /// It stands on another's page.
    Companion,
    /// It is the head of another's page.
    Strip,
}

/// What a page has not shown.
#[derive(Default)]
struct Left {
    /// The details beside the list are not those of the cursor's row yet.
    behind: bool,
    /// Words were cut, and there is no place that has them whole.
    cut: bool,
}

impl Ui {
    /// Draws the pane and what stands with it.
    fn page(&mut self, body: Rect, buf: &mut Buffer, moment: Moment, moving: bool) -> Left {
        self.strip.shown = false;
        let cx = cx!(self, moment);
        let id = cx.place.pane;
        let Some(pane) = self.pane() else { return Left::default() };
        let lists = pane.has_detail();
        if lists && cx.world.clusters.is_empty() {
            let config = self.looked.then_some(self.options.config.as_str());
            nothing::draw(body, buf, &cx, config);
            return Left::default();
        }
        let here = if lists { pane.about(&cx) } else { None };
        let (main, side) = layout::columns(body, lists && self.beside);
        let (foot, body, main) = match side {
            None if lists && self.foot => {
                let (foot, body) = layout::foot(body);
                (foot, body, body)
            }
            _ => (None, body, main),
        };
        let troubles = rows(&self.panes, PaneId::Fleet);
        let mut draw = |id: PaneId, area: Rect, buf: &mut Buffer, how: How| {
            if area.height == 0 {
                return;
            }
            if let Some(pane) = pane_mut(&mut self.panes, id) {
                match how {
                    // also under a dialog the row it is about stays marked
                    How::Page => pane.render(area, buf, &cx, true),
                    How::Companion => pane.render(area, buf, &cx, false),
                    How::Strip => pane.strip(area, buf, &cx),
                }
            }
        };
        let mut side_top = body.y;
        if id == PaneId::Fleet {
            let [trouble, clusters, services] = layout::fleet(main, troubles, cx.world.clusters.len());
            draw(PaneId::Fleet, trouble, buf, How::Page);
            draw(PaneId::Clusters, clusters, buf, How::Companion);
            draw(PaneId::Services, services, buf, How::Companion);
        } else if lists {
            let (strip, rest) = layout::strip(body, troubles);
            if let Some(strip) = strip {
                draw(PaneId::Fleet, strip, buf, How::Strip);
            }
            side_top = rest.y;
            let list = Rect { y: rest.y, height: rest.height, ..main };
            let (logs, list) = if self.strip.on && Strip::stands_on(id) { layout::logs(body, list) } else { (None, list) };
            draw(id, list, buf, How::Page);
            self.strip.shown = logs.is_some();
            if let Some(logs) = logs {
                let object = pane_mut(&mut self.panes, id).and_then(|pane| pane.selection(&cx));
                self.strip.draw(logs, buf, &cx, object.as_ref());
            }
        } else {
            draw(id, body, buf, How::Page);
        }
        if let Some(side) = side {
            let side = Rect { y: side_top, height: body.bottom().saturating_sub(side_top), ..side };
            if !moving || self.about.is_none() {
                self.about.clone_from(&here);
            }
            self.detail.render(side, buf, &cx, self.about.as_ref(), false);
            let rule = cx.style(Role::Rule);
            for y in side.top()..side.bottom() {
                let symbol = if y == side.top() { "┬" } else { "│" };
                Pen::new(buf, Rect { x: side.x - 1, width: 1, ..side }, y).put(symbol, rule);
            }
            return Left { behind: self.about != here, cut: false };
        }
        let Some(pane) = pane_mut(&mut self.panes, id) else { return Left::default() };
        if let Some(foot) = foot {
            let words = pane.cut(&cx);
            let wide = usize::from(foot.width).saturating_sub(FOOT_INDENT + 1).max(1);
            let lines = wrapped_to(&words, wide, usize::from(foot.height));
            // what takes less than all rows stands apart from the list
            let from = foot.bottom().saturating_sub(u16::try_from(lines.len()).unwrap_or(foot.height));
            for (line, y) in lines.iter().zip(from..foot.bottom()) {
                Pen::new(buf, foot, y).gap(FOOT_INDENT).put_elided(line, wide, cx.style(Role::Dim));
            }
        }
        Left { behind: false, cut: pane.cuts() }
    }

    /// Draws the whole screen into `area`, of any size.
    pub fn render(&mut self, area: Rect, buf: &mut Buffer, moment: Moment) {
        self.screen(area, buf, moment, false);
    }

    /// As [`Ui::render`], for a frame while keys come: the list shows the cursor's new row at once, and the details beside
    /// it stay as they are, title and all. True if they are behind; the next `render` brings them up.
    pub fn render_moving(&mut self, area: Rect, buf: &mut Buffer, moment: Moment) -> bool {
        self.screen(area, buf, moment, true)
    }

    fn screen(&mut self, area: Rect, buf: &mut Buffer, moment: Moment, moving: bool) -> bool {
        let area = area.intersection(buf.area);
        let mut scopes = std::mem::take(&mut self.scopes);
        scopes.clear();
        scopes.extend(self.page_scopes(moment));
        self.scopes = scopes;
        let cx = cx!(self, moment);
        pen::clear(buf, area, cx.style(Role::Text));
        self.cursor = None;
        if area.width < LEAST.0 || area.height < LEAST.1 {
            Pen::new(buf, area, area.y).put(&format!("terminal too small ({}x{})", area.width, area.height), cx.style(Role::Text));
            self.framed(false);
            return false;
        }
        header::draw(area, area.y, buf, &cx, &self.tally);
        let tabs = u16::from(area.width >= header::TABS);
        if tabs > 0 {
            header::tabs(area, area.y + 1, buf, &cx);
        }
        let body = Rect { y: area.y + 1 + tabs, height: area.height - 2 - tabs, ..area };
        self.width = area.width;
        self.roomy = layout::logs(body, body).0.is_some();
        let mut left = self.page(body, buf, moment, moving);
        if left.cut && !self.foot {
            self.foot = true;
            pen::clear(buf, body, self.options.theme.style(Role::Text));
            left = self.page(body, buf, moment, moving);
        }
        let cx = cx!(self, moment);
        let last = area.bottom() - 1;
        let said = self.said.as_ref().filter(|said| cx.since(said.at) < SAID).map(|said| (&said.words, said.warning));
        let noticed = cx.world.notices.last().filter(|n| cx.since(n.at) < SAID).map(|n| (&n.text, n.warning));
        match said.or(noticed) {
            Some((words, warning)) => keyrow::say(area, buf, &cx, words, warning),
            None => {
                let pane = self.pane();
                let marked = pane.and_then(|pane| pane.marked(&cx));
                let selected = pane.and_then(|pane| pane.selection(&cx));
                let targets = marked.as_deref().unwrap_or(selected.as_slice());
                let list = pane.is_some_and(Pane::has_detail);
                let rows = pane.map_or(0, Pane::rows);
                let hints = pane.filter(|_| !list || rows > 0).map(|pane| pane.hints(&cx)).unwrap_or_default();
                let hints = hints.iter().copied().filter(|command| act::fits(*command, targets, &cx));
                keyrow::draw(area, last, buf, &cx, hints, list && !cx.world.clusters.is_empty());
            }
        }
        self.cursor = self.pane().and_then(Pane::cursor);
        for overlay in &mut self.overlays {
            overlay.render(area, buf, &cx);
            self.cursor = overlay.cursor();
        }
        // a line without room for its cursor
        self.cursor = self.cursor.filter(|at| area.contains(*at));
        if let Some(begun) = &self.pending {
            pending::draw(Rect { height: area.height - 1, ..area }, buf, &cx, begun);
        }
        if self.options.ascii {
            ascii::to_ascii(buf);
        }
        self.framed(true);
        left.behind
    }
}

fn rows(panes: &[(PaneId, Box<dyn Pane>)], id: PaneId) -> usize {
    panes.iter().find(|(held, _)| *held == id).map_or(0, |(_, pane)| pane.rows())
}
