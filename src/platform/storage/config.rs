use crate::kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Object storage.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where objects are: `filesystem` or `s3`.
    pub kind: Kind,
    /// Folder for blobs, uploads and build contexts, on one file system.
    pub folder: String,
    /// The bucket, where `storage.kind` is `s3`.
    pub s3: S3Config,
}

/// What stands behind the object storage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A folder.
    #[default]
    Filesystem,
    /// A bucket of Amazon S3 or of another service that speaks its protocol.
    S3,
}

impl Kind {
    /// As in the configuration and in `storage_backends`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Filesystem => "filesystem",
            Self::S3 => "s3",
        }
    }
}

/// A bucket for blobs, uploads and build contexts. The service must honour conditional writes (`If-Match`,
/// `If-None-Match`).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct S3Config {
    /// Address of the service, `https://host[:port]`; empty: Amazon's for the region.
    pub endpoint: String,
    /// Region of the bucket; services that have none take any word.
    pub region: String,
    /// Name of the bucket, which must exist.
    pub bucket: String,
    /// What all keys begin with, such as `factory/`; empty: nothing.
    pub prefix: String,
    /// Access key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// Whether the bucket stands in the path of an address and not in its host.
    pub path_style: bool,
    /// Whether clients that pull a blob are sent to the bucket (a presigned address) instead of being served from here.
    /// They must reach the endpoint.
    pub redirect: bool,
    /// Minutes for which such an address is good, at most 10080.
    pub redirect_minutes: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            kind: Kind::default(),
            folder: "/var/lib/image-factory/storage".into(),
            s3: S3Config {
                endpoint: String::new(),
                region: "us-east-1".into(),
                bucket: String::new(),
                prefix: String::new(),
                access_key: String::new(),
                secret_key: String::new(),
                path_style: false,
                redirect: false,
                redirect_minutes: 20,
            },
        }
    }
}

impl Default for S3Config {
    fn default() -> Self {
        Config::default().s3
    }
}

impl Config {
    /// Refuses what cannot work, naming every fault. Settings of a kind that is not used are not looked at.
    pub fn validate(&self) -> Result<()> {
        if self.kind != Kind::S3 {
            return Ok(());
        }
        let s3 = &self.s3;
        let mut faults = Vec::new();
        for (key, value) in [
            ("region", &s3.region),
            ("bucket", &s3.bucket),
            ("access_key", &s3.access_key),
            ("secret_key", &s3.secret_key),
        ] {
            if value.is_empty() {
                faults.push(format!("storage.s3.{key} is not set"));
            }
        }
        if !s3.endpoint.is_empty()
            && !url::Url::parse(&s3.endpoint).is_ok_and(|u| matches!(u.scheme(), "http" | "https"))
        {
            faults.push("storage.s3.endpoint is no http or https address".into());
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/');
        if s3.prefix.starts_with('/') || !s3.prefix.bytes().all(plain) {
            faults.push("storage.s3.prefix has letters, digits, `.`, `_`, `-` and `/` only, no slash first".into());
        }
        if !(1..=10_080).contains(&s3.redirect_minutes) {
            faults.push("storage.s3.redirect_minutes is from 1 to 10080".into());
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::invalid("config.invalid", faults.join("; "))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_of_a_bucket_are_named_and_those_of_an_unused_one_are_not() {
        let mut config = Config::default();
        config.s3.endpoint = "ftp://x".into();
        config.s3.prefix = "/a b".into();
        config.s3.redirect_minutes = 0;
        config.validate().unwrap();
        config.kind = Kind::S3;
        let error = config.validate().unwrap_err().to_string();
        for key in ["bucket", "access_key", "secret_key", "endpoint", "prefix", "redirect_minutes"] {
            assert!(error.contains(&format!("storage.s3.{key}")), "{key}: {error}");
        }
        config.s3 = S3Config {
            bucket: "b".into(),
            access_key: "a".into(),
            secret_key: "s".into(),
            prefix: "factory/".into(),
            ..S3Config::default()
        };
        config.validate().unwrap();
    }
}
