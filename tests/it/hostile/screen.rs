//! Every text of the fleet is hostile: what the screen makes of it.

use super::fleet::Words;
use super::payloads::{UNSEEN, texts};
use super::stage::Stage;
use super::tour::{dialogs, tour};
use quarterdeck::input::{Command, Scope};
use quarterdeck::util::clean::clean;
use quarterdeck::util::width::width;
use std::collections::BTreeSet;
use std::time::Instant;
use unicode_segmentation::UnicodeSegmentation;

/// Set, it puts each text into each field, else each stands in one or two; and it draws every place at every size, or at each
/// so manyth if it is a number.
pub const ALL: &str = "QUARTERDECK_TEST_ALL";

/// Fields that no place on the way shows: where the configuration is, which is told where there are no clusters, and ids that
/// have no name beside them.
const UNSHOWN: [&str; 6] = ["/h", "t9", "t8", "t7", "s9", "lo"];

/// A harmless text that takes the same columns and has its blanks in the same places; none where columns are shared by two.
fn twin(text: &str) -> Option<String> {
    let shown = clean(text);
    // words are taken apart at signs
    let plain = |g: &str| g.chars().next().filter(|c| c.is_ascii() && !c.is_alphabetic()).unwrap_or('x');
    shown.graphemes(true).all(|g| width(g) == 1).then(|| shown.graphemes(true).map(plain).collect())
}

fn walk<'a>(texts: &'a [String], from: usize, size: (u16, u16), typed: &str) -> Stage<'a> {
    let mut stage = Stage::new(Words::new(texts, from), size);
    tour(&mut stage, typed, |stage, place| stage.frame(place));
    stage
}

#[test]
fn no_text_of_a_cluster_sends_anything_else_or_moves_anything() {
    let texts = texts();
    let (even, twins): (Vec<String>, Vec<String>) = texts.iter().filter_map(|text| Some((text.clone(), twin(text)?))).unzip();
    let uneven: Vec<String> = texts.iter().filter(|text| twin(text).is_none()).cloned().collect();
    let began = Instant::now();
    let (mut frames, mut copies, mut faults) = (0, 0, Vec::new());
    let mut used = BTreeSet::new();
    let step = if std::env::var_os(ALL).is_some() { 1 } else { 79 };
    for (n, from) in (0..even.len()).step_by(step).enumerate() {
        let size = [(160, 30), (80, 24), (100, 20)][n % 3];
        let stage = walk(&even, from, size, &even[from]);
        let harmless = walk(&twins, from, size, &even[from]);
        for ((place, shown), (_, want)) in
            stage.shapes.iter().zip(&harmless.shapes).filter(|((place, _), _)| !place.starts_with('~'))
        {
            for (y, (shown, want)) in shown.iter().zip(want).enumerate().filter(|(_, (shown, want))| shown != want) {
                faults.push(format!("texts from {from} at {size:?}, {place}, row {y}:\n{shown}\nis not as\n{want}"));
            }
        }
        (frames, copies) = (frames + stage.frames, copies + stage.copies);
        used.extend(stage.words.used());
        faults.extend(stage.faults.iter().map(|fault| format!("texts from {from} at {size:?}, {fault}")));
    }
    for from in 0..uneven.len() {
        let stage = walk(&uneven, from, (150, 40), &uneven[from]);
        (frames, copies) = (frames + stage.frames, copies + stage.copies);
        faults.extend(stage.faults.iter().map(|fault| format!("wide texts from {from}, {fault}")));
    }
    assert!(faults.is_empty(), "{} faults, the first are\n{}", faults.len(), faults[..faults.len().min(20)].join("\n"));
    assert_eq!(used.len(), even.len(), "some texts stood nowhere");
    assert!(copies > 100, "{copies}");
    println!("{} texts, {frames} frames, {copies} copies, {:?}", texts.len(), began.elapsed());
}

/// What is fed and never shown proves nothing.
#[test]
fn every_text_of_the_fleet_is_shown_somewhere_on_the_way() {
    let texts = ["qx".to_owned()];
    let mut stage = Stage::new(Words::new(&texts, 0), (220, 60));
    let mut shown = String::new();
    tour(&mut stage, "ey", |stage, place| {
        stage.frame(place);
        shown.extend(stage.last.content.iter().map(ratatui::buffer::Cell::symbol));
    });
    let unseen: Vec<String> = stage.words.fields().into_iter().filter(|field| !shown.contains(&stage.words.of(field))).collect();
    assert_eq!(unseen, UNSHOWN, "of {} fields", stage.words.fields().len());
}

/// Each action has its dialog on the way.
#[test]
fn the_way_leads_through_the_dialog_of_every_action() {
    let acts = Command::ALL.iter().filter(|command| matches!(command.scope(), Scope::Service | Scope::Task | Scope::Node));
    let acts = acts.filter(|command| !matches!(command, Command::JoinSwarm | Command::LogsPrevious));
    let missing: Vec<&str> = acts.filter(|command| !dialogs().any(|of| of == **command)).map(|command| command.name()).collect();
    assert_eq!(missing, [""; 0]);
}

/// Two names that differ are seen to differ: in rows, in the dialog before an action, in the word it asks for.
#[test]
fn no_name_looks_like_another() {
    for c in UNSEEN.into_iter().chain(['\u{301}', '\u{1161}']) {
        let shown = format!("<U+{:04X}>", c as u32);
        let texts = [if UNSEEN.contains(&c) { format!("a{c}") } else { format!(" {c}") }];
        let mut stage = Stage::new(Words::new(&texts, 0), (160, 40));
        let mut see = |commands: &[Command], least: usize| {
            commands.iter().for_each(|command| stage.press(*command));
            stage.frame("");
            let text: String = stage.last.content.iter().map(ratatui::buffer::Cell::symbol).collect();
            let times = text.matches(&shown).count();
            assert!(times >= least, "{shown} is there {times} times after {commands:?}");
        };
        see(&[Command::PaneClusters], 4);
        see(&[Command::PaneNodes], 3);
        // title, line and word
        see(&[Command::EvacuateNode], 3 + 2);
        see(&[Command::Back, Command::PaneServices, Command::Top], 3 + 1);
        see(&[Command::RollBack], 3 + 1);
        see(&[Command::Back, Command::PaneTasks, Command::Top, Command::DeleteTask], 3 + 2);
    }
}

/// Whatever is put between two letters is seen: nothing is drawn as nothing, and nothing is left out.
#[test]
fn no_character_is_drawn_as_nothing() {
    let (mut seen, mut faults) = (0, Vec::new());
    for c in '\u{80}'..=char::MAX {
        // Han and Hangul syllables are alike, and so are the private and the empty planes: the ends of each stand for it
        if matches!(c as u32, 0x3401..=0x4dbe | 0x4e01..=0x9ffe | 0xac01..=0xd7a2 | 0x20001..=0xdfff0 | 0xf0002..=0x10fff0) {
            continue;
        }
        seen += 1;
        for raw in [format!("a{c}b"), format!("{c}b")] {
            let shown = clean(&raw);
            if let Some(fault) = super::grammar::text_fault(&shown) {
                faults.push(fault);
            }
            if let Some(part) = shown.graphemes(true).find(|g| width(g) == 0) {
                faults.push(format!("U+{:04X} leaves {part:?} without a column: {shown:?}", c as u32));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults: {:?}", faults.len(), &faults[..faults.len().min(100)]);
    println!("{seen} characters");
}
