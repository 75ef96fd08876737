//! What a frame costs in bytes on the way to the terminal, with 10,000 tasks on 1,000 nodes at 200×50.

use quarterdeck::backend::sim::{Fleet, Options, Scenario};
use quarterdeck::input::{Command, Keymap};
use quarterdeck::model::{Store, Text};
use quarterdeck::term::FrameWriter;
use quarterdeck::theme::Theme;
use quarterdeck::ui::{Moment, PaneId, Ui, UiOptions};
use ratatui::layout::{Rect, Size};
use std::time::Duration;

fn bytes(ui: &mut Ui, writer: &mut FrameWriter, moment: Moment) -> usize {
    ui.render(Rect::new(0, 0, 200, 50), writer.canvas(), moment);
    let mut out = Vec::new();
    writer.encode(&mut out, ui.cursor());
    out.len()
}

#[test]
fn a_cursor_move_is_few_bytes_and_an_unchanged_frame_none() {
    let mut fleet = Fleet::new(&Scenario::sized(1_000, 500, 10_000).unwrap(), Options::default());
    let mut store = Store::new(fleet.clusters());
    let now = fleet.at(Duration::ZERO);
    for fact in fleet.advance(Duration::ZERO) {
        store.apply(fact, now);
    }
    let moment = Moment { now, utc_offset: 0 };
    let mut ui = Ui::new(UiOptions {
        theme: Theme::plain(),
        themes: vec![Theme::plain()],
        keymap: Keymap::load("default", &[]).0,
        ascii: false,
        read_only: false,
        local_time: false,
        pane: PaneId::Tasks,
        config: Text::default(),
    });
    ui.sync(store.publish().unwrap(), moment);
    let mut writer = FrameWriter::new(Size::new(200, 50));
    let first = bytes(&mut ui, &mut writer, moment);
    let idle = bytes(&mut ui, &mut writer, moment);
    let moves = [Command::Down, Command::Down, Command::Down, Command::Up].map(|command| {
        ui.command(command, moment);
        bytes(&mut ui, &mut writer, moment)
    });
    println!("bytes/first frame {first}\nbytes/unchanged frame {idle}\nbytes/cursor moves {moves:?}");
    assert!(first > 2_000, "the screen shows tasks");
    assert_eq!(idle, 0);
    assert!(moves.iter().all(|bytes| (1..=700).contains(bytes)), "{moves:?}");
}
