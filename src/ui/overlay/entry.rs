//! What an action takes beside its objects, under edit in its dialog.

mod choice;
mod edits;
mod image;
mod number;
mod revision;

use crate::model::{Action, ClusterKind, ObjectRef, Propagation, Text, Volumes, World};
use crate::ui::act;
use crate::ui::cx::Cx;
use crate::ui::widget::input::TextInput;
use crate::ui::widget::pen::Pen;
use choice::Choice;
use edits::Edits;
use image::Image;
use number::Number;
use revision::Revision;

/// How long a task that is deleted may have to end, and the words for it. The first is what it was made with.
const GRACES: [(Option<u32>, &str); 8] = [
    (None, "its own"),
    (Some(0), "0 s"),
    (Some(5), "5 s"),
    (Some(10), "10 s"),
    (Some(30), "30 s"),
    (Some(60), "1 min"),
    (Some(120), "2 min"),
    (Some(300), "5 min"),
];

/// A parameter of an action, under edit.
pub enum Entry {
    /// A number of tasks.
    Number(Box<Number>),
    /// What becomes of the tasks.
    Propagation(Choice),
    /// How long a task has to end.
    Grace(Choice),
    /// Which volumes go too.
    Volumes(Choice),
    /// Whether the image is pulled.
    Pull(Choice),
    /// Whose token.
    Token(Choice),
    /// The image of a container.
    Image(Box<Image>),
    /// Labels or taints.
    Edits(Box<Edits>),
    /// An earlier definition.
    Revision(Revision),
}

fn grace() -> Entry {
    Entry::Grace(Choice::new("grace", GRACES.map(|(_, word)| word).to_vec()))
}

impl Entry {
    /// The parameter of this action on these objects, if there is one to choose.
    pub fn of(action: &Action, objects: &[ObjectRef], world: &World) -> Option<Self> {
        let kubernetes =
            |object: &ObjectRef| world.cluster(&object.cluster).is_some_and(|s| s.cluster.kind == ClusterKind::Kubernetes);
        match action {
            Action::Scale { to } => Some(Self::Number(Box::new(Number::new(*to)))),
            Action::DeleteService { .. } if objects.iter().all(kubernetes) => {
                Some(Self::Propagation(Choice::new("its tasks", Propagation::ALL.map(Propagation::word).to_vec())))
            }
            Action::DeleteTask { .. } if objects.iter().all(kubernetes) => Some(grace()),
            Action::ForceDelete { .. } => Some(grace()),
            Action::Prune { .. } => Some(Self::Volumes(Choice::new("volumes", Volumes::ALL.map(Volumes::word).to_vec()))),
            Action::Redeploy { .. } => Some(Self::Pull(Choice::new("image", vec!["as it is", "pulled"]))),
            Action::RotateToken { .. } => Some(Self::Token(Choice::new("token of", vec!["workers", "managers"]))),
            Action::RollBack { to } if objects.len() == 1 => {
                let object = objects.first()?;
                let service = world.cluster(&object.cluster)?.services.get(&object.key)?;
                (service.earlier.len() > 1).then(|| Self::Revision(Revision::new(service.earlier.to_vec(), *to)))
            }
            Action::SetImage { container, image } => {
                let object = objects.first()?;
                let service = world.cluster(&object.cluster)?.services.get(&object.key)?;
                let all = service.images().map(|(a, b)| (a.clone(), b.clone())).collect();
                Some(Self::Image(Box::new(Image::new(all, container, image))))
            }
            // a dialog that takes something back comes with what brings it back
            Action::Label { edits } => Some(Self::Edits(Box::new(Edits::labels(edits, objects.iter().any(kubernetes))))),
            Action::Taint { edits } => Some(Self::Edits(Box::new(Edits::taints(edits)))),
            _ => None,
        }
    }

    /// Whether any character may be part of it, so that the dialog's own keys count only after it.
    pub fn is_line(&self) -> bool {
        matches!(self, Self::Image(_) | Self::Edits(_))
    }

    /// Whether typed characters are its own, so that a name is typed only after it.
    pub fn takes_text(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Image(_) | Self::Edits(_))
    }

    /// Edits; true if its value may have changed.
    pub fn edit(&mut self, input: &TextInput) -> bool {
        match self {
            Self::Number(number) => number.edit(input),
            Self::Propagation(choice) | Self::Grace(choice) | Self::Volumes(choice) | Self::Pull(choice) | Self::Token(choice) => {
                choice.edit(input)
            }
            Self::Image(image) => image.edit(input),
            Self::Edits(edits) => edits.edit(input),
            Self::Revision(revision) => revision.edit(input),
        }
    }

    /// Writes its value into the action.
    pub fn apply(&self, action: &mut Action) {
        match (self, action) {
            (Self::Number(number), Action::Scale { to }) => *to = number.value().unwrap_or(*to),
            (Self::Propagation(choice), Action::DeleteService { propagation }) => {
                *propagation = Propagation::ALL.get(choice.at()).copied().unwrap_or_default();
            }
            (Self::Grace(choice), Action::DeleteTask { grace } | Action::ForceDelete { grace }) => {
                *grace = GRACES.get(choice.at()).and_then(|(seconds, _)| *seconds);
            }
            (Self::Volumes(choice), Action::Prune { volumes, .. }) => {
                *volumes = Volumes::ALL.get(choice.at()).copied().unwrap_or_default();
            }
            (Self::Pull(choice), Action::Redeploy { pull }) => *pull = choice.at() == 1,
            (Self::Token(choice), Action::RotateToken { managers, .. }) => *managers = choice.at() == 1,
            (Self::Image(entry), Action::SetImage { container, image }) => (*container, *image) = entry.value(),
            (Self::Edits(edits), action) => edits.apply(action),
            (Self::Revision(revision), Action::RollBack { to }) => *to = revision.value(),
            _ => {}
        }
    }

    /// What is still missing before it may be done, and how to get it.
    pub fn missing<'a>(&self, world: &World, mut objects: impl Iterator<Item = &'a ObjectRef>) -> Option<(Text, &'static str)> {
        let number = match self {
            Self::Number(number) => number,
            Self::Image(image) => return image.missing().map(|why| (Text::new(why), "type another image")),
            Self::Edits(edits) => {
                let nodes = objects.filter_map(|object| world.cluster(&object.cluster)?.nodes.get(&object.key).map(|node| &**node));
                return edits.missing(nodes).map(|why| (why, edits.how()));
            }
            Self::Propagation(_) | Self::Grace(_) | Self::Volumes(_) | Self::Pull(_) | Self::Token(_) | Self::Revision(_) => {
                return None;
            }
        };
        let Some(to) = number.value() else { return Some((Text::new("type the number of tasks"), "choose another number")) };
        let same = objects.all(|object| act::desired(world, object) == Some(to));
        same.then(|| (Text::from(format!("{to} is what it has: nothing would change")), "choose another number"))
    }

    /// Draws it in one row, and returns the column of the cursor if it has one.
    pub fn draw(&self, pen: &mut Pen<'_>, cx: &Cx<'_>) -> Option<u16> {
        match self {
            Self::Number(number) => Some(number.draw(pen, cx)),
            Self::Image(image) => Some(image.draw(pen, cx)),
            Self::Edits(edits) => Some(edits.draw(pen, cx)),
            Self::Propagation(choice) | Self::Grace(choice) | Self::Volumes(choice) | Self::Pull(choice) | Self::Token(choice) => {
                choice.draw(pen, cx);
                None
            }
            Self::Revision(revision) => {
                revision.draw(pen, cx);
                None
            }
        }
    }
}
