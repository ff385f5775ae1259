//! Pushes (OCI Distribution Specification 1.1, "Push").

use super::client::{
    Ask, Client, DENIED, LEAST_BYTES, PACE, Remote, TIMEOUT, authorized, not_sent, refused, unreachable,
};
use super::model::repository;
use crate::images::registry::BodyStream;
use crate::kernel::{Digest, Result};
use futures::TryStreamExt;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method, StatusCode};
use reqwest::{Body, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use url::Url;

/// How long a registry may think about a blob that it has.
const THINK: Duration = Duration::from_mins(5);

impl Client {
    /// Pushes a blob of this size.
    pub async fn push_blob(
        &self,
        remote: &Remote,
        image: &str,
        blob: &Digest,
        size_bytes: u64,
        body: BodyStream,
    ) -> Result<()> {
        let start = Ask::of(remote, Method::POST, image, "blobs/uploads/");
        let begun = accepted(self.answer(&start).await?).await?;
        let place = next_place(&start.url, &begun)?;
        let sent = accepted(self.send_bytes(remote, &start.scope, &place, size_bytes, body).await?).await?;
        let mut last = next_place(&place, &sent)?;
        last.query_pairs_mut().append_pair("digest", &blob.to_string());
        // A registry may look at the whole blob before it answers.
        let end = Ask { method: Method::PUT, url: last, timeout: Some(THINK), ..start };
        accepted(self.patiently(&end).await?).await.map(drop)
    }

    /// Lets an image have a blob that another one has ("Mounting a blob from another repository"). False when the registry
    /// does not.
    pub async fn mount(&self, remote: &Remote, image: &str, blob: &Digest, from: &str) -> Result<bool> {
        let mut ask = Ask::of(remote, Method::POST, image, "blobs/uploads/");
        let source = repository(&remote.url, from);
        ask.url.query_pairs_mut().append_pair("mount", &blob.to_string()).append_pair("from", &source);
        ask.scope = format!("{} repository:{source}:pull", ask.scope);
        let answer = match self.answer(&ask).await {
            // It does not let us, or does not know how: then the blob is sent.
            Err(error) if error.code() == DENIED => return Ok(false),
            answer => answer?,
        };
        // It may have begun an upload instead, which is not wanted.
        if answer.status() == StatusCode::ACCEPTED
            && let Ok(place) = next_place(&ask.url, &answer)
        {
            let _ = self.patiently(&Ask { method: Method::DELETE, url: place, ..ask }).await;
        }
        Ok(answer.status() == StatusCode::CREATED)
    }

    /// Pushes a manifest under a tag or its digest. True where the registry lists it with the subject that it names; clients
    /// of others do so themselves ("Pushing Manifests with Subject").
    pub async fn push_manifest(
        &self,
        remote: &Remote,
        image: &str,
        reference: &str,
        media_type: &str,
        content: Vec<u8>,
    ) -> Result<bool> {
        let ask = Ask::of(remote, Method::PUT, image, &format!("manifests/{reference}"));
        let answer = accepted(self.answer(&Ask { body: Some((media_type, content)), ..ask }).await?).await?;
        Ok(answer.headers().contains_key("oci-subject"))
    }

    /// A body that cannot be sent twice, with the token that was good a moment ago. Broken off when nothing moves.
    async fn send_bytes(
        &self,
        remote: &Remote,
        scope: &str,
        place: &Url,
        size_bytes: u64,
        body: BodyStream,
    ) -> Result<Response> {
        let passed = Arc::new(AtomicU64::new(0));
        let counting = passed.clone();
        let body = body.inspect_ok(move |piece| {
            counting.fetch_add(piece.len() as u64, Ordering::Relaxed);
        });
        let token = self.token_for(remote, scope, place).await?;
        let request = authorized(self.patient.patch(place.clone()), token.as_ref())
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, size_bytes)
            .body(Body::wrap_stream(body));
        let mut sending = std::pin::pin!(request.send());
        let (mut before, mut thinking) = (0, Duration::ZERO);
        loop {
            if let Ok(answer) = tokio::time::timeout(PACE, &mut sending).await {
                let answer = answer.map_err(not_sent)?;
                // The next attempt begins with a new one.
                let ended = answer.status() == StatusCode::UNAUTHORIZED;
                return if ended { Err(unreachable("the token ended")) } else { Ok(answer) };
            }
            let now = passed.load(Ordering::Relaxed);
            thinking += if now == size_bytes { PACE } else { Duration::ZERO };
            if thinking > THINK || (now < size_bytes && now - before < LEAST_BYTES) {
                return Err(unreachable("it takes an upload too slowly"));
            }
            before = now;
        }
    }

    /// A request without a body, with a timeout of its own instead of that for the next byte.
    async fn patiently(&self, ask: &Ask<'_>) -> Result<Response> {
        let token = self.token_for(ask.remote, &ask.scope, &ask.url).await?;
        let send = async |token: Option<&HeaderValue>| {
            let request = self.patient.request(ask.method.clone(), ask.url.clone()).header(CONTENT_LENGTH, 0);
            let request = request.timeout(ask.timeout.unwrap_or(TIMEOUT));
            authorized(request, token).send().await.map_err(not_sent)
        };
        let answer = send(token.as_ref()).await?;
        // The bytes may have taken longer than the token was good.
        if answer.status() == StatusCode::UNAUTHORIZED
            && ask.url.origin() == ask.remote.url.origin()
            && let Some(token) = self.new_token(ask, &answer).await?
        {
            return send(Some(&token)).await;
        }
        Ok(answer)
    }

    /// The token for an address that the registry has named; none for one elsewhere.
    async fn token_for(&self, remote: &Remote, scope: &str, place: &Url) -> Result<Option<HeaderValue>> {
        self.egress.check_literal(place)?;
        if place.scheme() != "https" && remote.url.scheme() == "https" {
            return Err(unreachable("it wants an upload that is not on https"));
        }
        if place.origin() != remote.url.origin() {
            return Ok(None);
        }
        Ok(self.known_token(remote, scope).await)
    }
}

async fn accepted(answer: Response) -> Result<Response> {
    if answer.status().is_success() { Ok(answer) } else { Err(refused(answer).await) }
}

/// Where an upload goes on.
fn next_place(from: &Url, answer: &Response) -> Result<Url> {
    let location = answer.headers().get(LOCATION).and_then(|l| l.to_str().ok());
    location.and_then(|l| from.join(l).ok()).ok_or_else(|| unreachable("it does not say where an upload goes on"))
}
