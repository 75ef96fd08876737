//! What a real server sends in Protocol Buffers is what it sends as JSON.

use super::{api, kubectl};
use crate::backend::kubernetes::decode;
use crate::backend::kubernetes::failure::Failure;
use crate::backend::kubernetes::follow::audit;
use crate::backend::kubernetes::follow::heard::{Begun, Heard};
use crate::backend::kubernetes::http::{Api, Form, Watch};
use crate::backend::kubernetes::protobuf;
use crate::backend::kubernetes::raw::{self, Listed};
use futures::StreamExt;
use std::fmt::Debug;

/// Deletes what was made at the end.
struct Made;

impl Drop for Made {
    fn drop(&mut self) {
        kubectl(&["delete", "namespace", "shop", "--wait=false"]);
    }
}

/// The objects of a kind as they were at one version, read from this form of the list, and the bytes it took.
async fn list<T: Listed + Debug>(api: &Api, version: &str, form: Form) -> (Vec<String>, usize) {
    let (mut objects, mut bytes, mut next) = (Vec::new(), 0, String::new());
    loop {
        let exact = if next.is_empty() { format!("resourceVersion={version}&resourceVersionMatch=Exact") } else { next };
        let body = api.page(&format!("{}?limit=500&{exact}", T::PATH), form).await.unwrap();
        assert_eq!(protobuf::is(&body), form == Form::Protobuf, "{}", T::PLURAL);
        bytes += body.len();
        let page = decode::page::<T>(&body, &mut |_| {}).unwrap();
        assert_eq!(page.meta.resource_version, version);
        objects.extend(page.items.iter().flatten().map(|object| format!("{object:#?}")));
        if page.meta.next.is_empty() {
            return (objects, bytes);
        }
        next = format!("continue={}", page.meta.next);
    }
}

async fn same<T: Listed + Debug>(api: &Api, version: &str) -> usize {
    let ((plain, text), (read, protobuf)) =
        (list::<T>(api, version, Form::Json).await, list::<T>(api, version, Form::Protobuf).await);
    for (plain, read) in plain.iter().zip(&read) {
        assert_eq!(read, plain, "{}", T::PLURAL);
    }
    assert_eq!(read.len(), plain.len());
    let seen = audit::version(api, Form::Json, T::PATH).await.unwrap().parse::<u64>().unwrap();
    assert!(audit::version(api, Form::Protobuf, T::PATH).await.unwrap().parse::<u64>().unwrap() >= seen, "{}", T::PLURAL);
    println!("{} {}: {text} bytes as JSON, {protobuf} in Protocol Buffers", plain.len(), T::PLURAL);
    plain.len()
}

#[tokio::test]
#[ignore = "needs a real API server in KUBECONFIG and KUBECTL"]
async fn a_real_server_tells_the_same_in_both_forms() {
    kubectl(&["apply", "-f", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/testbed/kubernetes/workloads.yaml")]);
    let _made = Made;
    kubectl(&["autoscale", "-n", "shop", "deployment/web", "--max=2"]);
    kubectl(&["wait", "pods", "-n", "shop", "--all", "--for=condition=PodScheduled", "--timeout=30s"]);
    let api = api().await;
    let head = api.page("/api/v1/pods?limit=1", Form::Protobuf).await.unwrap();
    let version = decode::page::<raw::RawPod>(&head, &mut |_| {}).unwrap().meta.resource_version;
    let counts = [
        same::<raw::RawPod>(&api, &version).await,
        same::<raw::RawNode>(&api, &version).await,
        same::<raw::RawEvent>(&api, &version).await,
        same::<raw::Deployment>(&api, &version).await,
        same::<raw::ReplicaSet>(&api, &version).await,
        same::<raw::StatefulSet>(&api, &version).await,
        same::<raw::DaemonSet>(&api, &version).await,
        same::<raw::ControllerRevision>(&api, &version).await,
        same::<raw::Job>(&api, &version).await,
        same::<raw::CronJob>(&api, &version).await,
        same::<raw::DisruptionBudget>(&api, &version).await,
        same::<raw::Autoscaler>(&api, &version).await,
    ];
    assert!(counts.iter().all(|count| *count > 0), "a kind of which there is nothing proves nothing: {counts:?}");
}

#[tokio::test]
#[ignore = "needs a real API server in KUBECONFIG and KUBECTL"]
async fn a_watch_and_a_refusal_of_a_real_server_are_told_the_same_in_both_forms() {
    let api = api().await;
    let mut told = Vec::new();
    for form in [Form::Json, Form::Protobuf] {
        for refused in ["?limit=5&continue=nonsense", "?resourceVersion=999999999999&resourceVersionMatch=NotOlderThan"] {
            let failure = api.page(&format!("{}{refused}", raw::RawPod::PATH), form).await.unwrap_err();
            let Failure { sort, message, reason, causes, retry_after } = &failure;
            // it says how far the server has come
            let message = message.split(", current").next().unwrap();
            told.push(format!("{sort:?} {reason} {causes:?} {retry_after:?} {} {message}", failure.wants_relist()));
        }
        // the events of what is there, up to the first bookmark
        let seen = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=0&allowWatchBookmarks=true";
        let Watch { form: answered, mut chunks, .. } =
            api.watch(&format!("{}?watch=true&{seen}", raw::RawNode::PATH), form).await.unwrap();
        assert_eq!(answered, form);
        let (mut heard, mut begun) = (Heard::<raw::RawNode>::after(""), Begun::new(form));
        while heard.version.is_empty() || heard.steps.is_empty() {
            heard.chunk(&chunks.next().await.unwrap().unwrap(), &mut begun).unwrap();
        }
        told.push(format!("{:#?}", heard.steps));
    }
    println!("{}\n{}", told[0], told[1]);
    assert_eq!(told[..3], told[3..]);
}
