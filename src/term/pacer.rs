//! When the next frame is drawn: at once after a key, seldom for data, seldomer on a slow link. A frame for a key shows the
//! picture the key was pressed at; it takes what is new with it only when that is due anyway, so a key never waits for a
//! large fleet to be looked through. Pure; times are handed in.

use super::link::Link;
use std::time::Duration;

/// Between two frames for keys at least: more often than 60 a second nobody sees.
const INPUT: Duration = Duration::from_millis(16);

/// Between two frames for data at least.
const DATA: Duration = Duration::from_millis(100);

/// What waits for the keys to rest waits this long.
const REST: Duration = Duration::from_millis(60);

/// A frame for data comes this many times its way over the link later at the earliest: on a slow link the bandwidth is for
/// keys.
const SHARE: u32 = 4;

/// But not later than this for the keys' sake.
const PAUSE: Duration = Duration::from_secs(5);

/// A frame for data comes this many times the work of the last one later at the earliest: a large fleet that changes all
/// the time is looked through and drawn with about an eighth of a hundredth of a processor.
const WORK: u32 = 800;

/// But not later than this for the work's sake.
const SEEN: Duration = Duration::from_secs(1);

/// Ages that are told in minutes or more are drawn anew this often while nobody is at the keys: so much too late nobody
/// sees.
const AGES: Duration = Duration::from_secs(5);

/// Somebody is at the keys for so long after each.
const KEYS: Duration = Duration::from_secs(5);

/// Why a frame is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Frame {
    /// The fleet changed, or an age did.
    Data,
    /// A list is whole: seldom, and waited for by whoever has just begun.
    List,
    /// What follows a key once no other comes: details of another row.
    Rest,
    /// The operator pressed a key, or the size changed.
    Input,
}

/// Decides when to draw. Times are durations since any fixed moment.
#[derive(Clone, Debug, Default)]
pub struct Pacer {
    wanted: Option<Frame>,
    /// When the last frame was handed out.
    last: Option<Duration>,
    /// When the last one was that took what is new.
    data: Option<Duration>,
    /// When the last one for keys was: a key that comes just after a frame for data does not wait for it.
    input: Option<Duration>,
    /// How long the last one that took what is new was in the making.
    work: Duration,
    /// The way to the terminal.
    link: Link,
    /// A frame is on its way to the terminal.
    writing: bool,
}

impl Pacer {
    /// Asks for a frame.
    pub fn want(&mut self, frame: Frame) {
        self.wanted = self.wanted.max(Some(frame));
    }

    /// When the wanted frame may be drawn; none if none is wanted or one is being written: the next is drawn after it,
    /// from what is known by then.
    pub fn due(&self) -> Option<Duration> {
        if self.writing {
            return None;
        }
        let wanted = self.wanted?;
        let Some(last) = self.last else { return Some(Duration::ZERO) };
        Some(match wanted {
            Frame::Input => self.input.map_or(Duration::ZERO, |input| input + INPUT),
            Frame::Rest => last + REST,
            Frame::List => self.data_due(Duration::ZERO),
            Frame::Data => self.data_due(self.spare()),
        })
    }

    /// When the next frame for data is due if it is to come `spare` after the last one.
    fn data_due(&self, spare: Duration) -> Duration {
        let link = self.link.free() + (self.link.frame() * SHARE).min(PAUSE);
        self.data.map_or(Duration::ZERO, |data| link.max(data + DATA.max(spare)))
    }

    /// The least time between two frames for data, for the work's sake.
    fn spare(&self) -> Duration {
        (self.work * WORK).min(SEEN)
    }

    /// Whether the frame that would be drawn now takes what is new.
    pub fn takes_news(&self, now: Duration) -> bool {
        self.wanted != Some(Frame::Input) || self.data_due(self.spare()) <= now
    }

    /// Whether a frame is worth its work because ages read otherwise by now; `young` if one of them is told in seconds.
    pub fn ages_are_due(&self, now: Duration, young: bool) -> bool {
        let within = |last: Option<Duration>, span: Duration| last.is_some_and(|last| now < last + span);
        young || within(self.input, KEYS) || !within(self.last, AGES)
    }

    /// Says that a frame is drawn now, and hears why it was wanted.
    pub fn begin(&mut self, now: Duration) -> Frame {
        if self.takes_news(now) {
            self.data = Some(now);
        }
        self.last = Some(now);
        self.writing = true;
        let frame = self.wanted.take().unwrap_or(Frame::Data);
        if frame == Frame::Input {
            self.input = Some(now);
        }
        frame
    }

    /// Says how long it took to make a frame that took what is new.
    pub fn made(&mut self, work: Duration) {
        self.work = work;
    }

    /// Says that the terminal has taken the frame of so many bytes, after `took`.
    pub fn written(&mut self, bytes: usize, took: Duration) {
        self.writing = false;
        let begun = self.last.unwrap_or_default();
        self.link.written(bytes, begun, begun + took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// A frame for keys was drawn.
    fn drawn(at: u64, took: u64) -> Pacer {
        let mut pacer = Pacer::default();
        pacer.want(Frame::Input);
        pacer.begin(ms(at));
        pacer.written(1_000, ms(took));
        pacer
    }

    #[test]
    fn nothing_is_due_until_a_frame_is_wanted() {
        assert_eq!(Pacer::default().due(), None);
        let mut first = Pacer::default();
        first.want(Frame::Data);
        assert_eq!(first.due(), Some(Duration::ZERO));
    }

    #[test]
    fn keys_are_shown_at_once_and_data_ten_times_a_second() {
        for (frame, took, due) in [
            (Frame::Input, 0, 1_016),
            (Frame::Data, 0, 1_100),
            (Frame::Data, 10, 1_100),
            // 8,000 bytes a second: 125 ms for the frame, and four times that for keys
            (Frame::Data, 2_048, 3_048 + 5 * 125),
            // a terminal that was stopped for an hour is not taken for a link of a few bytes a second
            (Frame::Data, 3_600_000, 3_601_000 + 5 * 1_000),
            (Frame::Input, 500, 1_016),
            (Frame::Rest, 500, 1_060),
        ] {
            let mut pacer = drawn(1_000, took);
            pacer.want(frame);
            assert_eq!(pacer.due(), Some(ms(due)), "{frame:?} after a write of {took} ms");
        }
    }

    #[test]
    fn frames_that_are_much_work_come_seldomer_for_data_and_at_once_for_keys() {
        for (work, due) in [(0, 1_100), (1, 1_800), (2, 2_000), (40, 2_000)] {
            let mut pacer = drawn(1_000, 0);
            pacer.made(ms(work));
            pacer.want(Frame::Data);
            assert_eq!(pacer.due(), Some(ms(due)), "{work} ms");
            pacer.want(Frame::List);
            assert_eq!(pacer.due(), Some(ms(1_100)), "a list that is whole after {work} ms of work");
            pacer.want(Frame::Input);
            assert_eq!(pacer.due(), Some(ms(1_016)));
        }
    }

    #[test]
    fn keys_take_what_is_new_with_them_only_when_it_is_due_and_do_not_put_it_off() {
        let mut pacer = drawn(1_000, 0);
        pacer.made(ms(1));
        for at in (1_020..1_800).step_by(20) {
            pacer.want(Frame::Input);
            assert!(!pacer.takes_news(ms(at)), "{at}");
            assert_eq!(pacer.begin(ms(at)), Frame::Input);
            pacer.written(100, ms(0));
            pacer.want(Frame::Data);
            assert_eq!(pacer.due(), Some(ms(1_800)), "{at}");
        }
        pacer.want(Frame::Input);
        assert!(pacer.takes_news(ms(1_800)));
        pacer.begin(ms(1_800));
        pacer.written(100, ms(0));
        pacer.want(Frame::Data);
        assert!(pacer.takes_news(ms(1_900)));
        assert_eq!(pacer.due(), Some(ms(2_600)));
    }

    #[test]
    fn ages_are_drawn_each_second_where_they_are_young_or_somebody_is_at_the_keys() {
        let mut pacer = drawn(1_000, 0);
        pacer.want(Frame::Data);
        pacer.begin(ms(7_000));
        for (at, young, due) in [(8_000, false, false), (8_000, true, true), (11_000, false, false), (12_000, false, true)] {
            assert_eq!(pacer.ages_are_due(ms(at), young), due, "{at} {young}");
        }
        pacer.want(Frame::Input);
        pacer.begin(ms(12_500));
        assert!(pacer.ages_are_due(ms(13_000), false));
    }

    #[test]
    fn a_key_is_not_slowed_by_data_wanted_before_or_after() {
        for order in [[Frame::Data, Frame::Input], [Frame::Input, Frame::Data], [Frame::Rest, Frame::Input]] {
            let mut pacer = drawn(1_000, 300);
            for frame in order {
                pacer.want(frame);
            }
            assert_eq!(pacer.due(), Some(ms(1_016)));
        }
    }

    #[test]
    fn while_the_terminal_is_busy_nothing_is_drawn_and_the_wish_is_kept() {
        let mut pacer = Pacer::default();
        assert_eq!(pacer.begin(ms(0)), Frame::Data);
        pacer.want(Frame::Input);
        assert_eq!(pacer.due(), None);
        pacer.written(10_000, ms(2_000));
        // it waits for the terminal, not for the frame for data
        assert_eq!(pacer.due(), Some(ms(0)));
        assert_eq!(pacer.begin(ms(2_000)), Frame::Input);
        pacer.written(10, ms(1));
        pacer.want(Frame::Input);
        assert_eq!(pacer.due(), Some(ms(2_016)));
    }

    #[test]
    fn on_a_slow_link_a_frame_for_data_finds_nothing_on_its_way_and_leaves_most_of_it_to_keys() {
        // a link that takes 8 bytes a millisecond, and a kernel that keeps 19,400 before a write waits until all are taken
        let (mut pacer, mut kept, mut busy, mut sent) = (Pacer::default(), 0_i64, 0, 0);
        let mut queued = 0;
        let span = 600_000;
        for now in 0..span {
            kept = (kept - 8).max(0);
            queued += u64::from(kept > 1_500);
            pacer.want(Frame::Data);
            if now < busy || pacer.due().is_none_or(|due| due > ms(now)) {
                continue;
            }
            pacer.begin(ms(now));
            let took = if kept + 1_500 > 19_400 { kept / 8 } else { 0 };
            kept += 1_500;
            sent += 1_500;
            busy = now + took.unsigned_abs();
            pacer.written(1_500, ms(took.unsigned_abs()));
        }
        // it is so until it knows the link, and every few minutes when it tries whether the link is faster by now
        println!("more than a frame on its way for {queued} of {span} ms; {} bytes a second", sent / (span / 1_000));
        assert!(queued < span / 20, "more than a frame on its way for {queued} of {span} ms");
        assert!((1_000..3_000).contains(&(sent / (span / 1_000))), "{sent} bytes");
    }

    #[test]
    fn five_thousand_changes_in_a_second_are_at_most_eleven_frames() {
        let mut pacer = Pacer::default();
        let mut frames = 0;
        for tick in 0..5_000 {
            let now = Duration::from_micros(200 * tick);
            pacer.want(Frame::Data);
            if pacer.due().is_some_and(|due| due <= now) {
                pacer.begin(now);
                pacer.written(100, Duration::ZERO);
                frames += 1;
            }
        }
        assert!(frames <= 11, "{frames}");
    }
}
