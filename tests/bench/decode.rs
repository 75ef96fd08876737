//! What a pod costs from the API server's bytes to its row, in time and allocations: in a list, and as a change. Each is given
//! 100 pods of about 7 KB, in both forms.
//!
//! `cargo bench --profile perf --bench decode`

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench stops at the first surprise")]

mod counted;
mod recorded;

use counted::once;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quarterdeck::backend::kubernetes::Pipeline;
use recorded::{Form, Pod, Recorded};
use std::hint::black_box;

const PODS: u32 = 100;

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(u64::from(PODS)));
    for (form, name) in [(Form::Protobuf, "protobuf"), (Form::Json, "json")] {
        let recorded = Recorded::new(form);
        let pods = || (0..PODS).map(|number| Pod { number, deployment: number % 20, node: number % 50, changes: 0 });
        let page = recorded.page(pods(), "");
        let changes: Vec<Vec<u8>> = pods()
            .map(|pod| {
                let mut change = Vec::new();
                recorded.changed(pod, &mut change);
                change
            })
            .collect();
        let mut pipeline = Pipeline::default();
        assert_eq!(pipeline.page(&page).unwrap().len(), PODS as usize);
        let read = |pipeline: &mut Pipeline, change: &[u8]| match form {
            Form::Protobuf => pipeline.frame(&change[4..]).unwrap(),
            Form::Json => pipeline.line(change).unwrap(),
        };
        assert!(changes.iter().all(|change| read(&mut pipeline, change).is_some()));
        let read_all = |pipeline: &mut Pipeline| changes.iter().map(|change| read(pipeline, black_box(change))).collect::<Vec<_>>();
        once(&format!("a page of {PODS} pods, {name}"), || pipeline.page(&page).unwrap());
        once(&format!("{PODS} changes, {name}"), || read_all(&mut pipeline));
        group.bench_function(format!("page/{name}"), |b| b.iter(|| pipeline.page(black_box(&page)).unwrap()));
        group.bench_function(format!("changes/{name}"), |b| b.iter(|| read_all(&mut pipeline)));
    }
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
