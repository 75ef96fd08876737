//! What nothing uses on an engine.

use crate::backend::docker::wire::{Disk, Network, bytes};
use crate::model::{Key, Leftover, LeftoverKind, Text};
use crate::util::time::Timestamp;
use std::collections::HashSet;

/// A volume that the engine named has this label since engine 23.
const ANONYMOUS: &str = "com.docker.volume.anonymous";
/// A container of a swarm's task has it.
const TASK: &str = "com.docker.swarm.task.id";
/// Networks that an engine makes for itself; the last in a swarm, where the list shows it without what is attached.
const OWN: [&str; 5] = ["bridge", "host", "none", "nat", "docker_gwbridge"];

/// What is unused, in the order it can be removed in, by what `docker system prune` counts as such. `unattached` are the
/// networks that no running container has.
pub fn leftovers(disk: &Disk, unattached: &[Network]) -> Vec<Leftover> {
    // what a swarm has made and not started yet is on its way
    let stopped = |state: &str, task: bool| matches!(state, "exited" | "dead") || (state == "created" && !task);
    let (stopped, staying): (Vec<_>, Vec<_>) =
        disk.containers().iter().partition(|one| stopped(&one.state, one.labels.contains_key(TASK)));
    let attached = staying.iter().flat_map(|one| one.network_settings.networks.values().map(|network| network.id.as_str()));
    let attached: HashSet<&str> = attached.collect();
    let images: HashSet<&str> = staying.iter().map(|one| one.image_id.as_str()).collect();
    let mounted = staying.iter().flat_map(|one| one.mounts.iter().filter(|mount| mount.r#type == "volume"));
    let mounted: HashSet<&str> = mounted.map(|mount| mount.name.as_str()).collect();

    let mut all: Vec<Leftover> = Vec::new();
    let mut add = |kind, id: &str, made: Option<Timestamp>, name: String, size: u64| {
        // what has no place in a request cannot be asked for
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        if id.starts_with(|c: char| c.is_ascii_alphanumeric()) && id.chars().all(fits) {
            all.push(Leftover { kind, id: Key::new(id), made, name: Text::from(name), size });
        }
    };
    for one in stopped {
        let name = one.names.first().map_or(one.id.as_str(), |name| name.trim_start_matches('/'));
        let never = if one.state == "created" { " (never started)" } else { "" };
        add(LeftoverKind::Container, &one.id, None, format!("{name}{never}"), bytes(one.size_rw));
    }
    let own = |network: &&Network| {
        // a swarm's networks are no single engine's to remove
        network.scope == "local" && !network.ingress && !network.config_only && !OWN.contains(&network.name.as_str())
    };
    for one in unattached.iter().filter(own).filter(|one| !attached.contains(one.id.as_str())) {
        add(LeftoverKind::Network, &one.id, None, one.name.clone(), 0);
    }
    let named = |tag: &String| tag != "<none>:<none>";
    for one in disk.images().iter().filter(|one| !one.repo_tags.iter().any(named) && !images.contains(one.id.as_str())) {
        let size = bytes(one.size).saturating_sub(bytes(one.shared_size));
        add(LeftoverKind::Image, &one.id, None, one.id.chars().take(19).collect(), size);
    }
    let mut cache: Vec<_> = disk.cache().iter().collect();
    // what was made of another record goes before it
    cache.sort_by_key(|one| std::cmp::Reverse(one.created_at));
    for one in cache {
        // as `docker builder prune` without --all
        if !one.in_use && !one.shared && !matches!(one.r#type.as_str(), "internal" | "frontend") {
            add(LeftoverKind::Cache, &one.id, None, one.id.clone(), bytes(one.size));
        }
    }
    for one in disk.volumes().iter().filter(|one| one.cluster_volume.is_none() && !mounted.contains(one.name.as_str())) {
        let by_engine = one.name.len() == 64 && one.name.bytes().all(|b| b.is_ascii_hexdigit());
        let unnamed = one.labels.contains_key(ANONYMOUS) || by_engine;
        let kind = if unnamed { LeftoverKind::Volume } else { LeftoverKind::NamedVolume };
        let name = if by_engine { one.name.chars().take(12).collect() } else { one.name.clone() };
        add(kind, &one.name, one.created_at, name, bytes(one.usage_data.size));
    }
    all.sort_by_key(|one| one.kind);
    all
}

/// Bytes that all of it takes.
pub fn used(disk: &Disk) -> u64 {
    let containers: u64 = disk.containers().iter().map(|one| bytes(one.size_rw)).sum();
    let volumes: u64 = disk.volumes().iter().map(|one| bytes(one.usage_data.size)).sum();
    let cache: u64 = disk.cache().iter().filter(|one| !one.shared).map(|one| bytes(one.size)).sum();
    disk.layers() + containers + volumes + cache
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, json};

    /// One of each sort that is used, and of each that is not.
    fn rows() -> [Value; 4] {
        let container = |id: &str, state: &str, image: &str, volume: &str, network: &str, task: bool| {
            json!({
                "Id": id, "Names": [format!("/{id}")], "ImageID": image, "State": state, "SizeRw": 10,
                "Labels": if task { json!({ TASK: "t" }) } else { Value::Null },
                "Mounts": [{ "Type": "volume", "Name": volume }, { "Type": "bind", "Name": "bound" }],
                "NetworkSettings": { "Networks": { "x": { "NetworkID": network } } },
            })
        };
        let containers = json!([
            container("runs", "running", "sha256:a", "pgdata", "n1", false),
            container("paused", "paused", "sha256:a", "pgdata", "n1", false),
            container("again", "restarting", "sha256:a", "pgdata", "n2", false),
            container("old", "exited", "sha256:b", "cold", "n3", false),
            container("made", "created", "sha256:b", "cold", "n3", false),
            container("ending", "removing", "sha256:a", "pgdata", "n1", false),
            container("task-old", "exited", "sha256:b", "cold", "n3", true),
            container("task-new", "created", "sha256:a", "pgdata", "n1", true),
        ]);
        let image = |id: &str, tags: Value, shared: i64| json!({ "Id": id, "RepoTags": tags, "Size": 1_000, "SharedSize": shared });
        let images = json!([
            image("sha256:a", Value::Null, 0),
            image("sha256:b", json!([]), 400),
            image("sha256:c", json!(["<none>:<none>"]), -1),
            image("sha256:d", json!(["web:1"]), 0),
        ]);
        let hex = "0123456789abcdef".repeat(4);
        let volume = |name: &str, labels: Value| json!({ "Name": name, "CreatedAt": "2026-01-01T00:00:00Z", "Labels": labels, "UsageData": { "Size": 7, "RefCount": 0 } });
        let mut cluster = volume("shared", Value::Null);
        cluster["ClusterVolume"] = json!({ "ID": "x" });
        let volumes = json!([
            volume("pgdata", Value::Null),
            volume("cold", Value::Null),
            volume("bound", Value::Null),
            volume(&hex, Value::Null),
            volume("anon", json!({ ANONYMOUS: "" })),
            volume("../odd", Value::Null),
            cluster,
        ]);
        let cache = |id: &str, kind: &str, used: bool, shared: bool, made: u32| {
            json!({ "ID": id, "Type": kind, "InUse": used, "Shared": shared, "Size": 100,
                    "CreatedAt": format!("2026-01-01T00:00:0{made}Z") })
        };
        let caches = json!([
            cache("parent", "regular", false, false, 1),
            cache("child", "regular", false, false, 2),
            cache("busy", "regular", true, false, 1),
            cache("layer", "regular", false, true, 1),
            cache("front", "frontend", false, false, 1),
        ]);
        [containers, images, volumes, caches]
    }

    fn found(disk: Value) -> (Vec<(LeftoverKind, String, u64)>, u64) {
        let network = |id: &str, scope: &str, more: Value| {
            let mut network = json!({ "Id": id, "Name": format!("net-{id}"), "Scope": scope });
            more.as_object().unwrap().iter().for_each(|(key, value)| network[key] = value.clone());
            network
        };
        let networks = json!([
            network("n1", "local", json!({})),
            network("n2", "local", json!({})),
            network("n3", "local", json!({})),
            network("n4", "swarm", json!({})),
            network("n5", "local", json!({ "ConfigOnly": true })),
            network("n6", "local", json!({ "Name": "bridge" })),
            network("n7", "local", json!({ "Name": "docker_gwbridge" })),
        ]);
        let disk: Disk = serde_json::from_value(disk).unwrap();
        let all = leftovers(&disk, &serde_json::from_value::<Vec<Network>>(networks).unwrap());
        (all.into_iter().map(|one| (one.kind, one.name.to_string(), one.size)).collect(), used(&disk))
    }

    #[test]
    fn what_runs_or_is_used_by_what_stays_is_left_alone_in_both_shapes_of_the_answer() {
        let [containers, images, volumes, caches] = rows();
        let want: Vec<(LeftoverKind, String, u64)> = [
            (LeftoverKind::Container, "old", 10),
            (LeftoverKind::Container, "made (never started)", 10),
            (LeftoverKind::Container, "task-old", 10),
            (LeftoverKind::Network, "net-n3", 0),
            (LeftoverKind::Image, "sha256:b", 600),
            (LeftoverKind::Image, "sha256:c", 1_000),
            (LeftoverKind::Cache, "child", 100),
            (LeftoverKind::Cache, "parent", 100),
            (LeftoverKind::Volume, "0123456789ab", 7),
            (LeftoverKind::Volume, "anon", 7),
            (LeftoverKind::NamedVolume, "cold", 7),
            (LeftoverKind::NamedVolume, "bound", 7),
        ]
        .map(|(kind, name, size)| (kind, name.to_owned(), size))
        .into();
        let before =
            json!({ "LayersSize": 5_000, "Containers": containers, "Images": images, "Volumes": volumes, "BuildCache": caches });
        let since = json!({
            "ContainerUsage": { "Items": containers }, "ImageUsage": { "TotalSize": 5_000, "Items": images },
            "VolumeUsage": { "Items": volumes }, "BuildCacheUsage": { "Items": caches },
        });
        for disk in [before, since] {
            let (all, used) = found(disk);
            assert_eq!(all, want);
            assert_eq!(used, 5_000 + 8 * 10 + 7 * 7 + 4 * 100);
        }
        assert_eq!(found(json!({ "Containers": null, "Images": null })).0.len(), 3, "networks only");
    }
}
