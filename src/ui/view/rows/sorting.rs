//! Sorting all rows at once. Texts are compared eight bytes at a time, as numbers: rows that differ there are in order
//! after a sort of numbers, and only those that do not are looked at again, further on in their texts. Comparing rows two
//! by two would follow their pointers again and again, each time to memory that is not at hand.

use super::entry::{Entry, Slot, order};
use super::{By, Sort, Source};

/// What rows are compared by, one after the other; last, by comparing them, their keys.
#[derive(Clone, Copy)]
enum Part {
    /// Numbers come before texts.
    Kind,
    Number,
    Text,
    Cluster,
    Namespace,
    Name,
}

/// Runs of rows below this are compared two by two.
const SHORT: usize = 24;
/// From this place on texts are.
const LONG: usize = 96;

/// These entries in order.
pub(super) fn sorted<S: Source>(entries: &[Entry<S::Row>], slots: Vec<Slot>, sort: Sort) -> Vec<Slot> {
    let mut run: Vec<(u64, Slot)> = slots.into_iter().map(|slot| (0, slot)).collect();
    arrange::<S>(entries, &mut run, sort, Part::Kind, 0);
    run.into_iter().map(|(_, slot)| slot).collect()
}

/// Orders rows that are equal up to byte `at` of `part`.
fn arrange<S: Source>(entries: &[Entry<S::Row>], run: &mut [(u64, Slot)], sort: Sort, part: Part, at: usize) {
    if run.len() < SHORT || at >= LONG {
        run.sort_unstable_by(|(_, a), (_, b)| order::<S>(&entries[*a as usize], &entries[*b as usize], sort));
        return;
    }
    for (number, slot) in run.iter_mut() {
        *number = window::<S>(&entries[*slot as usize], sort, part, at);
    }
    run.sort_unstable_by_key(|(number, _)| *number);
    for equal in run.chunk_by_mut(|a, b| a.0 == b.0) {
        let Some((number, slot)) = equal.first().copied() else { continue };
        // a text that does not fill its eight bytes ends in them
        let ends = turned(number, sort, part).to_be_bytes()[7] == 0;
        let (next, from) = match part {
            Part::Kind if matches!(entries[slot as usize].by, By::Number(_)) => (Part::Number, 0),
            Part::Kind => (Part::Text, 0),
            Part::Number => (Part::Cluster, 0),
            Part::Text if ends => (Part::Cluster, 0),
            Part::Cluster => (Part::Namespace, 0),
            Part::Namespace if ends => (Part::Name, 0),
            // the same names: their keys decide
            Part::Name if ends => (Part::Name, LONG),
            part => (part, at + 8),
        };
        arrange::<S>(entries, equal, sort, next, from);
    }
}

/// A number that orders rows like the eight bytes from `at` of their `part`.
fn window<S: Source>(entry: &Entry<S::Row>, sort: Sort, part: Part, at: usize) -> u64 {
    let number = match (part, &entry.by) {
        (Part::Kind, By::Text(_)) => 1,
        (Part::Number, By::Number(number)) => (*number as u64) ^ (1 << 63),
        (Part::Text, By::Text(text)) => bytes(text, at),
        (Part::Kind | Part::Number | Part::Text, _) => 0,
        (Part::Cluster, _) => u64::from(entry.cluster),
        (Part::Namespace, _) => bytes(entry.names::<S>().0, at),
        (Part::Name, _) => bytes(entry.names::<S>().1, at),
    };
    turned(number, sort, part)
}

/// The other way round where the greatest is first. Equals stay in their order whichever way round.
fn turned(number: u64, sort: Sort, part: Part) -> u64 {
    if sort.down && matches!(part, Part::Kind | Part::Number | Part::Text) { !number } else { number }
}

fn bytes(text: &str, at: usize) -> u64 {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let mut bytes = [0; 8];
    let length = rest.len().min(8);
    bytes[..length].copy_from_slice(&rest[..length]);
    u64::from_be_bytes(bytes)
}
