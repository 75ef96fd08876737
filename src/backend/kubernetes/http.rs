//! Requests to one API server: one place for credentials, deadlines, and what counts as an answer.
//!
//! Nothing is retried here: a read is retried by whoever follows it, a write by nobody (it may have happened). Only what was
//! refused for who we are is sent again, with other credentials.

use super::credentials::Credentials;
use super::failure::{Failure, Sort, link_words};
use super::plugin::Unanswered;
use super::protobuf;
use super::quiet::Silence;
use crate::backend::secret;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// One object or a status.
pub(super) const GET: Duration = Duration::from_secs(10);
/// One page of a list.
pub(super) const LIST: Duration = Duration::from_secs(30);
/// A change. Longer than a read: admission webhooks may take 10 s each.
pub(super) const WRITE: Duration = Duration::from_secs(20);

/// How a body changes an object (the content types of the PATCH verb, or a plain POST, PUT, DELETE).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Write {
    /// POST.
    Create,
    /// PATCH with RFC 7386.
    MergePatch,
    /// PATCH with RFC 6902.
    JsonPatch,
    /// PATCH that merges lists by their keys (Kubernetes' own).
    StrategicPatch,
    /// DELETE with `DeleteOptions`.
    Delete,
}

/// In which form objects come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As text, which every server has.
    Json,
    /// As Protocol Buffers, which costs less.
    Protobuf,
}

impl Form {
    fn of(headers: &HeaderMap) -> Self {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with(protobuf::CONTENT_TYPE) { Self::Protobuf } else { Self::Json }
    }
}

/// What comes of a stream.
pub(super) type Chunks = BoxStream<'static, Result<Bytes, Failure>>;

/// A watch that has begun.
pub(super) struct Watch {
    /// The form it is in.
    pub form: Form,
    /// What comes of it.
    pub chunks: Chunks,
    /// For a pause between two looks at it.
    pub silence: Option<Silence>,
}

/// A connected API server. Cheap to clone.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    credentials: Arc<Credentials>,
    server: Arc<str>,
}

impl Api {
    /// Requests through `client` to `server` (its address, for words).
    pub fn new(client: Client, credentials: Arc<Credentials>, server: &str) -> Self {
        Self { client, credentials, server: Arc::from(server) }
    }

    /// The credentials in use.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// GET of `path` as JSON.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.get_within(path, GET).await
    }

    /// GET of `path` as JSON, within `deadline`.
    pub async fn get_within<T: DeserializeOwned>(&self, path: &str, deadline: Duration) -> Result<T, Failure> {
        let body = self.get_bytes(path, deadline).await?;
        serde_json::from_slice(&body).map_err(|err| unread(&err))
    }

    /// GET of `path`, whole, within `deadline`.
    pub async fn get_bytes(&self, path: &str, deadline: Duration) -> Result<Bytes, Failure> {
        self.within(deadline, async { self.whole(self.send(self.request(Method::GET, path)?).await?).await }).await
    }

    /// GET of a page of the list at `path` in this form.
    pub async fn page(&self, path: &str, form: Form) -> Result<Bytes, Failure> {
        let request = self.request_in(form, path)?;
        self.within(LIST, async { self.whole(self.send(request).await?).await }).await
    }

    /// GET of a page of the list at `path` in this form, with nothing of its objects but their metadata.
    pub async fn marks(&self, path: &str, form: Form) -> Result<Bytes, Failure> {
        let mut request = self.request(Method::GET, path)?;
        let accept = if form == Form::Protobuf {
            protobuf::ACCEPT_MARKS
        } else {
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
        };
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(accept));
        self.within(LIST, async { self.whole(self.send(request).await?).await }).await
    }

    /// Changes what is at `path` and returns the server's answer. A failure of sort [`Sort::Link`] means that nobody knows
    /// whether it happened.
    pub async fn write<T: DeserializeOwned>(&self, how: Write, path: &str, body: &serde_json::Value) -> Result<T, Failure> {
        let (method, content) = match how {
            Write::Create => (Method::POST, "application/json"),
            Write::MergePatch => (Method::PATCH, "application/merge-patch+json"),
            Write::StrategicPatch => (Method::PATCH, "application/strategic-merge-patch+json"),
            Write::JsonPatch => (Method::PATCH, "application/json-patch+json"),
            Write::Delete => (Method::DELETE, "application/json"),
        };
        let mut request = self.request(method, path)?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content));
        *request.body_mut() = Bytes::from(body.to_string());
        let answer = self.within(WRITE, async { self.whole(self.send(request).await?).await }).await?;
        serde_json::from_slice(&answer).map_err(|err| unread(&err))
    }

    /// POST of a form to `path`, and what came of it, whatever it is.
    pub async fn post_form(&self, path: &str, form: String, deadline: Duration) -> Result<(StatusCode, Bytes), Failure> {
        let mut request = self.request(Method::POST, path)?;
        let content = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, content);
        *request.body_mut() = Bytes::from(form);
        self.within(deadline, async {
            let response = self.send(request).await?;
            let status = response.status();
            Ok((status, self.collect(response).await?))
        })
        .await
    }

    /// GET of `path` as a stream of chunks that ends when the server ends it. It may be silent for ever.
    pub async fn stream(&self, path: &str) -> Result<Chunks, Failure> {
        Ok(self.stream_of(self.request(Method::GET, path)?).await?.chunks)
    }

    /// GET of the watch at `path` in this form, or in the one that the server has.
    pub async fn watch(&self, path: &str, form: Form) -> Result<Watch, Failure> {
        self.stream_of(self.request_in(form, path)?).await
    }

    async fn stream_of(&self, mut request: Request<Bytes>) -> Result<Watch, Failure> {
        // a compressed stream is flushed late, and not every decoder takes the multi-member gzip newer servers send
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let response = self.within(LIST, async { self.checked(self.send(request).await?).await }).await?;
        let (form, silence) = (Form::of(response.headers()), response.extensions().get::<Silence>().cloned());
        let server = Arc::clone(&self.server);
        let chunks = response.into_body().into_data_stream();
        let chunks = chunks.map(move |chunk| chunk.map_err(|err| Failure::link(link_words(&server, &err)))).boxed();
        Ok(Watch { form, chunks, silence })
    }

    async fn within<T>(&self, deadline: Duration, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        match timeout(deadline, work).await {
            Ok(result) => result,
            Err(_) => Err(Failure::link(format!("{} did not answer within {} s", self.server, deadline.as_secs()))),
        }
    }

    fn request(&self, method: Method, path: &str) -> Result<Request<Bytes>, Failure> {
        Request::builder()
            .method(method)
            .uri(path)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("quarterdeck/", env!("CARGO_PKG_VERSION")))
            .body(Bytes::new())
            .map_err(|err| Failure::decode(format!("no request can be made for {path}: {err}")))
    }

    fn request_in(&self, form: Form, path: &str) -> Result<Request<Bytes>, Failure> {
        let mut request = self.request(Method::GET, path)?;
        if form == Form::Protobuf {
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static(protobuf::ACCEPT));
        }
        Ok(request)
    }

    /// Sends a request, and once more if the server does not know who we are and there are other credentials by now: it has
    /// done nothing for somebody it does not know.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Body>, Failure> {
        let reads = request.method() == Method::GET;
        let none = |none| match none {
            // of a write that got no answer nobody knows whether it happened: this one was not sent
            Unanswered::NotYet(why) if reads => Failure::link(why),
            Unanswered::NotYet(why) | Unanswered::Failed(why) => Failure::of(Sort::Credentials, why),
        };
        let sent = self.credentials.header().await.map_err(none)?;
        let response = self.send_as(request.clone(), sent.as_ref()).await?;
        let Some(refused) = sent.filter(|_| response.status() == StatusCode::UNAUTHORIZED) else { return Ok(response) };
        match self.credentials.instead_of(&refused).await.map_err(none)? {
            Some(other) => self.send_as(request, Some(&other)).await,
            None => Ok(response),
        }
    }

    async fn send_as(&self, mut request: Request<Bytes>, header: Option<&HeaderValue>) -> Result<Response<Body>, Failure> {
        if let Some(header) = header {
            request.headers_mut().insert(AUTHORIZATION, header.clone());
        }
        self.client.send(request.map(Body::from)).await.map_err(|err| Failure::link(link_words(&self.server, &err)))
    }

    async fn checked(&self, response: Response<Body>) -> Result<Response<Body>, Failure> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let wait = response.headers().get(http::header::RETRY_AFTER).and_then(|v| v.to_str().ok()?.parse().ok());
        let body = self.collect(response).await?;
        let mut failure = Failure::refused(status.as_u16(), &body);
        failure.retry_after = wait.map(Duration::from_secs).or(failure.retry_after);
        Err(failure)
    }

    async fn whole(&self, response: Response<Body>) -> Result<Bytes, Failure> {
        let response = self.checked(response).await?;
        self.collect(response).await
    }

    async fn collect(&self, response: Response<Body>) -> Result<Bytes, Failure> {
        let body = response.into_body().collect().await.map_err(|err| Failure::link(link_words(&self.server, &err)))?;
        Ok(body.to_bytes())
    }
}

/// Why an answer cannot be read. One that ends in its middle was cut off on the way.
fn unread(err: &serde_json::Error) -> Failure {
    let words = secret::unread(err);
    if err.is_eof() { Failure::link(format!("the answer was cut off: {words}")) } else { Failure::decode(words) }
}
