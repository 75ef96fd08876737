//! What an engine says of its disk.

use super::{Labels, or_default, time};
use crate::util::time::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `GET /system/df?verbose=1`. Since API 1.52 the rows stand in a part of their own for each sort of thing.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Disk {
    /// Bytes of all layers of images.
    layers_size: i64,
    #[serde(deserialize_with = "or_default")]
    images: Vec<Image>,
    #[serde(deserialize_with = "or_default")]
    containers: Vec<Container>,
    #[serde(deserialize_with = "or_default")]
    volumes: Vec<Volume>,
    #[serde(deserialize_with = "or_default")]
    build_cache: Vec<Cache>,
    #[serde(deserialize_with = "or_default")]
    image_usage: Part<Image>,
    #[serde(deserialize_with = "or_default")]
    container_usage: Part<Container>,
    #[serde(deserialize_with = "or_default")]
    volume_usage: Part<Volume>,
    #[serde(deserialize_with = "or_default")]
    build_cache_usage: Part<Cache>,
}

impl Disk {
    pub fn layers(&self) -> u64 {
        bytes(self.layers_size.max(self.image_usage.total_size))
    }

    pub fn images(&self) -> &[Image] {
        if self.images.is_empty() { &self.image_usage.items } else { &self.images }
    }

    pub fn containers(&self) -> &[Container] {
        if self.containers.is_empty() { &self.container_usage.items } else { &self.containers }
    }

    pub fn volumes(&self) -> &[Volume] {
        if self.volumes.is_empty() { &self.volume_usage.items } else { &self.volumes }
    }

    pub fn cache(&self) -> &[Cache] {
        if self.build_cache.is_empty() { &self.build_cache_usage.items } else { &self.build_cache }
    }
}

/// A size that may be unknown, which is a negative one.
pub fn bytes(size: i64) -> u64 {
    u64::try_from(size).unwrap_or(0)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Part<T> {
    total_size: i64,
    #[serde(deserialize_with = "or_default", bound(deserialize = "T: Deserialize<'de>"))]
    items: Vec<T>,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self { total_size: 0, items: Vec::new() }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Image {
    pub id: String,
    #[serde(deserialize_with = "or_default")]
    pub repo_tags: Vec<String>,
    pub size: i64,
    /// Of it, what other images have too; unknown where negative.
    pub shared_size: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Container {
    pub id: String,
    #[serde(deserialize_with = "or_default")]
    pub names: Vec<String>,
    #[serde(rename = "ImageID")]
    pub image_id: String,
    pub state: String,
    #[serde(deserialize_with = "or_default")]
    pub labels: Labels,
    pub size_rw: i64,
    #[serde(deserialize_with = "or_default")]
    pub mounts: Vec<Mount>,
    #[serde(deserialize_with = "or_default")]
    pub network_settings: Attached,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Mount {
    pub r#type: String,
    pub name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Attached {
    /// By name.
    #[serde(deserialize_with = "or_default")]
    pub networks: BTreeMap<String, Attachment>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Attachment {
    #[serde(rename = "NetworkID")]
    pub id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Volume {
    pub name: String,
    #[serde(deserialize_with = "time")]
    pub created_at: Option<Timestamp>,
    #[serde(deserialize_with = "or_default")]
    pub labels: Labels,
    #[serde(deserialize_with = "or_default")]
    pub usage_data: VolumeUsage,
    /// Only of a volume of the whole swarm.
    pub cluster_volume: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeUsage {
    pub size: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Cache {
    #[serde(rename = "ID")]
    pub id: String,
    pub r#type: String,
    pub in_use: bool,
    pub shared: bool,
    pub size: i64,
    #[serde(deserialize_with = "time")]
    pub created_at: Option<Timestamp>,
}

/// A row of `GET /networks`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Network {
    pub id: String,
    pub name: String,
    /// `local`, `swarm`, `global`.
    pub scope: String,
    pub config_only: bool,
    pub ingress: bool,
}
