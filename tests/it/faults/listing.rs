//! Lists in pages, single objects, and evictions.

use super::fault::Fault;
use super::objects::{Resource, text, uid};
use super::server::{Body, Query, Server, State, halves, status, whole};
use super::writer;
use crate::oracle::kubernetes::Objects;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response};
use quarterdeck::backend::kubernetes::encode;
use serde_json::{Value, json};
use std::sync::Arc;

/// Objects of a page, however many are asked for.
const PAGE: usize = 20;

impl Server {
    /// A page of a list. If the fault begins with it, it does so in the middle of the page.
    pub fn list(self: &Arc<Self>, resource: Resource, query: &Query, begins: bool) -> Response<Body> {
        let Some(body) = self.page(resource, query) else {
            return status(410, "The provided continue parameter is too old to display a consistent list result", "Expired");
        };
        let server = Arc::clone(self);
        if begins && self.cell().fault.of_connections() {
            return halves(body, move || {
                server.begin();
                server.cell().fault != Fault::Truncated
            });
        }
        if self.fault() == Some(Fault::Truncated) { halves(body, || false) } else { whole(body) }
    }

    /// What nodes or pods use.
    pub fn measured(&self, resource: Resource) -> String {
        let now = jiff::Timestamp::now().to_string();
        let usage = json!({ "cpu": "100m", "memory": "64Mi" });
        let item = |object: Arc<Value>| {
            json!({ "metadata": object["metadata"], "timestamp": now, "window": "15s", "usage": usage,
                "containers": [{ "name": "main", "usage": usage }] })
        };
        let all = self.state.lock().truth.now(resource);
        json!({ "items": all.into_iter().map(item).collect::<Vec<_>>() }).to_string()
    }

    /// None if its version is forgotten.
    fn page(&self, resource: Resource, query: &Query) -> Option<Bytes> {
        let state = self.state.lock();
        let exact = query.number("resourceVersion").filter(|_| query.get("resourceVersionMatch") == Some("Exact"));
        let (version, from) = match query.get("continue") {
            Some(token) => {
                let (version, from) = token.split_once(':')?;
                (version.parse().ok()?, from.parse().ok()?)
            }
            None => (exact.unwrap_or(state.truth.version), 0),
        };
        if version < state.truth.compacted || version > state.truth.version {
            return None;
        }
        let mut all = state.truth.at(resource, version);
        if let Some(node) = query.get("fieldSelector").and_then(|selector| selector.strip_prefix("spec.nodeName=")) {
            all.retain(|pod| text(pod, "/spec/nodeName") == node);
        }
        let end = if query.get("limit").is_some() { all.len().min(from + PAGE) } else { all.len() };
        let next = if end < all.len() { format!("{version}:{end}") } else { String::new() };
        let item = |object: &Arc<Value>| {
            if query.partial { json!({ "metadata": object["metadata"] }) } else { Value::clone(object) }
        };
        let items: Vec<Value> = all[from.min(end)..end].iter().map(item).collect();
        let meta = json!({ "resourceVersion": version.to_string(), "continue": next });
        let list = json!({ "kind": "List", "metadata": meta, "items": items });
        Some(match (query.protobuf, query.partial) {
            (true, true) => encode::marks(&list).into(),
            (true, false) => encode::page(&query.path, &list).unwrap().into(),
            (false, _) => list.to_string().into(),
        })
    }

    /// A request about one object: what an evacuation sends.
    pub async fn object(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let mut state = self.state.lock();
        let answer = match (head.method.as_str(), head.uri.path().strip_prefix("/api/v1/nodes/")) {
            (method, Some(name)) => node(&mut state, method, name, &body),
            ("POST", None) if head.uri.path().ends_with("/eviction") => evict(&mut state, &body),
            _ => status(404, "not found", "NotFound"),
        };
        drop(state);
        self.tell();
        answer
    }
}

fn node(state: &mut State, method: &str, name: &str, body: &Value) -> Response<Body> {
    let found = state.truth.now(Resource::Nodes).into_iter().find(|node| text(node, "/metadata/name") == name);
    let Some(held) = found else { return status(404, "not found", "NotFound") };
    if method == "GET" {
        return whole(held.to_string());
    }
    let same = ["/metadata/uid", "/metadata/resourceVersion"].iter().all(|at| text(body, at) == text(&held, at));
    if !same {
        return status(409, "the object has been modified", "Conflict");
    }
    let mut new = Value::clone(&held);
    new["spec"] = if body["spec"]["unschedulable"] == json!(true) { json!({ "unschedulable": true }) } else { json!({}) };
    state.truth.put(Resource::Nodes, new.clone());
    whole(new.to_string())
}

/// A pod is told to go: it is gone at once, and another one comes.
fn evict(state: &mut State, body: &Value) -> Response<Body> {
    let wanted = text(body, "/deleteOptions/preconditions/uid").to_owned();
    let State { truth, dice, evicted, .. } = state;
    let Some(pod) = truth.get(Resource::Pods, &wanted) else { return status(404, "not found", "NotFound") };
    *evicted.entry(uid(&pod).to_owned()).or_default() += 1;
    truth.remove(Resource::Pods, &wanted);
    writer::add_pod(truth, dice);
    whole("{}".to_owned())
}
