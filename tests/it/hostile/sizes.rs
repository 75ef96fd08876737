//! Terminals of every size, and of another size than a moment ago.

use super::fleet::Words;
use super::payloads::texts;
use super::screen::ALL;
use super::stage::Stage;
use super::tour::tour;
use quarterdeck::input::Command;
use quarterdeck::ui::TextInput;
use ratatui::layout::Rect;
use std::time::Instant;

/// Sizes at which something begins or ends, and the ends of what is tried.
const WIDTHS: [u16; 24] = [0, 1, 2, 3, 4, 7, 19, 20, 21, 39, 40, 41, 59, 60, 79, 80, 99, 100, 120, 139, 140, 141, 200, 400];
const HEIGHTS: [u16; 19] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 24, 29, 30, 50, 120];

/// Small numbers in no order; the same seed, the same numbers.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.throw(all.len())]
    }

    fn size(&mut self) -> (u16, u16) {
        match self.throw(3) {
            0 => (self.of(&WIDTHS), self.of(&HEIGHTS)),
            1 => (self.throw(401) as u16, self.throw(121) as u16),
            _ => (self.throw(60) as u16, self.throw(16) as u16),
        }
    }
}

/// From the environment, to find a failure again, or of now.
fn seed() -> u64 {
    let given = std::env::var("QUARTERDECK_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = given.unwrap_or(now).max(1);
    println!("QUARTERDECK_TEST_SEED={seed}");
    seed
}

#[test]
fn every_place_is_drawn_at_every_size() {
    let (texts, began) = (texts(), Instant::now());
    // 6.5 million frames with a step of one
    let step: Option<usize> = std::env::var(ALL).ok().map(|step| step.parse().unwrap_or(1));
    let mut dice = Dice(seed());
    let mut stage = Stage::new(Words::new(&texts, 0), (160, 50));
    let mut places = 0;
    tour(&mut stage, "ey", |stage, _| {
        places += 1;
        let mut look = |width, height, moving| {
            let area = Rect::new(0, 0, width, height);
            stage.draw(area, area, moving);
        };
        if let Some(step) = step {
            let heights = || (0..=120).step_by(step);
            (0..=400).step_by(step).for_each(|width| heights().for_each(|height| look(width, height, false)));
        }
        for n in 0..40 {
            let (width, height) = dice.size();
            look(width, height, n % 4 == 0);
        }
        // planned for one size, drawn at another, and in a place that is not all there
        let ((width, height), (x, y)) = (dice.size(), dice.size());
        stage.draw(Rect::new(x / 8, y / 8, width, height), Rect::new(3, 2, 90, 20), false);
    });
    assert!(places > 80, "{places}");
    println!("{places} places, {} frames, {:?}", stage.frames, began.elapsed());
}

#[test]
fn the_terminal_changes_its_size_between_any_two_keys() {
    let (texts, began) = (texts(), Instant::now());
    let mut dice = Dice(seed());
    let mut stage = Stage::new(Words::new(&texts, 7), (100, 30));
    let mut trail: Vec<String> = Vec::new();
    for n in 0..1_500 {
        match dice.throw(4) {
            0 => {
                let (width, height) = dice.size();
                stage.resize(width, height);
                trail.push(format!("{width}x{height}"));
            }
            1 => {
                let letter = dice.of(&['y', 'a', '5', ' ', '東', '!', '\u{301}']);
                let editing =
                    [TextInput::Enter, TextInput::Escape, TextInput::Tab, TextInput::Up, TextInput::PageDown, TextInput::Left];
                let input = editing.get(dice.throw(14)).cloned().unwrap_or(TextInput::Char(letter));
                trail.push(format!("{input:?}"));
                stage.text(input);
            }
            _ => {
                let command = dice.of(Command::ALL);
                trail.push(command.name().to_owned());
                stage.press(command);
            }
        }
        stage.frame("");
        assert!(stage.faults.is_empty(), "step {n}: {:?} after {:?}", stage.faults, &trail[trail.len().saturating_sub(12)..]);
    }
    println!("{} frames, {:?}", stage.frames, began.elapsed());
}
