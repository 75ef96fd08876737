//! Quantities (`500m`, `1Gi`, `1e3`): Kubernetes docs, "Quantity".

/// Thousandths of a core, rounded up as the scheduler does; 0 when unreadable.
pub(in super::super) fn millicores(raw: &str) -> u64 {
    (read(raw).unwrap_or_default() * 1_000.0).ceil() as u64
}

/// Bytes, rounded up; 0 when unreadable.
pub(in super::super) fn bytes(raw: &str) -> u64 {
    read(raw).unwrap_or_default().ceil() as u64
}

/// A quantity; none when it is negative, without end, or unreadable. Floating point is exact up to 2^53: 8 PiB.
pub(in super::super) fn read(raw: &str) -> Option<f64> {
    value(raw).filter(|value| value.is_finite() && *value >= 0.0)
}

fn value(raw: &str) -> Option<f64> {
    let at = raw.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(raw.len());
    let (number, suffix) = raw.split_at(at);
    let scale = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1_024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        "Ei" => 1_152_921_504_606_846_976.0,
        // decimal exponent
        _ => return raw.parse().ok(),
    };
    number.parse::<f64>().ok().map(|number| number * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_read_as_kubernetes_reads_them() {
        for (raw, want) in [
            ("500m", 500),
            ("2", 2_000),
            ("0.1", 100),
            ("1e3", 1_000_000),
            ("2500000n", 3),
            ("x", 0),
            ("", 0),
            ("-1", 0),
            ("1e999", 0),
            ("NaN", 0),
        ] {
            assert_eq!(millicores(raw), want, "{raw}");
        }
        for (raw, want) in [
            ("128974848", 128_974_848),
            ("129M", 129_000_000),
            ("123Mi", 128_974_848),
            ("1e3", 1_000),
            ("12E", 12_000_000_000_000_000_000),
            ("128974848000m", 128_974_848),
        ] {
            assert_eq!(bytes(raw), want, "{raw}");
        }
    }
}
