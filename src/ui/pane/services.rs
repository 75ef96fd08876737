//! The services pane.

use super::PaneId;
use super::cells;
use super::list::{List, plain};
use crate::input::{Command, Scope};
use crate::model::{ClusterState, Kind, Level, ObjectRef, RolloutState, Service, ServiceKind, Text};
use crate::theme::Role;
use crate::ui::cx::{Cx, Place, Subject};
use crate::ui::outcome::{Go, Outcome};
use crate::ui::view::naming;
use crate::ui::view::rows::{Beside, By, Reads, Rows, Sort, Source};
use crate::ui::widget::table::{CellText, Column, Fit};
use std::sync::Arc;

/// See the module's description.
pub struct Services;

const CLUSTER: usize = 0;
const NAME: usize = 1;
const READY: usize = 2;
const STATE: usize = 3;
const WHY: usize = 4;
const KIND: usize = 5;
const IMAGE: usize = 6;
const CPU: usize = 7;
const TREND: usize = 8;
const MEMORY: usize = 9;
const AGE: usize = 10;

const COLUMNS: &[Column] = &[
    Column { title: "CLUSTER", fit: Fit::Name, min: 7, max: 16, priority: 0, grow: false },
    Column { title: "NAME", fit: Fit::Name, min: 12, max: 40, priority: 0, grow: false },
    Column { title: "READY", fit: Fit::Number, min: 5, max: 9, priority: 0, grow: false },
    Column { title: "STATE", fit: Fit::Words, min: 9, max: 14, priority: 0, grow: false },
    Column { title: "WHY", fit: Fit::Words, min: 14, max: 70, priority: 1, grow: true },
    Column { title: "KIND", fit: Fit::Words, min: 6, max: 11, priority: 6, grow: false },
    Column { title: "IMAGE", fit: Fit::Name, min: 8, max: 28, priority: 4, grow: false },
    Column { title: "CPU", fit: Fit::Number, min: 4, max: 5, priority: 3, grow: false },
    Column { title: "10 MIN", fit: Fit::Words, min: 10, max: 10, priority: 5, grow: false },
    Column { title: "MEM", fit: Fit::Number, min: 5, max: 6, priority: 3, grow: false },
    Column { title: "AGE", fit: Fit::Number, min: 4, max: 4, priority: 2, grow: false },
];

impl Source for Services {
    type Row = Service;

    fn rows(state: &Arc<ClusterState>) -> Rows<'_, Service> {
        Rows::Table(&state.services)
    }

    fn admits(_state: &ClusterState, row: &Service, place: &Place) -> bool {
        place.narrow.admits_namespace(&row.namespace)
    }

    fn words<'a>(beside: &'a Beside<'a>, row: &'a Service) -> impl Iterator<Item = &'a str> + Clone {
        let own = [beside.state.cluster.id.as_str(), &row.namespace, &row.name, row.kind.word(), &row.image];
        let how = match beside.finding(Kind::Service, &row.key) {
            Some(finding) => [finding.headline.as_str(), &finding.why, level_word(finding.level)],
            None => [state_word(row).map_or("", |(_, word, _)| word), "", ""],
        };
        own.into_iter().chain(how)
    }

    fn by(beside: &Beside<'_>, row: &Service, column: usize) -> By {
        let usage = || cells::measured(&beside.state.service_usage, &row.key);
        let finding = || beside.finding(Kind::Service, &row.key);
        match column {
            READY => By::Number(row.desired.map_or(i64::MAX, |want| i64::from(row.ready) - i64::from(want))),
            STATE => By::Number(match finding() {
                Some(finding) => 10 + finding.level as i64,
                None => i64::from(row.rollout.state != RolloutState::Stable),
            }),
            WHY => finding().map_or(By::NOTHING, |finding| By::Text(finding.why.clone())),
            KIND => By::Text(Text::new(row.kind.word())),
            IMAGE => By::Text(row.image.clone()),
            CPU | TREND => usage().map_or(By::NOTHING, |u| By::Number(i64::from(u.cpu_m))),
            MEMORY => usage().map_or(By::NOTHING, |u| By::Number(i64::try_from(u.mem).unwrap_or(i64::MAX))),
            AGE => By::Number(-row.created.0),
            _ => By::NOTHING,
        }
    }

    fn name(row: &Service) -> (&str, &str) {
        (&row.namespace, &row.name)
    }

    fn reads(column: usize, _place: &Place) -> Reads {
        Reads {
            findings: Some(Kind::Service),
            usage: matches!(column, CPU | TREND | MEMORY).then_some(Kind::Service),
            ..Reads::default()
        }
    }
}

impl List for Services {
    const NAME: &'static str = "services";
    const KIND: Option<Kind> = Some(Kind::Service);
    const COLUMNS: &'static [Column] = COLUMNS;
    const CLUSTER: Option<usize> = Some(CLUSTER);
    const SORT: Sort = Sort { column: NAME, down: false };
    const SORTS: [Option<usize>; 3] = [Some(NAME), Some(AGE), Some(STATE)];
    const HINTS: &'static [Command] = &[
        Command::Logs,
        Command::Scale,
        Command::Redeploy,
        Command::Rebalance,
        Command::RollBack,
        Command::ResumeService,
        Command::TriggerService,
        Command::HoldService,
        Command::SetImage,
        Command::DeleteService,
        Command::Inspect,
        Command::Open,
        Command::Detail,
    ];

    fn cell(cx: &Cx<'_>, state: &ClusterState, row: &Service, column: usize, out: &mut CellText) {
        match column {
            NAME => {
                if cx.place.narrow.namespace.is_none()
                    && let Some(prefix) = naming::prefix(&row.namespace, &row.name)
                {
                    out.fmt(Role::Dim, format_args!("{prefix}/"));
                }
                out.put(&row.name, Role::Text);
            }
            READY => match row.desired {
                // a Job that has ended wants no task any more
                Some(want) if want > 0 || !row.kind.runs_to_completion() => {
                    let role = if row.ready < want { Role::Strong } else { Role::Text };
                    out.fmt(role, format_args!("{}/{want}", row.ready));
                }
                _ => out.put("-", Role::Dim),
            },
            STATE => state_cell(state, row, out),
            WHY => match state.finding_of(Kind::Service, &row.key) {
                Some(finding) => {
                    out.put(if finding.why.is_empty() { &finding.headline } else { &finding.why }, Role::Text);
                    if !finding.extra.is_empty() {
                        out.fmt(Role::Dim, format_args!(" · {}", finding.extra));
                    }
                }
                None => {
                    if let Some(note) = &row.rollout.note {
                        out.put(note, Role::Dim);
                    } else if row.rollout.state == RolloutState::Progressing && !row.kind.runs_to_completion() {
                        out.fmt(Role::Dim, format_args!("{} of {} updated", row.updated, row.desired.unwrap_or(row.current)));
                    }
                }
            },
            KIND => out.put(row.kind.word(), Role::Dim),
            IMAGE => out.put(cells::short_image(&row.image), Role::Dim),
            CPU => cells::cpu(out, cells::usage(cx, &state.service_usage, &row.key)),
            TREND => cells::trend(out, &state.service_usage, &row.key, 10),
            MEMORY => cells::memory(out, cells::usage(cx, &state.service_usage, &row.key)),
            AGE => cells::age(out, cx, row.created),
            _ => {}
        }
    }

    fn object(state: &ClusterState, row: &Service) -> Option<ObjectRef> {
        Some(ObjectRef { cluster: state.cluster.id.clone(), kind: Kind::Service, key: row.key.clone() })
    }

    fn scopes(_state: &ClusterState, _row: &Service) -> &'static [Scope] {
        &[Scope::Service, Scope::List]
    }

    fn open(state: &ClusterState, row: &Service) -> Outcome {
        Self::object(state, row).map_or(Outcome::Handled, |object| Outcome::Go(Go::For(PaneId::Tasks, Subject::of(object))))
    }

    fn plain(state: &ClusterState, row: &Service) -> Option<Text> {
        plain(state, Self::object(state, row))
    }

    fn empty(_cx: &Cx<'_>) -> Text {
        Text::new("there are no services here: nothing is deployed")
    }
}

fn level_word(level: Level) -> &'static str {
    match level {
        Level::Failing => "failing",
        Level::Warning => "warning",
    }
}

/// Sign, word and role of what is under way, if anything is, and of how it stands with what is meant to end.
pub fn state_word(row: &Service) -> Option<(&'static str, &'static str, Role)> {
    let ends = row.kind.runs_to_completion();
    let swarm = matches!(row.kind, ServiceKind::Replicated | ServiceKind::Global);
    let whole = |row: &Service, want: u32| row.ready == want && row.updated == want && row.current == want;
    let (word, role) = match row.rollout.state {
        RolloutState::Stable if row.suspended => ("suspended", Role::Dim),
        RolloutState::Stable if row.kind == ServiceKind::CronJob && row.current == 0 => ("scheduled", Role::Dim),
        RolloutState::Stable if ends && row.current == 0 => ("done", Role::Dim),
        RolloutState::Stable if ends => ("running", Role::Progress),
        RolloutState::Stable if row.desired == Some(0) && row.current == 0 => match row.kind {
            ServiceKind::Compose | ServiceKind::Container => ("stopped", Role::Dim),
            _ => ("scaled to 0", Role::Dim),
        },
        RolloutState::Stable => return None,
        RolloutState::Progressing if ends => ("running", Role::Progress),
        // a swarm watches for a while what it has updated
        RolloutState::Progressing if swarm && row.desired.is_some_and(|want| whole(row, want)) => ("updating", Role::Progress),
        RolloutState::Progressing if row.desired.is_some_and(|want| row.updated >= want.min(row.current)) => {
            ("scaling", Role::Progress)
        }
        RolloutState::Progressing => ("updating", Role::Progress),
        RolloutState::Paused => ("paused", Role::Progress),
        RolloutState::RollingBack => ("rolling back", Role::Progress),
        RolloutState::Failed if ends => ("failed", Role::Failing),
        RolloutState::Failed => ("stopped", Role::Progress),
    };
    let sign = match role {
        Role::Progress => "◔ ",
        Role::Failing => "✖ ",
        _ => "",
    };
    Some((sign, word, role))
}

fn state_cell(state: &ClusterState, row: &Service, out: &mut CellText) {
    match (state.finding_of(Kind::Service, &row.key), state_word(row)) {
        (Some(finding), _) => cells::level(out, finding.level),
        (None, Some((sign, word, role))) => {
            out.put(sign, role);
            out.put(word, role);
        }
        (None, None) => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::Rollout;
    use crate::ui::testing::service;

    #[test]
    fn an_update_is_called_so_to_its_end_and_another_number_of_tasks_is_not() {
        let row = |kind: ServiceKind, ready: u32, updated: u32, current: u32| Service {
            kind,
            updated,
            current,
            rollout: Rollout { state: RolloutState::Progressing, note: None },
            ..service("s", "shop", "web", ready, 3)
        };
        use ServiceKind::{Deployment, Replicated};
        for (kind, ready, updated, current, want) in [
            (Replicated, 2, 2, 3, "updating"),
            (Replicated, 3, 3, 3, "updating"),
            (Replicated, 1, 3, 3, "scaling"),
            (Replicated, 1, 1, 1, "scaling"),
            (Deployment, 3, 1, 4, "updating"),
            (Deployment, 1, 3, 3, "scaling"),
        ] {
            let word = state_word(&row(kind, ready, updated, current)).unwrap().1;
            assert_eq!(word, want, "{kind:?} ready {ready} updated {updated} current {current}");
        }
    }
}
