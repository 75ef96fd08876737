//! Nodes.

use super::{Condition, Labels, Listed, Meta, Str};
use crate::backend::kubernetes::protobuf::shapes::{self, Field};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `v1 Node`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct RawNode {
    pub metadata: Meta,
    pub spec: NodeSpec,
    pub status: NodeStatus,
}

impl Listed for RawNode {
    const PATH: &'static str = "/api/v1/nodes";
    const PLURAL: &'static str = "nodes";
    const NAMESPACED: bool = false;
    const SHAPE: &'static [Field] = shapes::NODE;
    type Labels = Labels;
    fn meta(&self) -> &Meta {
        &self.metadata
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.metadata
    }
}

/// `spec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct NodeSpec {
    pub unschedulable: bool,
    pub taints: Vec<Taint>,
}

/// `spec.taints[]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Taint {
    pub key: Str,
    pub value: Str,
    pub effect: Str,
}

/// `status`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct NodeStatus {
    pub conditions: Vec<Condition>,
    pub allocatable: BTreeMap<String, String>,
    pub addresses: Vec<Address>,
    pub node_info: NodeInfo,
}

/// `status.addresses[]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Address {
    #[serde(rename = "type")]
    pub kind: Str,
    pub address: Str,
}

/// `status.nodeInfo`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct NodeInfo {
    pub kubelet_version: Str,
}
