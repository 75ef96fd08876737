//! How to reach one engine, and what it turns out to be.

use super::client::Docker;
use super::transport::Endpoint;
use crate::backend::address::without_credentials;
use crate::backend::{Backend, BackendError, Connector};
use crate::model::{Capabilities, Cluster, ClusterId, ClusterKind, Link, Text};
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// An engine found by discovery.
#[derive(Clone, Debug)]
pub struct DockerConnector {
    id: ClusterId,
    address: Text,
    endpoint: Result<Endpoint, String>,
}

impl DockerConnector {
    /// An engine named `id`; where its address or configuration is wrong, the reason stands for the endpoint.
    pub fn new(id: ClusterId, address: &str, endpoint: Result<Endpoint, String>) -> Self {
        // an address that could not be read may hold a password
        let address = endpoint.as_ref().map_or_else(|_| without_credentials(address), ToString::to_string);
        Self { id, address: Text::from(address), endpoint }
    }

    /// Its name in the fleet.
    pub fn id(&self) -> &ClusterId {
        &self.id
    }

    /// Its address, if its configuration can be read.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref().ok()
    }
}

impl Connector for DockerConnector {
    fn cluster(&self) -> Cluster {
        Cluster {
            id: self.id.clone(),
            kind: ClusterKind::Docker,
            endpoint: self.address.clone(),
            version: None,
            link: Link::Connecting,
            protected: false,
            read_only: false,
            capabilities: Capabilities::default(),
            engine: None,
        }
    }

    fn connect(&self) -> BoxFuture<'_, Result<Arc<dyn Backend>, BackendError>> {
        Box::pin(async {
            let endpoint = self.endpoint.clone().map_err(BackendError::Protocol)?;
            let docker: Arc<dyn Backend> = Arc::new(Docker::connect(endpoint).await?);
            Ok(docker)
        })
    }

    fn leads_to(&self) -> Vec<String> {
        self.endpoint.as_ref().map(Endpoint::identity).into_iter().collect()
    }

    fn patience(&self) -> Duration {
        // an engine is back within seconds, and its socket is asked for nothing
        let ssh = matches!(self.endpoint, Ok(Endpoint::Ssh { .. }));
        Duration::from_secs(if ssh { 30 } else { 6 })
    }
}
