//! Durations, cpu and memory as scenario files write them.

use serde::Deserialize;
use std::time::Duration;

/// A time span in milliseconds, written `90s`, `4m`, `1h30m`, `-18m`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub i64);

/// Cpu in thousandths of a core, written `200m` or `1.5`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Cpu(pub u64);

/// Memory in bytes, written `256Mi`, `4Gi`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Memory(pub u64);

/// A number or a share of the tasks, written `2` or `"25%"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "CountText")]
pub enum Count {
    /// So many.
    Tasks(u32),
    /// So many of a hundred.
    Percent(u32),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum CountText {
    Number(u32),
    Words(String),
}

impl Count {
    /// How many of `whole`; a share is rounded up or down (Kubernetes: surge up, unavailable down).
    pub fn of(self, whole: u32, up: bool) -> u32 {
        match self {
            Self::Tasks(n) => n,
            Self::Percent(p) if up => (whole * p).div_ceil(100),
            Self::Percent(p) => whole * p / 100,
        }
    }

    /// As Kubernetes shows it.
    pub fn words(self) -> String {
        match self {
            Self::Tasks(n) => n.to_string(),
            Self::Percent(p) => format!("{p}%"),
        }
    }
}

impl TryFrom<CountText> for Count {
    type Error = String;
    fn try_from(raw: CountText) -> Result<Self, String> {
        match raw {
            CountText::Number(n) => Ok(Self::Tasks(n)),
            CountText::Words(w) => w
                .strip_suffix('%')
                .and_then(|n| n.parse().ok())
                .filter(|p| *p <= 100)
                .map(Self::Percent)
                .ok_or_else(|| format!("`{w}` is not a number of tasks: write 2 or \"25%\"")),
        }
    }
}

impl Span {
    /// The span without its sign.
    pub fn length(self) -> Duration {
        Duration::from_millis(self.0.unsigned_abs())
    }
}

impl TryFrom<String> for Span {
    type Error = String;
    fn try_from(raw: String) -> Result<Self, String> {
        span(&raw).map(Self).ok_or_else(|| format!("`{raw}` is not a time span: write 90s, 4m, 1h30m or -18m"))
    }
}

fn span(raw: &str) -> Option<i64> {
    let (sign, mut rest) = raw.strip_prefix('-').map_or((1, raw), |rest| (-1, rest));
    if rest.is_empty() {
        return None;
    }
    let mut sum = 0i64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = rest.split_at(digits);
        let end = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        let (unit, after) = unit.split_at(end);
        let scale = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        sum = sum.checked_add(number.parse::<i64>().ok()?.checked_mul(scale)?)?;
        rest = after;
    }
    Some(sign * sum)
}

impl TryFrom<String> for Cpu {
    type Error = String;
    fn try_from(raw: String) -> Result<Self, String> {
        let value = match raw.strip_suffix('m') {
            Some(milli) => milli.parse().ok(),
            None => raw.parse::<f64>().ok().filter(|c| (0.0..100_000.0).contains(c)).map(|c| (c * 1_000.0) as u64),
        };
        value.map(Self).ok_or_else(|| format!("`{raw}` is not an amount of cpu: write 200m or 1.5"))
    }
}

impl TryFrom<String> for Memory {
    type Error = String;
    fn try_from(raw: String) -> Result<Self, String> {
        [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40)]
            .iter()
            .find_map(|(unit, shift)| raw.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(1 << shift))
            .map(Self)
            .ok_or_else(|| format!("`{raw}` is not an amount of memory: write 256Mi or 4Gi"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_they_are_written() {
        for (raw, want) in [("90s", 90_000), ("-18m", -1_080_000), ("1h30m", 5_400_000), ("250ms", 250), ("2d", 172_800_000)] {
            assert_eq!(Span::try_from(raw.to_owned()), Ok(Span(want)), "{raw}");
        }
        for raw in ["", "-", "4", "m", "4 m", "4x", "99999999999999999d"] {
            assert!(Span::try_from(raw.to_owned()).is_err(), "{raw}");
        }
        assert_eq!(Cpu::try_from("200m".to_owned()), Ok(Cpu(200)));
        assert_eq!(Cpu::try_from("1.5".to_owned()), Ok(Cpu(1_500)));
        assert!(Cpu::try_from("much".to_owned()).is_err());
        assert_eq!(Memory::try_from("256Mi".to_owned()), Ok(Memory(268_435_456)));
        assert!(Memory::try_from("256".to_owned()).is_err());
        assert_eq!(Count::Percent(25).of(5, true), 2);
        assert_eq!(Count::Percent(25).of(5, false), 1);
    }
}
