//! The numbers of the fields that are read, and what they hold: from the `generated.proto` files beside Kubernetes' types
//! (`k8s.io/api`, `k8s.io/apimachinery`, 1.34). A number is never given to another field, so they hold for all versions.

/// What a field holds.
pub(in super::super) enum Shape {
    /// Text.
    Text,
    /// A number.
    Number,
    /// True or false.
    Flag,
    /// `resource.Quantity`: 1 text.
    Quantity,
    /// `Time` and `MicroTime`: 1 seconds, 2 nanoseconds. Read as milliseconds, by `visit_i128`, which JSON never calls.
    Time,
    /// `intstr.IntOrString`: 1 whether it is text, 2 number, 3 text.
    IntOrText,
    /// `runtime.RawExtension`: 1 JSON. Read as the text that it is.
    Json,
    /// A message.
    Message(&'static [Field]),
    /// As many as there are.
    List(&'static Shape),
    /// By text.
    Map(&'static Shape),
}

/// A field.
pub(in super::super) struct Field {
    /// On the wire.
    pub number: u64,
    /// In JSON.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
}

use Shape::{Flag, IntOrText, Json, List, Map, Message, Number, Quantity, Text, Time};

macro_rules! messages {
    ($($name:ident { $($number:literal $field:literal $shape:expr),* $(,)? })*) => {$(
        pub(in super::super) const $name: &[Field] = &[$(Field { number: $number, name: $field, shape: $shape }),*];
        const _: () = assert!(ascending($name));
    )*};
}

/// As fields are on the wire, and are looked for.
const fn ascending(fields: &[Field]) -> bool {
    let mut at = 1;
    while at < fields.len() {
        if fields[at - 1].number >= fields[at].number {
            return false;
        }
        at += 1;
    }
    true
}

/// The metadata, spec and status of most kinds.
macro_rules! object {
    ($spec:expr, $status:expr) => {
        &[
            Field { number: 1, name: "metadata", shape: Message(META) },
            Field { number: 2, name: "spec", shape: Message($spec) },
            Field { number: 3, name: "status", shape: Message($status) },
        ]
    };
}

const LABELS: Shape = Map(&Text);
const AMOUNTS: Shape = Map(&Quantity);
/// Whose being there is all that is read.
const THERE: &[Field] = &[];

messages! {
    META {
        1 "name" Text,
        3 "namespace" Text,
        5 "uid" Text,
        6 "resourceVersion" Text,
        7 "generation" Number,
        8 "creationTimestamp" Time,
        9 "deletionTimestamp" Time,
        10 "deletionGracePeriodSeconds" Number,
        11 "labels" LABELS,
        12 "annotations" LABELS,
        13 "ownerReferences" List(&Message(OWNER)),
        14 "finalizers" List(&Text),
    }
    OWNER { 1 "kind" Text, 4 "uid" Text, 6 "controller" Flag }
    LIST_META { 2 "resourceVersion" Text, 3 "continue" Text }
    MARKS { 1 "metadata" Message(LIST_META), 2 "items" List(&Message(MARK)) }
    MARK { 1 "metadata" Message(MARK_META) }
    MARK_META { 5 "uid" Text, 6 "resourceVersion" Text }
    BOOKMARK { 1 "metadata" Message(BOOKMARK_META) }
    BOOKMARK_META { 6 "resourceVersion" Text }
    STATUS { 3 "message" Text, 4 "reason" Text, 5 "details" Message(STATUS_DETAILS), 6 "code" Number }
    STATUS_DETAILS { 4 "causes" List(&Message(STATUS_CAUSE)), 5 "retryAfterSeconds" Number }
    STATUS_CAUSE { 1 "reason" Text, 2 "message" Text }
    SELECTOR { 1 "matchLabels" LABELS, 2 "matchExpressions" List(&Message(EXPRESSION)) }
    EXPRESSION { 1 "key" Text, 2 "operator" Text, 3 "values" List(&Text) }
    // of pods, nodes and jobs; those of Deployments and ReplicaSets have numbers of their own
    CONDITION { 1 "type" Text, 2 "status" Text, 4 "lastTransitionTime" Time, 5 "reason" Text, 6 "message" Text }

    POD_SPEC {
        2 "containers" List(&Message(CONTAINER)),
        4 "terminationGracePeriodSeconds" Number,
        7 "nodeSelector" LABELS,
        10 "nodeName" Text,
        20 "initContainers" List(&Message(CONTAINER)),
        28 "readinessGates" List(&Message(THERE)),
        32 "overhead" AMOUNTS,
        40 "resources" Message(RESOURCES),
    }
    CONTAINER {
        1 "name" Text,
        2 "image" Text,
        8 "resources" Message(RESOURCES),
        22 "startupProbe" Message(THERE),
        24 "restartPolicy" Text,
    }
    RESOURCES { 1 "limits" AMOUNTS, 2 "requests" AMOUNTS }
    POD_STATUS {
        1 "phase" Text,
        2 "conditions" List(&Message(CONDITION)),
        3 "message" Text,
        4 "reason" Text,
        7 "startTime" Time,
        8 "containerStatuses" List(&Message(CONTAINER_STATUS)),
        10 "initContainerStatuses" List(&Message(CONTAINER_STATUS)),
    }
    CONTAINER_STATUS {
        1 "name" Text,
        2 "state" Message(CONTAINER_STATE),
        3 "lastState" Message(CONTAINER_STATE),
        4 "ready" Flag,
        5 "restartCount" Number,
        6 "image" Text,
        9 "started" Flag,
    }
    CONTAINER_STATE { 1 "waiting" Message(WAITING), 2 "running" Message(RUNNING), 3 "terminated" Message(TERMINATED) }
    WAITING { 1 "reason" Text, 2 "message" Text }
    RUNNING { 1 "startedAt" Time }
    TERMINATED { 1 "exitCode" Number, 2 "signal" Number, 3 "reason" Text, 4 "message" Text, 6 "finishedAt" Time }
    TEMPLATE { 1 "metadata" Message(TEMPLATE_META), 2 "spec" Message(POD_SPEC) }
    TEMPLATE_META { 11 "labels" LABELS }

    NODE_SPEC { 4 "unschedulable" Flag, 5 "taints" List(&Message(TAINT)) }
    TAINT { 1 "key" Text, 2 "value" Text, 3 "effect" Text }
    NODE_STATUS {
        2 "allocatable" AMOUNTS,
        4 "conditions" List(&Message(CONDITION)),
        5 "addresses" List(&Message(ADDRESS)),
        7 "nodeInfo" Message(NODE_INFO),
    }
    ADDRESS { 1 "type" Text, 2 "address" Text }
    NODE_INFO { 7 "kubeletVersion" Text }

    EVENT {
        1 "metadata" Message(META),
        2 "involvedObject" Message(INVOLVED),
        3 "reason" Text,
        4 "message" Text,
        6 "firstTimestamp" Time,
        7 "lastTimestamp" Time,
        8 "count" Number,
        9 "type" Text,
        10 "eventTime" Time,
        11 "series" Message(SERIES),
    }
    INVOLVED { 1 "kind" Text, 2 "namespace" Text, 3 "name" Text, 4 "uid" Text }
    SERIES { 1 "count" Number, 2 "lastObservedTime" Time }

    DEPLOYMENT_SPEC { 1 "replicas" Number, 3 "template" Message(TEMPLATE), 7 "paused" Flag }
    DEPLOYMENT_STATUS {
        1 "observedGeneration" Number,
        2 "replicas" Number,
        3 "updatedReplicas" Number,
        4 "availableReplicas" Number,
        6 "conditions" List(&Message(CONDITION_OF_DEPLOYMENT)),
        7 "readyReplicas" Number,
    }
    CONDITION_OF_DEPLOYMENT { 1 "type" Text, 2 "status" Text, 4 "reason" Text, 5 "message" Text, 7 "lastTransitionTime" Time }
    STATEFUL_SET_SPEC { 1 "replicas" Number, 3 "template" Message(TEMPLATE), 7 "updateStrategy" Message(UPDATE_STRATEGY) }
    UPDATE_STRATEGY { 1 "type" Text, 2 "rollingUpdate" Message(ROLLING_UPDATE) }
    ROLLING_UPDATE { 1 "partition" Number }
    STATEFUL_SET_STATUS {
        1 "observedGeneration" Number,
        2 "replicas" Number,
        3 "readyReplicas" Number,
        5 "updatedReplicas" Number,
        6 "currentRevision" Text,
        7 "updateRevision" Text,
    }
    DAEMON_SET_SPEC { 2 "template" Message(TEMPLATE), 3 "updateStrategy" Message(UPDATE_STRATEGY_KIND) }
    UPDATE_STRATEGY_KIND { 1 "type" Text }
    DAEMON_SET_STATUS {
        1 "currentNumberScheduled" Number,
        3 "desiredNumberScheduled" Number,
        4 "numberReady" Number,
        5 "observedGeneration" Number,
        6 "updatedNumberScheduled" Number,
    }
    REPLICA_SET_SPEC { 1 "replicas" Number, 3 "template" Message(TEMPLATE) }
    REPLICA_SET_STATUS {
        1 "replicas" Number,
        3 "observedGeneration" Number,
        4 "readyReplicas" Number,
        6 "conditions" List(&Message(CONDITION_OF_REPLICA_SET)),
    }
    CONDITION_OF_REPLICA_SET { 1 "type" Text, 2 "status" Text, 3 "lastTransitionTime" Time, 4 "reason" Text, 5 "message" Text }
    CONTROLLER_REVISION { 1 "metadata" Message(META), 2 "data" Json, 3 "revision" Number }
    JOB_SPEC { 1 "parallelism" Number, 2 "completions" Number, 6 "template" Message(TEMPLATE), 10 "suspend" Flag }
    JOB_STATUS {
        1 "conditions" List(&Message(CONDITION)),
        4 "active" Number,
        5 "succeeded" Number,
        6 "failed" Number,
        9 "ready" Number,
    }
    CRON_JOB_SPEC { 1 "schedule" Text, 4 "suspend" Flag, 5 "jobTemplate" Message(JOB_TEMPLATE) }
    JOB_TEMPLATE { 2 "spec" Message(JOB_TEMPLATE_SPEC) }
    JOB_TEMPLATE_SPEC { 6 "template" Message(TEMPLATE) }
    CRON_JOB_STATUS { 1 "active" List(&Message(THERE)), 4 "lastScheduleTime" Time }

    BUDGET_SPEC { 1 "minAvailable" IntOrText, 2 "selector" Message(SELECTOR), 3 "maxUnavailable" IntOrText }
    BUDGET_STATUS { 3 "disruptionsAllowed" Number }
    AUTOSCALER { 1 "metadata" Message(META), 2 "spec" Message(AUTOSCALER_SPEC) }
    AUTOSCALER_SPEC { 1 "scaleTargetRef" Message(SCALE_TARGET), 2 "minReplicas" Number, 3 "maxReplicas" Number }
    SCALE_TARGET { 1 "kind" Text, 2 "name" Text }

    // `k8s.io/metrics`, v1beta1
    NODE_METRICS { 2 "items" List(&Message(METRICS_OF_NODE)) }
    METRICS_OF_NODE { 1 "metadata" Message(METRICS_META), 2 "timestamp" Time, 4 "usage" AMOUNTS }
    POD_METRICS { 2 "items" List(&Message(METRICS_OF_POD)) }
    METRICS_OF_POD { 1 "metadata" Message(METRICS_META), 2 "timestamp" Time, 4 "containers" List(&Message(METRICS_OF_CONTAINER)) }
    METRICS_OF_CONTAINER { 2 "usage" AMOUNTS }
    METRICS_META { 1 "name" Text, 3 "namespace" Text }
}

pub(in super::super) const POD: &[Field] = object!(POD_SPEC, POD_STATUS);
pub(in super::super) const NODE: &[Field] = object!(NODE_SPEC, NODE_STATUS);
pub(in super::super) const DEPLOYMENT: &[Field] = object!(DEPLOYMENT_SPEC, DEPLOYMENT_STATUS);
pub(in super::super) const STATEFUL_SET: &[Field] = object!(STATEFUL_SET_SPEC, STATEFUL_SET_STATUS);
pub(in super::super) const DAEMON_SET: &[Field] = object!(DAEMON_SET_SPEC, DAEMON_SET_STATUS);
pub(in super::super) const REPLICA_SET: &[Field] = object!(REPLICA_SET_SPEC, REPLICA_SET_STATUS);
pub(in super::super) const JOB: &[Field] = object!(JOB_SPEC, JOB_STATUS);
pub(in super::super) const CRON_JOB: &[Field] = object!(CRON_JOB_SPEC, CRON_JOB_STATUS);
pub(in super::super) const DISRUPTION_BUDGET: &[Field] = object!(BUDGET_SPEC, BUDGET_STATUS);
