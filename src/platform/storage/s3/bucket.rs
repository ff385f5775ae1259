//! The calls that are made of a bucket, in our words: absence is no error, a refused condition is no error, and every
//! write says when it may replace what is there.

use crate::kernel::{Error, Result};
use crate::platform::storage::{ByteStream, S3Config};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    SharedCredentialsProvider,
};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::DateTime as S3Time;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::{self, StreamExt, TryStreamExt};
use std::ops::Range;
use std::time::Duration;
use uuid::Uuid;

/// Attempts of a call, with waits between them that grow and are random.
const ATTEMPTS: u32 = 5;
/// Time for one attempt: a piece of an upload must pass in it.
const ATTEMPT_TIMEOUT: Duration = Duration::from_mins(1);
/// Calls in flight where many objects are deleted or copied.
const PARALLEL: usize = 8;
/// Most objects of one page of a listing.
const PAGE: usize = 1000;
/// Metadata that tells which write made an object.
const WRITE: &str = "write";

/// When a write may happen.
pub enum When<'a> {
    Always,
    /// There is no object yet.
    Absent,
    /// The object is this version.
    Version(&'a str),
}

/// What is known of an object.
pub struct Info {
    pub key: String,
    pub size: u64,
    /// Not every service tells it in a listing.
    pub version: Option<String>,
    pub modified_at: DateTime<Utc>,
}

/// A multipart upload that was not completed.
pub struct Unfinished {
    pub key: String,
    pub id: String,
    pub started_at: DateTime<Utc>,
}

/// A part of an object that is put together: where its bytes are, and the version that they were read as.
pub struct Source<'a> {
    pub key: &'a str,
    pub version: Option<&'a str>,
}

/// A bucket: objects under `<prefix>objects/`, uploads under `<prefix>staging/<upload>/`.
#[derive(Debug)]
pub struct Bucket {
    client: Client,
    name: String,
    prefix: String,
}

impl Bucket {
    pub fn new(config: &S3Config) -> Self {
        let credentials = Credentials::new(&config.access_key, &config.secret_key, None, None, "configuration");
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let mut builder = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(config.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .force_path_style(config.path_style)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts)
            // Many compatible services do not know the checksums that Amazon's took up in 2024; digests are ours to check.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        if !config.endpoint.is_empty() {
            builder = builder.endpoint_url(&config.endpoint);
        }
        Self { client: Client::from_conf(builder.build()), name: config.bucket.clone(), prefix: config.prefix.clone() }
    }

    /// Where an object is.
    pub fn object(&self, key: &str) -> String {
        format!("{}objects/{key}", self.prefix)
    }

    /// What the keys of all that is staged begin with.
    pub fn staging(&self) -> String {
        format!("{}staging/", self.prefix)
    }

    /// Writes a small object; gives its version, or none when the condition does not hold.
    pub async fn put(&self, key: &str, body: Bytes, when: When<'_>) -> Result<Option<String>> {
        let write = Uuid::now_v7().to_string();
        let call = self.client.put_object().bucket(&self.name).key(key).metadata(WRITE, &write);
        let call = match when {
            When::Always => call,
            When::Absent => call.if_none_match("*"),
            When::Version(version) => call.if_match(version),
        };
        match call.body(body.into()).send().await {
            Ok(done) => version(done.e_tag).map(Some),
            Err(e) if !matches!(when, When::Always) && matches!(status(&e), Some(404 | 409 | 412)) => {
                // A call whose answer was lost is made again, and is then refused by what it wrote itself.
                self.version_of(key, &write).await
            }
            Err(e) => Err(failed("write", key, e)),
        }
    }

    async fn version_of(&self, key: &str, write: &str) -> Result<Option<String>> {
        match self.client.head_object().bucket(&self.name).key(key).send().await {
            Ok(found) if found.metadata().and_then(|m| m.get(WRITE)).is_some_and(|w| w == write) => {
                version(found.e_tag).map(Some)
            }
            Ok(_) => Ok(None),
            Err(e) if status(&e) == Some(404) => Ok(None),
            Err(e) => Err(failed("look at", key, e)),
        }
    }

    pub async fn head(&self, key: &str) -> Result<Option<Info>> {
        match self.client.head_object().bucket(&self.name).key(key).send().await {
            Ok(found) => Ok(Some(Info {
                key: key.to_owned(),
                size: unsigned(found.content_length),
                version: found.e_tag,
                modified_at: time(found.last_modified),
            })),
            Err(e) if status(&e) == Some(404) => Ok(None),
            Err(e) => Err(failed("look at", key, e)),
        }
    }

    /// Opens an object, or a range of it that is not empty; none when there is no such object, or no byte of the range.
    pub async fn get(&self, key: &str, range: Option<&Range<u64>>, version: Option<&str>) -> Result<Option<Opened>> {
        let range = range.map(|r| format!("bytes={}-{}", r.start, r.end.saturating_sub(1)));
        let call = self.client.get_object().bucket(&self.name).key(key).set_range(range);
        match call.set_if_match(version.map(str::to_owned)).send().await {
            Ok(found) => Ok(Some(Opened::new(found))),
            Err(e) if matches!(status(&e), Some(404 | 416)) => Ok(None),
            Err(e) => Err(failed("read", key, e)),
        }
    }

    pub async fn delete(&self, key: &str) -> Result<()> {
        match self.client.delete_object().bucket(&self.name).key(key).send().await {
            Ok(_) => Ok(()),
            Err(e) if status(&e) == Some(404) => Ok(()),
            Err(e) => Err(failed("delete", key, e)),
        }
    }

    /// Deletes these objects. One call each: not every service takes them in one.
    pub async fn delete_all(&self, keys: impl IntoIterator<Item = String>) -> Result<()> {
        stream::iter(keys.into_iter().map(Ok))
            .try_for_each_concurrent(PARALLEL, async |key: String| self.delete(&key).await)
            .await
    }

    /// At most `limit` objects whose keys begin with `prefix` and come after `after`, in the order of their keys.
    pub async fn list(&self, prefix: &str, after: Option<String>, limit: usize) -> Result<Vec<Info>> {
        let mut found = Vec::new();
        let mut after = after;
        while found.len() < limit {
            let page = i32::try_from(PAGE.min(limit - found.len())).unwrap_or(i32::MAX);
            let call = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).set_start_after(after);
            let listed = call.max_keys(page).send().await.map_err(|e| failed("list", prefix, e))?;
            found.extend(listed.contents.unwrap_or_default().into_iter().map(|o| Info {
                key: o.key.unwrap_or_default(),
                size: unsigned(o.size),
                version: o.e_tag,
                modified_at: time(o.last_modified),
            }));
            if listed.is_truncated != Some(true) {
                break;
            }
            after = found.last().map(|o| o.key.clone());
        }
        Ok(found)
    }

    /// Makes an object of others, in their order. All but the last have at least 5 MiB.
    pub async fn assemble(&self, key: &str, sources: &[Source<'_>]) -> Result<()> {
        if let [source] = sources {
            let call = self.client.copy_object().bucket(&self.name).key(key).copy_source(self.path(source.key));
            let call = call.set_copy_source_if_match(source.version.map(str::to_owned));
            return call.send().await.map(drop).map_err(|e| failed("copy to", key, e));
        }
        let started = self.client.create_multipart_upload().bucket(&self.name).key(key).send().await;
        let id = started.map_err(|e| failed("write", key, e))?.upload_id;
        let id = id.ok_or_else(|| Error::internal("the storage gave no id of a multipart upload"))?;
        let done = self.copy_parts(key, &id, sources).await;
        if done.is_err() {
            // The reaper takes what cannot be removed now.
            let _ = self.abort(key, &id).await;
        }
        done
    }

    async fn copy_parts(&self, key: &str, id: &str, sources: &[Source<'_>]) -> Result<()> {
        let copies: Vec<_> = sources.iter().zip(1..).map(|(source, n)| self.copy_part(key, id, n, source)).collect();
        let parts: Vec<_> = stream::iter(copies).buffered(PARALLEL).try_collect().await?;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let call = self.client.complete_multipart_upload().bucket(&self.name).key(key).upload_id(id);
        match call.multipart_upload(parts).send().await {
            Ok(_) => Ok(()),
            // It was done, and the answer was lost.
            Err(e) if status(&e) == Some(404) && self.head(key).await?.is_some() => Ok(()),
            Err(e) => Err(failed("write", key, e)),
        }
    }

    async fn copy_part(&self, key: &str, id: &str, number: i32, source: &Source<'_>) -> Result<CompletedPart> {
        let call = self.client.upload_part_copy().bucket(&self.name).key(key).upload_id(id).part_number(number);
        let call = call.copy_source(self.path(source.key)).set_copy_source_if_match(source.version.map(str::to_owned));
        let copied = call.send().await.map_err(|e| failed("copy to", key, e))?;
        let part = version(copied.copy_part_result.and_then(|r| r.e_tag))?;
        Ok(CompletedPart::builder().part_number(number).e_tag(part).build())
    }

    pub async fn abort(&self, key: &str, id: &str) -> Result<()> {
        let call = self.client.abort_multipart_upload().bucket(&self.name).key(key).upload_id(id);
        match call.send().await {
            Ok(_) => Ok(()),
            Err(e) if status(&e) == Some(404) => Ok(()),
            Err(e) => Err(failed("drop a multipart upload of", key, e)),
        }
    }

    /// Multipart uploads that were not completed. Services that cannot list them have none for us.
    pub async fn unfinished(&self, prefix: &str) -> Result<Vec<Unfinished>> {
        let mut found = Vec::new();
        let (mut key_marker, mut id_marker) = (None, None);
        loop {
            let call = self.client.list_multipart_uploads().bucket(&self.name).prefix(prefix);
            let call = call.set_key_marker(key_marker).set_upload_id_marker(id_marker);
            let page = match call.send().await {
                Ok(page) => page,
                Err(e) if status(&e) == Some(501) => return Ok(found),
                Err(e) => return Err(failed("list the multipart uploads of", prefix, e)),
            };
            found.extend(page.uploads.unwrap_or_default().into_iter().map(|u| Unfinished {
                key: u.key.unwrap_or_default(),
                id: u.upload_id.unwrap_or_default(),
                started_at: time(u.initiated),
            }));
            if page.is_truncated != Some(true) || page.next_key_marker.is_none() {
                return Ok(found);
            }
            (key_marker, id_marker) = (page.next_key_marker, page.next_upload_id_marker);
        }
    }

    /// An address under which anybody may read the object for a time.
    pub async fn presigned(&self, key: &str, valid: Duration) -> Result<String> {
        let config = PresigningConfig::expires_in(valid)
            .map_err(|e| Error::internal("an address cannot be signed for that time").with_source(e))?;
        let call = self.client.get_object().bucket(&self.name).key(key);
        let signed = call.response_content_type("application/octet-stream").presigned(config).await;
        Ok(signed.map_err(|e| failed("sign an address of", key, e))?.uri().to_owned())
    }

    /// Keys and the bucket's name hold nothing that would have to be escaped.
    fn path(&self, key: &str) -> String {
        format!("{}/{key}", self.name)
    }
}

/// An object that is being read.
pub struct Opened {
    /// Size of the whole object in bytes.
    pub size: u64,
    pub version: Option<String>,
    pub body: ByteStream,
}

impl Opened {
    fn new(found: GetObjectOutput) -> Self {
        let total = found.content_range.as_deref().and_then(|r| r.rsplit('/').next()?.parse().ok());
        let body = stream::try_unfold(found.body, async |mut body| match body.try_next().await {
            Ok(piece) => Ok(piece.map(|piece| (piece, body))),
            Err(e) => {
                Err(Error::unavailable("storage.unreachable", "an object broke off while it was read").with_source(e))
            }
        });
        Self { size: total.unwrap_or_else(|| unsigned(found.content_length)), version: found.e_tag, body: body.boxed() }
    }
}

fn version(tag: Option<String>) -> Result<String> {
    tag.ok_or_else(|| Error::internal("the storage gave no ETag"))
}

fn unsigned(size: Option<i64>) -> u64 {
    size.and_then(|s| u64::try_from(s).ok()).unwrap_or_default()
}

fn time(time: Option<S3Time>) -> DateTime<Utc> {
    time.and_then(|t| DateTime::from_timestamp(t.secs(), t.subsec_nanos())).unwrap_or_default()
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|r| r.status().as_u16())
}

fn failed<E>(what: &str, key: &str, error: SdkError<E>) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    match status(&error) {
        Some(507) => Error::unavailable("storage.full", "the storage is full; an operator must make room"),
        Some(code) if code < 500 && code != 429 => Error::internal(format!("cannot {what} {key:?} in the bucket")),
        _ => Error::unavailable("storage.unreachable", "the object storage does not answer"),
    }
    .with_source(error)
}
