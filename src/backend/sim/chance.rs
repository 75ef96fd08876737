//! Chance that repeats: every draw comes from the seed, so the same seed gives the same fleet.

/// A sequence of draws (splitmix64).
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.0)
    }

    /// A whole number in `from..=to`.
    pub(super) fn between(&mut self, from: i64, to: i64) -> i64 {
        let span = u64::try_from(to.saturating_sub(from)).unwrap_or(0).saturating_add(1);
        from.saturating_add(i64::try_from(self.next() % span).unwrap_or(0))
    }
}

fn scramble(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One number made of two.
pub(super) fn mix(a: u64, b: u64) -> u64 {
    scramble(a.rotate_left(17) ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// One number made of a text (FNV-1a): the same in every build, unlike the standard hasher.
pub(super) fn of_text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// A number of `0.0..1.0` made of a whole one.
pub(super) fn unit(n: u64) -> f64 {
    (n >> 11) as f64 / (1u64 << 53) as f64
}

/// A curve of `0.0..1.0` that moves smoothly from one draw to the next as `at` grows by one.
pub(super) fn smooth(seed: u64, at: f64) -> f64 {
    let cell = at.floor();
    let x = at - cell;
    let draw = |n: f64| unit(mix(seed, (n as i64) as u64));
    let ease = x * x * (3.0 - 2.0 * x);
    draw(cell) * (1.0 - ease) + draw(cell + 1.0) * ease
}

/// `len` characters of `alphabet` made of `n`: ids and name suffixes as the platforms make them.
pub(super) fn word(n: u64, len: usize, alphabet: &[u8]) -> String {
    let mut dice = Dice::new(n);
    let size = alphabet.len().max(1) as u64;
    (0..len).filter_map(|_| alphabet.get((dice.next() % size) as usize)).map(|b| char::from(*b)).collect()
}

/// What Kubernetes makes name suffixes of (no vowels, so no words).
pub(super) const SUFFIX: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
/// What Swarm makes ids of.
pub(super) const BASE36: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// What engines make ids of.
pub(super) const HEX: &[u8] = b"0123456789abcdef";

/// A uid as Kubernetes writes it.
pub(super) fn uuid(n: u64) -> String {
    let hex = word(n, 32, HEX);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
    format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_repeat_and_stay_in_their_range() {
        let (mut a, mut b) = (Dice::new(7), Dice::new(7));
        for _ in 0..1_000 {
            let n = a.between(-3, 4);
            assert_eq!(n, b.between(-3, 4));
            assert!((-3..=4).contains(&n));
        }
        assert_ne!(Dice::new(7).next(), Dice::new(8).next());
        assert_eq!(uuid(1).len(), 36);
    }

    #[test]
    fn the_smooth_curve_has_no_jumps() {
        for n in 0..10_000 {
            let at = f64::from(n) / 100.0;
            assert!((smooth(3, at) - smooth(3, at + 0.01)).abs() < 0.03);
        }
    }
}
