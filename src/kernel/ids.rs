//! Identifiers: UUIDv7 (RFC 9562 section 5.7), so that they sort by creation time; one type per thing, so that they
//! cannot be mixed up.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh id, later than every id made before it on this machine.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "an id is made on purpose, never by default")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }
    )+};
}

id! {
    /// A tenant: an organisation or a part of one; the unit of isolation.
    TenantId,
    /// A person, across all tenants.
    UserId,
    /// A project of one tenant.
    ProjectId,
    /// An API key of one tenant.
    ApiKeyId,
    /// A login session: one family of refresh tokens.
    SessionId,
    /// A build: one request to turn a source into an image.
    BuildId,
    /// One attempt to run a build.
    ExecutionId,
    /// An uploaded build context.
    ContextId,
    /// A registered dispatcher instance.
    WorkerId,
    /// An image of the catalogue: one repository of the registry.
    ImageId,
    /// A robot account of one tenant.
    RobotId,
    /// An upload to the registry.
    UploadId,
    /// A collection of garbage, or a verification of what is stored.
    StorageRunId,
    /// A rule by which images are copied to or from another registry.
    ReplicationRuleId,
    /// Such a rule at work.
    ReplicationRunId,
    /// A published event.
    EventId,
    /// A background job.
    JobId,
    /// An encrypted secret of a project.
    SecretId,
}
