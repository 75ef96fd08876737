//! What a frame costs in bytes on the way to the terminal, with 10,000 tasks on 1,000 nodes at 200×50.

use quarterdeck::backend::sim::{Fleet, Options, Scenario};
use quarterdeck::input::{Command, Keymap};
use quarterdeck::model::{Store, Text};
use quarterdeck::term::FrameWriter;
use quarterdeck::theme::Theme;
use quarterdeck::ui::{Moment, PaneId, TextInput, Ui, UiOptions};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use std::sync::Arc;
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
    of(&fleet, &mut store)
}

/// The screen on the list of tasks, with the newest picture.
fn of(fleet: &Fleet, store: &mut Store) -> (Ui, Moment) {
    let moment = Moment { now: fleet.at(Duration::ZERO), utc_offset: 0 };
    let mut ui = Ui::new(UiOptions {
        theme: Theme::plain(),
        themes: vec![Theme::plain()],
        keymap: Keymap::load("default", &[]).0,
        ascii: false,
        read_only: false,
        max_bulk: 20,
        reveals: true,
        local_time: false,
        pane: PaneId::Tasks,
        config: Text::default(),
    });
    if let Some(world) = store.publish() {
        ui.sync(world, moment);
    }
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

fn screen(ui: &mut Ui, moment: Moment) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 200, 50));
    ui.render(buffer.area, &mut buffer, moment);
    buffer
}

/// The first rows of the list, by the first word of each.
fn names(ui: &mut Ui, moment: Moment) -> Vec<String> {
    ui.command(Command::Top, moment);
    let buffer = screen(ui, moment);
    let row = |y| (3..70).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (2..49).map(|y| row(y).split_whitespace().next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_filter_typed_letter_by_letter_shows_what_it_shows_at_once() {
    for typed in ["7x", "team-03 !service-0061", "!7", "prod", "0061 !q"] {
        let mut fleet = Fleet::new(&Scenario::sized(100, 80, 1_000).unwrap(), Options::default());
        let mut store = Store::new(fleet.clusters());
        for fact in fleet.advance(Duration::ZERO) {
            store.apply(fact, fleet.at(Duration::ZERO));
        }
        let (mut slow, moment) = of(&fleet, &mut store);
        let (mut fast, _) = of(&fleet, &mut store);
        fast.sync(Arc::new(store.world().clone()), moment);
        slow.command(Command::Filter, moment);
        fast.command(Command::Filter, moment);
        for letter in typed.chars() {
            slow.text(TextInput::Char(letter), moment);
            screen(&mut slow, moment);
        }
        fast.text(TextInput::Paste(typed.to_owned()), moment);
        assert_eq!(names(&mut slow, moment), names(&mut fast, moment), "{typed}");
        slow.text(TextInput::Backspace, moment);
        fast.text(TextInput::Backspace, moment);
        assert_eq!(names(&mut slow, moment), names(&mut fast, moment), "{typed} but for the last letter");
    }
}

#[test]
fn a_list_that_follows_a_fleet_shows_what_one_made_anew_shows() {
    let mut fleet = Fleet::new(&Scenario::sized(30, 40, 400).unwrap(), Options::default());
    let mut store = Store::new(fleet.clusters());
    let (mut follows, _) = of(&fleet, &mut store);
    follows.command(Command::Filter, Moment { now: fleet.at(Duration::ZERO), utc_offset: 0 });
    for step in 0..90 {
        let time = Duration::from_secs(step * 4);
        let now = fleet.at(time);
        for fact in fleet.advance(time) {
            store.apply(fact, now);
        }
        let moment = Moment { now, utc_offset: 0 };
        if let Some(world) = store.publish() {
            follows.sync(world.clone(), moment);
            // some way into it only some rows are shown, ordered by what changes
            match step {
                30 => drop(follows.command(Command::SortState, moment)),
                60 => drop(follows.text(TextInput::Char('1'), moment)),
                _ => {}
            }
            let (mut anew, _) = of(&fleet, &mut store);
            anew.sync(world, moment);
            anew.command(Command::Filter, moment);
            if step >= 30 {
                anew.command(Command::SortState, moment);
            }
            if step >= 60 {
                anew.text(TextInput::Char('1'), moment);
            }
            assert_eq!(names(&mut follows, moment), names(&mut anew, moment), "after {step} steps");
        }
    }
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
