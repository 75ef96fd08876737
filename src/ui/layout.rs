//! Where the parts of a page stand.

use ratatui::layout::Rect;

/// From this width on details stand beside the list.
pub const WIDE: u16 = 140;
/// From this height of the body on the worst troubles stand above other lists.
const TALL: u16 = 28;
/// Troubles shown above other lists.
const STRIP: u16 = 5;
/// Rows for log lines below a list, with their title.
const LOGS: u16 = 9;
/// From this height of the body on there is room for them.
const LOGS_FROM: u16 = 40;
/// Rows for words that the list has to cut.
const FOOT: u16 = 2;

/// The body, cut into the column of lists and the one of details; between them is a column for the rule.
pub fn columns(body: Rect, detail: bool) -> (Rect, Option<Rect>) {
    if !detail || body.width < WIDE {
        return (body, None);
    }
    let side = (body.width * 9 / 25).clamp(52, 80);
    let main = Rect { width: body.width - side - 1, ..body };
    (main, Some(Rect { x: main.right() + 1, width: side, ..body }))
}

/// The rows above a list for the worst of `troubles` (with a title), and what is left.
pub fn strip(body: Rect, troubles: usize) -> (Option<Rect>, Rect) {
    if body.height < TALL || troubles == 0 {
        return (None, body);
    }
    let height = u16::try_from(troubles).unwrap_or(STRIP).min(STRIP) + 1;
    (Some(Rect { height, ..body }), Rect { y: body.y + height, height: body.height - height, ..body })
}

/// The rows at the foot of a narrow page for words that the list above has to cut, and what is left.
pub fn foot(body: Rect) -> (Option<Rect>, Rect) {
    if body.height < FOOT * 5 {
        return (None, body);
    }
    let height = body.height - FOOT;
    (Some(Rect { y: body.y + height, height: FOOT, ..body }), Rect { height, ..body })
}

/// The rows below a list for log lines of its row, and what is left; only where the list beside `side` keeps enough.
pub fn logs(body: Rect, list: Rect) -> (Option<Rect>, Rect) {
    if body.height < LOGS_FROM || body.width < WIDE || list.height < LOGS * 2 {
        return (None, list);
    }
    let height = list.height - LOGS;
    (Some(Rect { y: list.y + height, height: LOGS, ..list }), Rect { height, ..list })
}

/// The first page: trouble, clusters, services. The latter two only as far as the trouble leaves room.
pub fn fleet(body: Rect, troubles: usize, clusters: usize) -> [Rect; 3] {
    let rows = |n: usize| u16::try_from(n.max(1)).unwrap_or(u16::MAX).saturating_add(3);
    let trouble = if body.height >= TALL { rows(troubles).min(body.height * 6 / 10) } else { rows(troubles).min(body.height) };
    let left = body.height - trouble;
    let clusters = rows(clusters).min(if left >= 16 { left / 2 } else { left });
    let clusters = if clusters < 4 { 0 } else { clusters };
    let services = left - clusters;
    // a remainder too small for rows is not worth a title
    let (clusters, services) = if services < 5 { (if clusters > 0 { left } else { 0 }, 0) } else { (clusters, services) };
    let trouble = body.height - clusters - services;
    [
        Rect { height: trouble, ..body },
        Rect { y: body.y + trouble, height: clusters, ..body },
        Rect { y: body.y + trouble + clusters, height: services, ..body },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_never_overlap_and_fill_the_body() {
        for width in 0..220 {
            for height in 0..60 {
                let body = Rect { x: 0, y: 2, width, height };
                for troubles in [0, 1, 4, 30, 70_000] {
                    let [a, b, c] = fleet(body, troubles, 3);
                    assert_eq!(a.height + b.height + c.height, height);
                    assert_eq!((a.bottom(), b.bottom()), (b.y, c.y));
                    let (strip, rest) = strip(body, troubles);
                    assert_eq!(strip.map_or(0, |strip| strip.height) + rest.height, height);
                }
                let (foot, rest) = foot(body);
                assert_eq!(foot.map_or(0, |foot| foot.height) + rest.height, height);
                let (strip, list) = logs(body, body);
                assert_eq!(strip.map_or(0, |strip| strip.height) + list.height, height);
                assert!(list.height >= height / 2);
                let (main, side) = columns(body, true);
                assert_eq!(main.width + side.map_or(0, |side| side.width + 1), width);
            }
        }
    }
}
