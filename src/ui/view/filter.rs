//! The filter: words that must all be found somewhere in a row, `!word` must not be.

/// A filter as typed, made ready for matching. Case does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    with: Vec<String>,
    without: Vec<String>,
}

impl Query {
    /// Reads `web !job`: rows with `web` and without `job`. A lone `!` is still being typed and excludes nothing.
    pub fn new(typed: &str) -> Self {
        let mut query = Self::default();
        for word in typed.split_whitespace() {
            match word.strip_prefix('!') {
                Some("") => {}
                Some(word) => query.without.push(word.to_lowercase()),
                None => query.with.push(word.to_lowercase()),
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
            self.with.iter().flat_map(|word| lower.match_indices(word.as_str())).map(|(at, w)| at..at + w.len()).collect();
        spans.retain(|span| text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
        spans.sort_by_key(|span| span.start);
        spans
    }

    /// Whether a row matches whose words `words` visits, one after the other.
    pub fn matches(&self, words: impl Fn(&mut dyn FnMut(&str))) -> bool {
        let found = |needle: &String| {
            let mut found = false;
            words(&mut |text| found = found || contains(text, needle));
            found
        };
        self.with.iter().all(found) && !self.without.iter().any(found)
    }
}

/// Whether `text` contains the lower-case `needle`, whatever the case of `text`.
fn contains(text: &str, needle: &str) -> bool {
    if text.is_ascii() {
        return text.as_bytes().windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle.as_bytes()));
    }
    text.to_lowercase().contains(needle)
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
            assert_eq!(Query::new(typed).matches(|visit| row.iter().for_each(|text| visit(text))), want, "{typed:?}");
        }
    }
}
