//! How long a pod takes from the API server's bytes to its row: the cost of a list by the row, and of a change. Each is
//! given 100 pods of about 8 KB.
//!
//! `cargo bench --profile perf --bench decode`

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench stops at the first surprise")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quarterdeck::backend::kubernetes::Pipeline;
use std::hint::black_box;

/// As in `probe/replay.rs`.
const POD: &str = include_str!("probe/pod.json");
const PODS: u32 = 100;

fn pod(n: u32) -> String {
    POD.trim()
        .replace("{name}", &format!("crowd-{}-7b896fd6bc-{n:05}", n % 20))
        .replace("{uid}", &format!("00000003-9d1c-4f4e-a8b0-{n:012x}"))
        .replace("{owner}", &format!("00000002-9d1c-4f4e-a8b0-{:012x}", n % 20))
        .replace("{app}", &format!("crowd-{}", n % 20))
        .replace("{node}", &format!("node-{}", n % 50))
        .replace("{version}", &n.to_string())
        .replace("\"{restarts}\"", "0")
}

fn decode(c: &mut Criterion) {
    let pods: Vec<String> = (0..PODS).map(pod).collect();
    let page = format!(r#"{{"kind":"PodList","metadata":{{"resourceVersion":"1"}},"items":[{}]}}"#, pods.join(","));
    let lines: Vec<String> = pods.iter().map(|pod| format!(r#"{{"type":"MODIFIED","object":{pod}}}"#)).collect();
    let mut pipeline = Pipeline::default();
    assert_eq!(pipeline.page(page.as_bytes()).unwrap().len(), PODS as usize);
    assert!(lines.iter().all(|line| pipeline.line(line.as_bytes()).unwrap().is_some()));

    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(u64::from(PODS)));
    group.bench_function("page", |b| b.iter(|| pipeline.page(black_box(page.as_bytes())).unwrap()));
    group.bench_function("changes", |b| {
        b.iter(|| lines.iter().map(|line| pipeline.line(black_box(line.as_bytes())).unwrap()).collect::<Vec<_>>());
    });
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
