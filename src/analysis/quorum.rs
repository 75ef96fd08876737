//! How many managers of a swarm must answer: it acts only while more than half of them reach each other.

use super::reasons::count;

/// How many managers must answer where there are so many.
pub fn quorum(managers: u32) -> u32 {
    managers / 2 + 1
}

/// Why a swarm could act no more with so many managers, of which so many answer; nothing if it could.
pub fn lost(all: u32, up: u32) -> Option<String> {
    if all == 0 {
        return Some("the swarm would end: no manager is left".to_owned());
    }
    (up < quorum(all)).then(|| {
        format!(
            "the swarm could act no more: {up} of {} would answer, {} must; bring the others back first",
            count(all, "manager"),
            quorum(all)
        )
    })
}
