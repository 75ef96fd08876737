//! Numbers as people read them on a dashboard: ages, bytes, cpu. Each writes into the caller's buffer, so a frame
//! allocates nothing for them.

use std::fmt::{self, Write};
use std::time::Duration;

/// An age as [`age`] writes it.
#[derive(Clone, Copy, Debug)]
pub struct Age(pub Duration);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.0.as_secs();
        match s {
            0..60 => write!(f, "{s}s"),
            60..3_600 => write!(f, "{}m", s / 60),
            3_600..86_400 => write!(f, "{}h", s / 3_600),
            86_400..63_072_000 => write!(f, "{}d", s / 86_400),
            _ => write!(f, "{}y", s / 31_536_000),
        }
    }
}

/// An age in at most four characters: `42s`, `4m`, `3h`, `12d`, `2y`. Past ten minutes it changes once a minute at
/// most, so a quiet screen stays quiet.
pub fn age(out: &mut String, age: Duration) {
    let _ = write!(out, "{}", Age(age));
}

/// Bytes in binary units with at most three digits that matter: `512 B`, `4.0 KiB`, `980 MiB`, `1.2 GiB`.
pub fn bytes(out: &mut String, bytes: u64) {
    scaled(out, bytes, &[" B", " KiB", " MiB", " GiB", " TiB", " PiB"]);
}

/// Bytes for narrow columns, as Kubernetes quantities are written: `512`, `4.0Ki`, `980Mi`, `1.2Gi`.
pub fn bytes_short(out: &mut String, bytes: u64) {
    scaled(out, bytes, &["", "Ki", "Mi", "Gi", "Ti", "Pi"]);
}

fn scaled(out: &mut String, bytes: u64, units: &[&str]) {
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1_000.0 && unit + 1 < units.len() {
        value /= 1_024.0;
        unit += 1;
    }
    let _ =
        if unit > 0 && value < 10.0 { write!(out, "{value:.1}{}", units[unit]) } else { write!(out, "{value:.0}{}", units[unit]) };
}

/// Cpu from millicores: `120m` below one core, `1.2` below ten, `48` above.
pub fn cpu(out: &mut String, millicores: u64) {
    let _ = match millicores {
        0..1_000 => write!(out, "{millicores}m"),
        1_000..10_000 => write!(out, "{:.1}", millicores as f64 / 1_000.0),
        _ => write!(out, "{:.0}", millicores as f64 / 1_000.0),
    };
}

/// A percentage of `part` in `whole`, rounded; `-` when the whole is zero (nothing known to divide by), and `>999%` for what
/// no column has room for.
pub fn percent(out: &mut String, part: u64, whole: u64) {
    let share = part as f64 * 100.0 / whole as f64;
    if whole == 0 {
        out.push('-');
    } else if share >= 999.5 {
        out.push_str(">999%");
    } else {
        let _ = write!(out, "{share:.0}%");
    }
}

/// [`age`] as an owned string, for words put together away from the frame path.
pub fn age_of(d: Duration) -> String {
    let mut out = String::new();
    age(&mut out, d);
    out
}

/// [`bytes`] as an owned string, for words put together away from the frame path.
pub fn bytes_of(n: u64) -> String {
    let mut out = String::new();
    bytes(&mut out, n);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_sizes_and_cpu_read_as_on_a_dashboard() {
        for (s, want) in [(0, "0s"), (59, "59s"), (60, "1m"), (3_599, "59m"), (3_600, "1h"), (90_000, "1d"), (70_000_000, "2y")] {
            assert_eq!(age_of(Duration::from_secs(s)), want);
        }
        for (n, want) in [(0, "0 B"), (999, "999 B"), (4_096, "4.0 KiB"), (1_027_604_480, "980 MiB"), (1_288_490_188, "1.2 GiB")] {
            assert_eq!(bytes_of(n), want);
        }
        for (m, want) in [(0, "0m"), (120, "120m"), (1_200, "1.2"), (48_000, "48")] {
            let mut out = String::new();
            cpu(&mut out, m);
            assert_eq!(out, want);
        }
        for (part, whole, want) in [(1, 0, "-"), (1, 3, "33%"), (999, 100, "999%"), (u64::MAX, 1, ">999%")] {
            let mut out = String::new();
            percent(&mut out, part, whole);
            assert_eq!(out, want);
        }
    }
}
