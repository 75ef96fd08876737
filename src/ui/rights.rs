//! Asks what is allowed before a key is pressed: of the row the cursor rests on, and of what a dialog is opened for. The
//! answer comes with a later picture, and a key that must fail is no longer hinted and says why.

use super::{Effect, Moment};
use crate::model::{Kind, ObjectRef, Request, World};
use crate::util::time::Timestamp;
use std::time::Duration;

/// A cursor that stays this long on a row rests there.
const REST: Duration = Duration::from_millis(300);

/// Where the cursor is, since when, and whether it was asked about.
#[derive(Debug, Default)]
pub struct Rights(Option<(ObjectRef, Timestamp, bool)>);

impl Rights {
    /// Takes where the cursor is now; once for each rest there is something to ask.
    pub fn follow(&mut self, object: Option<&ObjectRef>, world: &World, moment: Moment) -> Option<Effect> {
        let Some(object) = object else {
            self.0 = None;
            return None;
        };
        match &mut self.0 {
            Some((held, since, asked)) if held == object => {
                if *asked || moment.now.since(*since) < REST || !answers(object, world) {
                    return None;
                }
                *asked = true;
                Some(Effect::Request(Request::Rights(vec![object.clone()])))
            }
            other => {
                *other = Some((object.clone(), moment.now, false));
                None
            }
        }
    }

    /// What a dialog for these objects asks: again, for what was refused may be allowed by now.
    pub fn ask(objects: &[ObjectRef], world: &World) -> Option<Effect> {
        let asked: Vec<ObjectRef> = objects.iter().filter(|object| answers(object, world)).cloned().collect();
        (!asked.is_empty()).then_some(Effect::Request(Request::Rights(asked)))
    }
}

/// Whether an answer can come and matters.
fn answers(object: &ObjectRef, world: &World) -> bool {
    let cluster = world.cluster(&object.cluster).map(|state| &state.cluster);
    object.kind != Kind::Event && cluster.is_some_and(|cluster| cluster.link.is_live() && !cluster.read_only)
}
