//! What lets a machine join a swarm.

use super::Text;
use crate::util::clean::clean;
use crate::util::time::Timestamp;
use std::fmt;
use std::sync::Arc;

/// Text that is shown to whoever asks for it by hand, and stands nowhere else: nothing that prints a record prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Sanitises `raw`.
    pub fn new(raw: &str) -> Self {
        Self(Arc::from(clean(raw).as_ref()))
    }

    /// The text itself, to be shown to the one who asked.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(masked)")
    }
}

/// The answer to [`super::Request::Reveal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// Whether one joins with it as a manager.
    pub managers: bool,
    /// When it was fetched.
    pub at: Timestamp,
    /// The token and the address to join at, or why they are not known.
    pub found: Result<(Secret, Text), Text>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed_with_what_it_is_part_of() {
        let join = Join { managers: false, at: Timestamp(0), found: Ok((Secret::new("SWMTKN-1-x"), "10.0.0.1:2377".into())) };
        let said = format!("{join:?} {join:#?}");
        assert!(said.contains("(masked)") && said.contains("10.0.0.1") && !said.contains("SWMTKN"), "{said}");
    }
}
