//! The words of all rows one after the other in lower case: what the filter looks through. To look into each row would
//! follow its pointers to memory that is not at hand; one text is read from end to end faster than the keys come.

use super::entry::Slot;
use crate::ui::view::filter::Query;
use memchr::memmem::Finder;

/// Between two words of a row, and after its last: no word of a filter contains it.
const END: u8 = b'\n';
/// The number of the text of a row that has none.
const NONE: u32 = u32::MAX;

/// See the module's description.
#[derive(Default)]
pub(super) struct Words {
    text: Vec<u8>,
    /// Where each text of a row begins in `text`, and whose it is.
    rows: Vec<(u32, Slot)>,
    /// Of each row the number of its text. A text that is not the one of its row any more is dead.
    of: Vec<u32>,
    /// Bytes of dead texts.
    dead: usize,
}

impl Words {
    /// Forgets all rows, but not the room they took.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.rows.clear();
        self.of.clear();
        self.dead = 0;
    }

    /// Keeps the words of a row, instead of those it had. False if they are the same.
    pub(super) fn set<'a>(&mut self, slot: Slot, words: impl Iterator<Item = &'a str> + Clone) -> bool {
        let length: usize = words.clone().map(|word| word.len() + 1).sum();
        if self.text.capacity() - self.text.len() < length {
            self.make_room(length);
        }
        let (number, begin) = (self.rows.len() as u32, self.text.len());
        let held = self.of.get(slot as usize).filter(|held| **held != NONE).map(|held| self.range(*held as usize));
        for word in words {
            if word.is_ascii() {
                self.text.extend_from_slice(word.as_bytes());
            } else {
                self.text.extend_from_slice(word.to_lowercase().as_bytes());
            }
            self.text.push(END);
        }
        self.text[begin..].make_ascii_lowercase();
        if held.is_some_and(|held| self.text[held] == self.text[begin..]) {
            self.text.truncate(begin);
            return false;
        }
        // before what it had is forgotten: a text ends where the next begins
        self.rows.push((begin as u32, slot));
        self.remove(slot);
        if self.of.len() <= slot as usize {
            self.of.resize(slot as usize + 1, NONE);
        }
        self.of[slot as usize] = number;
        true
    }

    /// Forgets the words of a row.
    pub(super) fn remove(&mut self, slot: Slot) {
        if let Some(of) = self.of.get_mut(slot as usize)
            && *of != NONE
        {
            let number = std::mem::replace(of, NONE) as usize;
            self.dead += self.range(number).len();
        }
    }

    /// Whether the query lets a row through.
    pub(super) fn matches(&self, slot: Slot, query: &Query) -> bool {
        let number = self.of.get(slot as usize).copied().unwrap_or(NONE);
        number != NONE && query.matches_lower(&self.text[self.range(number as usize)])
    }

    /// Which rows the query lets through, by their slots.
    pub(super) fn matching(&self, query: &Query) -> Vec<bool> {
        let mut through: Vec<bool> = self.of.iter().map(|number| *number != NONE).collect();
        for word in query.with() {
            let mut found = vec![false; through.len()];
            self.find(word, |slot| found[slot as usize] = true);
            through.iter_mut().zip(found).for_each(|(through, found)| *through &= found);
        }
        for word in query.without() {
            self.find(word, |slot| through[slot as usize] = false);
        }
        through
    }

    /// Visits the rows that have the word, each once.
    fn find(&self, word: &str, mut visit: impl FnMut(Slot)) {
        let finder = Finder::new(word);
        let (mut from, mut number) = (0, 0);
        while let Some(at) = self.text.get(from..).and_then(|rest| finder.find(rest)) {
            let at = from + at;
            number = self.around(at, number);
            let (_, slot) = self.rows[number];
            if self.of[slot as usize] == number as u32 {
                visit(slot);
            }
            // where else in this row it stands does not matter
            from = self.range(number).end;
        }
    }

    /// The number of the text in which this byte is, which is not before `number`. It is near, where many rows have the word.
    fn around(&self, at: usize, number: usize) -> usize {
        let rest = &self.rows[number..];
        let begun = |(begin, _): &(u32, Slot)| *begin as usize <= at;
        let mut end = 1;
        while rest.get(end).is_some_and(begun) {
            end *= 2;
        }
        number + end / 2 + rest[end / 2..rest.len().min(end)].partition_point(begun) - 1
    }

    fn range(&self, number: usize) -> std::ops::Range<usize> {
        let end = self.rows.get(number + 1).map_or(self.text.len(), |(begin, _)| *begin as usize);
        self.rows[number].0 as usize..end
    }

    /// Makes room for so many bytes and a tenth more, by dropping the dead if they are as much.
    fn make_room(&mut self, length: usize) {
        let more = self.text.len() / 10 + length;
        if self.dead < more {
            self.text.reserve_exact(more);
            return;
        }
        let (mut to, mut kept) = (0, 0);
        for number in 0..self.rows.len() {
            let (range, (_, slot)) = (self.range(number), self.rows[number]);
            if self.of[slot as usize] == number as u32 {
                self.of[slot as usize] = kept as u32;
                self.rows[kept] = (to as u32, slot);
                self.text.copy_within(range.clone(), to);
                to += range.len();
                kept += 1;
            }
        }
        self.text.truncate(to);
        self.rows.truncate(kept);
        self.dead = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn query(typed: &str) -> Query {
        Query::new(typed)
    }

    #[test]
    fn rows_are_found_by_the_words_they_have_now() {
        let mut words = Words::default();
        words.set(0, ["shop/Checkout", "ZÜRICH"].into_iter());
        words.set(1, ["shop/cart", "web"].into_iter());
        assert_eq!(words.matching(&query("SHOP")), [true, true]);
        assert_eq!(words.matching(&query("shop !zürich")), [false, true]);
        words.set(0, ["shop/web"].into_iter());
        assert_eq!(words.matching(&query("checkout")), [false, false]);
        assert_eq!(words.matching(&query("web")), [true, true]);
        words.remove(1);
        assert_eq!(words.matching(&query("web")), [true, false]);
        assert_eq!(words.matching(&query("!cart")), [true, false], "what is gone is not let through by what it has not");
        // words are looked for one by one, not across columns or rows as one string
        assert_eq!(words.matching(&query("webshop")), [false, false]);
    }

    proptest! {
        #[test]
        fn one_text_finds_what_looking_into_each_row_finds(
            changes in prop::collection::vec((0u32..40, prop::option::of(prop::collection::vec("[abAB]{0,300}|[aÉ]?", 1..4))), 1..300),
            typed in prop::sample::select(vec!["a", "ab !bb", "aab", "!a", "ba AB", "bbbbbbbb"]),
        ) {
            let (mut words, mut rows) = (Words::default(), vec![None; 40]);
            for (slot, row) in changes {
                match &row {
                    Some(row) => {
                        let lower = |row: &Vec<String>| row.iter().map(|word| word.to_lowercase()).collect::<Vec<_>>();
                        let others = rows[slot as usize].as_ref().map(lower) != Some(lower(row));
                        prop_assert_eq!(words.set(slot, row.iter().map(String::as_str)), others);
                    }
                    None => words.remove(slot),
                }
                rows[slot as usize] = row;
            }
            let query = query(typed);
            let want = |row: &Option<Vec<String>>| row.as_ref().is_some_and(|row| query.matches(row.iter().map(String::as_str)));
            let got = words.matching(&query);
            for (slot, row) in rows.iter().enumerate() {
                prop_assert_eq!(got.get(slot).copied().unwrap_or(false), want(row));
                prop_assert_eq!(words.matches(slot as Slot, &query), want(row));
            }
        }
    }
}
