#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::testing::{Bench, event, service};
use super::*;
use crate::input::Command;
use crate::model::{Change, Delta, Key, Kind, Link, Text};

const PANES: [PaneId; 6] = [PaneId::Fleet, PaneId::Clusters, PaneId::Nodes, PaneId::Services, PaneId::Tasks, PaneId::Events];

#[test]
#[ignore = "for eyes"]
fn look() {
    for size in [(80, 24), (200, 50)] {
        for pane in PANES {
            println!("===== {pane:?} {size:?}\n{}", Bench::new(pane, size).screen());
        }
    }
}

#[test]
fn no_size_makes_a_pane_panic_or_write_outside() {
    for pane in PANES {
        let mut bench = Bench::new(pane, (0, 0));
        for width in (0..220).step_by(7) {
            for height in [0, 1, 2, 5, 9, 10, 11, 13, 18, 24, 31, 40, 59] {
                bench.size = (width, height);
                bench.screen();
            }
        }
    }
}
