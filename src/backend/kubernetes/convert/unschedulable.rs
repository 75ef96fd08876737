//! The scheduler's message on why a pod fits nowhere, in plain words.
//!
//! `0/5 nodes are available: 1 node(s) had untolerated taint {dedicated: gpu}, 4 Insufficient cpu. preemption: …`
//! becomes `no node fits: 4 have too little cpu, 1 has taint dedicated`.

/// Parts of the scheduler's sentences (kube-scheduler plugins' `ErrReason…` constants), and what they mean for one node and
/// for several.
const REASONS: [(&str, &str, &str); 16] = [
    ("didn't match Pod's node affinity/selector", "does not match its node selector", "do not match its node selector"),
    ("didn't match pod affinity rules", "does not match its pod affinity", "do not match its pod affinity"),
    ("didn't match pod anti-affinity rules", "has a pod it must keep away from", "have pods it must keep away from"),
    ("didn't satisfy existing pods anti-affinity rules", "has a pod that keeps it away", "have pods that keep it away"),
    ("didn't match pod topology spread constraints", "would break its even spread", "would break its even spread"),
    ("didn't have free ports for the requested pod ports", "has its host port in use", "have its host port in use"),
    ("didn't find available persistent volumes to bind", "has no volume for it", "have no volume for it"),
    ("had volume node affinity conflict", "cannot reach its volume", "cannot reach its volume"),
    ("had no available volume zone", "is not in the zone of its volume", "are not in the zone of its volume"),
    ("exceed max volume count", "has too many volumes", "have too many volumes"),
    ("had too many pods", "is full", "are full"),
    ("Too many pods", "is full", "are full"),
    ("were unschedulable", "is paused (cordoned)", "are paused (cordoned)"),
    ("is unschedulable", "is paused (cordoned)", "are paused (cordoned)"),
    ("were not ready", "is not ready", "are not ready"),
    ("didn't match the requested node name", "is not the node it names", "are not the node it names"),
];

/// The message of the condition `PodScheduled=False`, in plain words; as it is when it has another shape.
pub(super) fn plain(message: &str) -> String {
    let head = message.split(" preemption: ").next().unwrap_or(message);
    let head = head.split(" no new claims to deallocate").next().unwrap_or(head).trim().trim_end_matches('.');
    let Some((count, rest)) = head.split_once(" nodes are available: ") else {
        return missing_claim(head).unwrap_or_else(|| head.to_owned());
    };
    let mut parts: Vec<(u32, String)> = split(rest).map(part).collect();
    parts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let words: Vec<String> = parts.into_iter().map(|(_, words)| words).collect();
    if count == "0/0" {
        return "there is no node".to_owned();
    }
    if words.is_empty() { "no node fits".to_owned() } else { format!("no node fits: {}", words.join(", ")) }
}

/// Splits at commas outside of braces.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    text.split(move |c| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}

fn part(text: &str) -> (u32, String) {
    let text = text.trim_end_matches('.');
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let rest = rest.trim();
    let Ok(n) = number.parse::<u32>() else { return (u32::MAX, missing_claim(text).unwrap_or_else(|| text.to_owned())) };
    let many = |one: &str, several: &str| (n, format!("{n} {}", if n == 1 { one } else { several }));
    if let Some(what) = rest.strip_prefix("Insufficient ") {
        return many(&format!("has too little {what}"), &format!("have too little {what}"));
    }
    if rest.contains(" taint {") {
        let taint = rest.split_once('{').map_or("", |(_, t)| t).split([':', '}']).next().unwrap_or_default().trim();
        return match taint {
            "node.kubernetes.io/unschedulable" => many("is paused (cordoned)", "are paused (cordoned)"),
            "node.kubernetes.io/not-ready" => many("is not ready", "are not ready"),
            "node.kubernetes.io/unreachable" => many("does not answer", "do not answer"),
            "node.kubernetes.io/disk-pressure" => many("has disk pressure", "have disk pressure"),
            "node.kubernetes.io/memory-pressure" => many("has memory pressure", "have memory pressure"),
            _ => many(&format!("has taint {taint}"), &format!("have taint {taint}")),
        };
    }
    match REASONS.iter().find(|(theirs, _, _)| rest.contains(theirs)) {
        Some((_, one, several)) => many(one, several),
        None => (n, text.replace("node(s) ", "")),
    }
}

fn missing_claim(text: &str) -> Option<String> {
    if text.contains("unbound immediate PersistentVolumeClaims") {
        return Some("its volume claim is not bound to a volume".to_owned());
    }
    let rest = text.strip_prefix("persistentvolumeclaim \"")?;
    let (name, rest) = rest.split_once('"')?;
    rest.contains("not found").then(|| format!("its volume claim {name} does not exist"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedulers_words_become_plain_words() {
        for (raw, want) in [
            (
                "0/5 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 4 Insufficient cpu. preemption: 0/5 nodes are available: 1 Preemption is not helpful for scheduling, 4 No preemption victims found for incoming pod.",
                "no node fits: 4 have too little cpu, 1 has taint node-role.kubernetes.io/control-plane",
            ),
            (
                "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
                "no node fits: 3 do not match its node selector",
            ),
            (
                "0/2 nodes are available: 1 Too many pods, 1 node(s) were unschedulable.",
                "no node fits: 1 is full, 1 is paused (cordoned)",
            ),
            ("0/0 nodes are available: no nodes available to schedule pods.", "there is no node"),
            ("no nodes available to schedule pods", "no nodes available to schedule pods"),
            ("pod has unbound immediate PersistentVolumeClaims", "its volume claim is not bound to a volume"),
            ("persistentvolumeclaim \"data\" not found", "its volume claim data does not exist"),
            ("0/1 nodes are available: 1 node(s) had untolerated taint {a: b, c}.", "no node fits: 1 has taint a"),
        ] {
            assert_eq!(plain(raw), want);
        }
    }
}
