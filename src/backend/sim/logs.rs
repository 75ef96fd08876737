//! Log lines: drawn from the seed, the instance and the second alone, so that any stretch of a log can be read at any time
//! and reads the same again.

use super::chance::{Dice, mix};
use super::parts::{Fault, Instance, Moment, Phase, Run, Workload};
use super::phrases::{self, Trouble};
use super::platform::Platform;
use crate::model::{ClusterKind, LogLine, Stream};

/// Furthest back a log goes: engines and kubelets rotate theirs.
const KEPT: Moment = 1_800_000;

/// Which runs of an instance are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    /// What the platform shows at first: Kubernetes the last run, an engine all of the container's.
    Shown,
    /// All: a log that is followed goes on over a restart.
    All,
    /// The one before the present one.
    Previous,
}

/// A stretch of one instance's log.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    /// Lines with their moments, oldest first.
    pub lines: Vec<LogLine>,
    /// No more lines will come: the instance is gone or has ended.
    pub over: bool,
}

impl Platform {
    /// The lines of the task `key` in `after < t <= until`.
    pub(super) fn log(&self, key: &str, after: Moment, until: Moment, which: Runs) -> Stretch {
        let Some(instance) = self.instances.values().find(|i| i.key.as_str() == key) else {
            return Stretch { lines: Vec::new(), over: true };
        };
        let Some(workload) = self.workloads.get(&instance.workload) else {
            return Stretch { lines: Vec::new(), over: true };
        };
        let runs = &instance.runs;
        let last = runs.len().saturating_sub(1);
        let shown = match which {
            Runs::All => runs.as_slice(),
            Runs::Shown if self.kind == ClusterKind::Docker => runs.as_slice(),
            Runs::Shown => runs.get(last..).unwrap_or_default(),
            Runs::Previous => previous_of(runs),
        };
        let after = after.max(until - KEPT);
        let mut lines = Vec::new();
        for run in shown {
            self.run_lines(workload, instance, run, after, until, &mut lines);
        }
        let silent = instance.host.and_then(|h| self.hosts.get(&h)).is_some_and(|h| h.silent);
        let over = which == Runs::Previous || instance.phase.ended() || (silent && instance.phase == Phase::Stopping);
        Stretch { lines, over }
    }

    fn run_lines(&self, workload: &Workload, instance: &Instance, run: &Run, after: Moment, until: Moment, out: &mut Vec<LogLine>) {
        let mut line = |at: Moment, stream: Stream, text: String| {
            if at > after && at <= until {
                out.push(LogLine { at: Some(self.stamp(at)), task: instance.name.clone(), stream, text: text.into() });
            }
        };
        for (n, text) in phrases::opening(workload.profile, &workload.name, &instance.definition.image).into_iter().enumerate() {
            line(run.from + 40 + 130 * n as Moment, Stream::Out, text);
        }
        let end = run.until.unwrap_or(Moment::MAX);
        // the opening lines have the first second to themselves
        let first = (run.from.div_euclid(1_000) + 1).max(after.div_euclid(1_000));
        let own = mix(self.seed, instance.id.0);
        for second in first..=end.min(until).div_euclid(1_000) {
            let at = second * 1_000;
            let fault = workload.fault_of(instance.slot, at);
            let trouble = fault.map_or(Trouble::None, |window| match &window.fault {
                Fault::Leak { full_after } => {
                    let full = (at - run.from.max(window.from)) as f64 / (*full_after).max(1) as f64;
                    if full > 0.6 { Trouble::Memory(full.min(0.99)) } else { Trouble::None }
                }
                Fault::Crash { says, .. } => Trouble::Error(says.clone()),
                Fault::Unready => Trouble::Error("upstream did not answer in time, readiness withdrawn".into()),
            });
            let mut dice = Dice::new(mix(own, second as u64));
            for (share, stream, text) in phrases::second(workload.profile, &trouble, &mut dice, self.demand(workload, at)) {
                let moment = at + share;
                if moment < end {
                    line(moment, stream, text);
                }
            }
        }
        if let Some(at) = run.until {
            if let Some(Fault::Crash { says, .. }) = workload.fault_of(instance.slot, at - 1).map(|w| &w.fault) {
                line(at - 30, Stream::Err, format!("FATAL {says}"));
            }
            if run.exit == 0 && workload.kind.runs_to_completion() {
                line(at - 5, Stream::Out, "INFO  done".to_owned());
            }
            if run.exit == 143 {
                line(at - 5, Stream::Out, "INFO  SIGTERM received, leaving".to_owned());
            }
        }
    }

    /// The last `tail` lines before now; all since `since` if that is given.
    pub(super) fn log_tail(&self, key: &str, tail: u32, since: Option<Moment>, previous: bool) -> Stretch {
        if let Some(since) = since {
            return self.log(key, since, self.now, Runs::All);
        }
        let which = if previous { Runs::Previous } else { Runs::Shown };
        let ended = || {
            let instance = self.instances.values().find(|i| i.key.as_str() == key)?;
            previous_of(&instance.runs).first()?.until
        };
        let until = if previous { ended().unwrap_or(self.now) } else { self.now };
        let mut stretch = Stretch::default();
        // a short stretch mostly has enough; a quiet service needs a longer one
        for back in [20_000, 180_000, KEPT] {
            stretch = self.log(key, until - back, until, which);
            if stretch.lines.len() >= tail as usize {
                break;
            }
        }
        let surplus = stretch.lines.len().saturating_sub(tail as usize);
        stretch.lines.drain(..surplus);
        stretch
    }
}

/// The last run that ended before the present one.
fn previous_of(runs: &[Run]) -> &[Run] {
    let ended = if runs.last().is_some_and(|run| run.until.is_none()) { runs.len() - 1 } else { runs.len() };
    runs.get(ended.saturating_sub(1)..ended).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::backend::sim::{PICTURE_EPOCH, demo_scenario};

    fn search() -> (Platform, String) {
        let platform = Platform::build(&demo_scenario().unwrap().clusters[0], 1, PICTURE_EPOCH);
        let key = platform
            .instances
            .values()
            .find(|i| i.name.starts_with("search-") && i.runs.len() > 2 && i.started().is_some())
            .map(|i| i.key.to_string())
            .unwrap();
        (platform, key)
    }

    #[test]
    fn a_log_reads_the_same_in_pieces_as_in_one_and_keeps_its_order() {
        let (platform, key) = search();
        let whole = platform.log(&key, -120_000, 0, Runs::All).lines;
        let pieces: Vec<LogLine> =
            (0..480).flat_map(|n| platform.log(&key, -120_000 + n * 250, -119_750 + n * 250, Runs::All).lines).collect();
        assert!(whole.len() > 20);
        assert!(whole == pieces, "{} lines in one, {} in pieces", whole.len(), pieces.len());
        assert!(whole.is_sorted_by_key(|line| line.at));
    }

    #[test]
    fn tail_since_and_previous_are_honoured() {
        let (platform, key) = search();
        let tail = platform.log_tail(&key, 7, None, false).lines;
        assert_eq!(tail.len(), 7);
        let since = platform.log_tail(&key, 7, Some(-30_000), false).lines;
        assert!(since.iter().all(|line| line.at > Some(platform.stamp(-30_000))));
        assert!(since.ends_with(&tail) || tail.ends_with(&since));
        let before = platform.log_tail(&key, 50, None, true);
        assert!(before.over && !before.lines.is_empty());
        assert!(before.lines.last().unwrap().at < tail.first().unwrap().at);
        assert!(before.lines.iter().any(|line| line.text.contains("heap")), "a run that ended out of memory says so");
    }

    #[test]
    fn a_task_that_is_gone_has_no_log() {
        let (platform, _) = search();
        assert!(platform.log("nobody", -10_000, 0, Runs::All).over);
    }
}
