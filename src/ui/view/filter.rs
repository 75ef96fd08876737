//! The filter: words that must all be found somewhere in a row, `!word` must not be.

/// A filter as typed, made ready for matching. Case does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    with: Vec<Needle>,
    without: Vec<Needle>,
}

/// A word looked for, in lower case, never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Needle(String);

impl Query {
    /// Reads `web !job`: rows with `web` and without `job`. A lone `!` is still being typed and excludes nothing.
    pub fn new(typed: &str) -> Self {
        let mut query = Self::default();
        for word in typed.split_whitespace() {
            match word.strip_prefix('!') {
                Some("") => {}
                Some(word) => query.without.push(Needle(word.to_lowercase())),
                None => query.with.push(Needle(word.to_lowercase())),
            }
        }
        query
    }

    /// Whether every row matches.
    pub fn is_empty(&self) -> bool {
        self.with.is_empty() && self.without.is_empty()
    }

    /// Where the words wanted stand in `text`, in order of their place, for showing them.
    pub fn spans(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        let lower = text.to_lowercase();
        // a letter whose lower case is longer would move all places after it
        if self.with.is_empty() || lower.len() != text.len() {
            return Vec::new();
        }
        let mut spans: Vec<_> =
            self.with.iter().flat_map(|word| lower.match_indices(word.0.as_str())).map(|(at, w)| at..at + w.len()).collect();
        spans.retain(|span| text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
        spans.sort_by_key(|span| span.start);
        spans
    }

    /// Whether a row matches that has these words.
    pub fn matches<'a>(&self, words: impl Iterator<Item = &'a str> + Clone) -> bool {
        let found = |needle: &Needle| words.clone().any(|text| needle.is_in(text));
        self.with.iter().all(found) && !self.without.iter().any(found)
    }

    /// Whether a row matches whose words are all in this text, in lower case.
    pub fn matches_lower(&self, text: &[u8]) -> bool {
        let found = |word: &str| memchr::memmem::find(text, word.as_bytes()).is_some();
        self.with().all(found) && !self.without().any(found)
    }

    /// The words that must be found, in lower case, none empty.
    pub fn with(&self) -> impl Iterator<Item = &str> {
        self.with.iter().map(|needle| needle.0.as_str())
    }

    /// The words that must not be found, in lower case, none empty.
    pub fn without(&self) -> impl Iterator<Item = &str> {
        self.without.iter().map(|needle| needle.0.as_str())
    }
}

impl Needle {
    /// Whether `text` contains it, whatever the case of `text`.
    fn is_in(&self, text: &str) -> bool {
        if !text.is_ascii() {
            return text.to_lowercase().contains(&self.0);
        }
        let (needle, text) = (self.0.as_bytes(), text.as_bytes());
        let Some((first, rest)) = needle.split_first() else { return true };
        let Some(last) = text.len().checked_sub(needle.len()) else { return false };
        memchr::memchr2_iter(*first, first.to_ascii_uppercase(), &text[..=last])
            .any(|at| text[at + 1..at + needle.len()].eq_ignore_ascii_case(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_words_must_be_found_and_excluded_ones_must_not() {
        let row = ["shop/Checkout", "prod-eu", "image not found", "ZÜRICH"];
        for (typed, want) in [
            ("", true),
            ("check", true),
            ("CHECK prod", true),
            ("check stage", false),
            ("check !stage", true),
            ("check !eu", false),
            ("!", true),
            ("zürich", true),
            ("not found", true),
            // words are looked for one by one, not across columns as one string
            ("checkoutprod", false),
        ] {
            assert_eq!(Query::new(typed).matches(row.into_iter()), want, "{typed:?}");
        }
    }
}
