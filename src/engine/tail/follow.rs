//! One log view's work.

use super::super::shared::Shared;
use crate::backend::LogRequest;
use crate::model::{Fact, Kind, LogItem, LogTarget, TailId, TailState, Text};
use futures::StreamExt;
use futures::stream::select_all;
use std::sync::Arc;

/// Lines from before that a view begins with.
const TAIL: u32 = 200;

/// Runs until all streams ended.
pub(super) async fn run(id: TailId, target: LogTarget, shared: Arc<Shared>) {
    let world = shared.picture();
    let object = &target.object;
    let (Some(state), Some(backend)) = (world.cluster(&object.cluster), shared.backend(&object.cluster)) else {
        let words = Text::from(format!("{} is not connected", object.cluster));
        shared.tell(Fact::TailState(id, TailState::Failed(words))).await;
        return;
    };
    let tasks: Vec<_> = match object.kind {
        Kind::Service => state.tasks_of(&object.key).filter(|t| !t.state.ended()).cloned().collect(),
        _ => state.tasks.get(&object.key).cloned().into_iter().collect(),
    };
    let streams = tasks.iter().map(|task| {
        backend.logs(LogRequest {
            task: task.key.clone(),
            name: task.name.clone(),
            namespace: task.namespace.clone(),
            container: target.container.clone(),
            tail: TAIL,
            since: None,
            previous: target.previous,
        })
    });
    let mut lines = select_all(streams);
    shared.tell(Fact::TailState(id, TailState::Following(u32::try_from(tasks.len()).unwrap_or(u32::MAX)))).await;
    while let Some(batch) = lines.next().await {
        let items = match batch {
            Ok(lines) => lines.into_iter().map(LogItem::Line).collect(),
            Err(error) => vec![LogItem::Gap { at: shared.now(), lines: None, reason: Text::from(error.to_string()) }],
        };
        shared.tell(Fact::Log(id, items)).await;
    }
    shared.tell(Fact::TailState(id, TailState::Ended)).await;
}
