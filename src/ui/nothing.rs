//! The page in place of the lists while there is no cluster: what was looked for, what went wrong, and what helps.

use super::cx::Cx;
use super::pane::wrapped;
use super::widget::pen::Pen;
use super::widget::title;
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws it into `area`. `config` is where the configuration file is, or would be; none while clusters are still looked for.
pub fn draw(area: Rect, buf: &mut Buffer, cx: &Cx<'_>, config: Option<&str>) {
    let Some(config) = config else {
        title::title(buf, area, cx, "looking for clusters…", true, |_| {});
        return;
    };
    let body = title::title(buf, area, cx, "no cluster was found", true, |_| {});
    let file = format!("a [clusters.NAME] in {config}");
    let wrong: Vec<&str> = cx.world.notices.iter().filter(|notice| notice.warning).map(|notice| notice.text.as_str()).collect();
    let mend = if wrong.is_empty() { "" } else { "mend what went wrong, " };
    let helps = format!("What helps: {mend}set KUBECONFIG or DOCKER_HOST, or name a cluster in {config}, and start it again.");
    let mut lines = vec![
        (0, "Quarterdeck looked for", Role::Text),
        (2, "contexts in KUBECONFIG, else in ~/.kube/config", Role::Dim),
        (2, "DOCKER_HOST, docker contexts, the socket of a local engine", Role::Dim),
        (2, &file, Role::Dim),
    ];
    if !wrong.is_empty() {
        lines.extend([(0, "", Role::Text), (0, "What went wrong", Role::Text)]);
        lines.extend(wrong.into_iter().map(|words| (2, words, Role::Warning)));
    }
    lines.extend([
        (0, "", Role::Text),
        (0, &helps, Role::Text),
        (0, "", Role::Text),
        (0, "quarterdeck --demo shows a fleet that is made up, without any cluster.", Role::Text),
    ]);
    let mut rows = body.top().saturating_add(1)..body.bottom();
    for (indent, words, role) in lines {
        let wide = usize::from(body.width).saturating_sub(indent + 4).max(1);
        let mut parts = wrapped(words, wide).peekable();
        if parts.peek().is_none() {
            rows.next();
        }
        for (part, y) in parts.zip(&mut rows) {
            Pen::new(buf, body, y).gap(3 + indent).put(part, cx.style(role));
        }
    }
}
