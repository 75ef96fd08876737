//! What a frame costs in bytes on the way to the terminal, with 10,000 tasks on 1,000 nodes at 200×50.

use quarterdeck::backend::sim::{Fleet, Options, Scenario};
use quarterdeck::input::Command;
use quarterdeck::model::Store;
use quarterdeck::term::FrameWriter;
use quarterdeck::theme::Theme;
use quarterdeck::ui::{Hints, Moment, PaneId, Ui, UiOptions};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use std::time::Duration;

fn bytes(ui: &mut Ui, writer: &mut FrameWriter, moment: Moment) -> usize {
    ui.render(Rect::new(0, 0, 200, 50), writer.canvas(), moment);
    let mut out = Vec::new();
    writer.encode(&mut out, ui.cursor());
    out.len()
}

/// The screen on the list of tasks of a large fleet.
fn large() -> (Ui, Moment) {
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
        hints: Hints::default(),
        ascii: false,
        read_only: false,
        local_time: false,
        pane: PaneId::Tasks,
    });
    ui.sync(store.publish().unwrap(), moment);
    (ui, moment)
}

#[test]
fn a_cursor_move_is_few_bytes_and_an_unchanged_frame_none() {
    let (mut ui, moment) = large();
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

/// The list and the details beside it, as text.
fn halves(buffer: &Buffer) -> (String, String) {
    let rule = (0..200).rfind(|x| buffer[(*x, 10)].symbol() == "│").unwrap();
    let part = |columns: std::ops::Range<u16>| {
        let row = |y| columns.clone().map(|x| buffer[(x, y)].symbol()).collect::<String>() + "\n";
        (2..49).map(row).collect()
    };
    (part(0..rule), part(rule..200))
}

#[test]
fn while_the_cursor_moves_the_details_stay_whole_and_follow_when_it_rests() {
    let (mut ui, moment) = large();
    let mut buffer = Buffer::empty(Rect::new(0, 0, 200, 50));
    let area = buffer.area;
    ui.render(area, &mut buffer, moment);
    let (list, details) = halves(&buffer);
    ui.command(Command::Down, moment);
    assert!(ui.render_moving(area, &mut buffer, moment), "they are behind");
    let moving = halves(&buffer);
    assert_ne!(moving.0, list, "the cursor is on its new row at once");
    assert_eq!(moving.1, details, "title and sheet are of one object");
    ui.render(area, &mut buffer, moment);
    let rested = halves(&buffer);
    assert_eq!(rested.0, moving.0);
    assert_ne!(rested.1, details);
    assert!(!ui.render_moving(area, &mut buffer, moment), "nothing moved since");
    // another page has its own details at once
    ui.command(Command::PaneNodes, moment);
    assert!(!ui.render_moving(area, &mut buffer, moment));
    assert!(halves(&buffer).1.contains("· node"), "{}", halves(&buffer).1);
}
