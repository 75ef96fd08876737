//! For terminals without UTF-8: every other sign of ours becomes an ASCII one after the frame is drawn.

use ratatui::buffer::Buffer;

/// Replaces all symbols outside ASCII.
pub fn to_ascii(buf: &mut Buffer) {
    for cell in &mut buf.content {
        if !cell.symbol().is_ascii() {
            let plain = stand_in(cell.symbol());
            cell.set_symbol(plain);
        }
    }
}

fn stand_in(symbol: &str) -> &'static str {
    match symbol {
        "─" | "━" => "-",
        "│" | "┃" => "|",
        "┌" | "┐" | "└" | "┘" | "├" | "┤" | "┬" | "┴" | "┼" => "+",
        "·" | "⋯" => ".",
        "…" => "~",
        "✖" | "×" => "x",
        "▲" => "!",
        "◔" => "~",
        "▸" | "→" => ">",
        "←" => "<",
        "●" => "*",
        "↑" => "^",
        "↓" => "v",
        "✔" => "v",
        "–" | "—" => "-",
        "░" => ".",
        "▁" | "▂" | "▏" | "▎" => "_",
        "▃" | "▄" | "▍" | "▌" => "-",
        "▅" | "▆" | "▋" | "▊" => "=",
        "▇" | "█" | "▉" => "#",
        _ => "?",
    }
}
