//! Who acts: the subject of audit rows and event envelopes.

use crate::kernel::ids::{ApiKeyId, ExecutionId, RobotId, UserId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whoever caused a change. Shown as `user:<id>`, `api_key:<id>`, `robot:<id>`, `execution:<id>`, `system:<reason>` or
/// `anonymous`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// A person, signed in.
    User(UserId),
    /// A key made by a person for a machine.
    ApiKey(ApiKeyId),
    /// A machine of a tenant at the registry, with rights of its own.
    Robot(RobotId),
    /// A running build, by its robot token.
    Execution(ExecutionId),
    /// The service itself; the text says which part.
    System(String),
    /// Nobody has signed in.
    Anonymous,
}

impl Actor {
    /// The service itself, with the part that acts.
    pub fn system(part: impl Into<String>) -> Self {
        Self::System(part.into())
    }

    /// The person behind the action, where there is one.
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(*id),
            _ => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::ApiKey(id) => write!(f, "api_key:{id}"),
            Self::Robot(id) => write!(f, "robot:{id}"),
            Self::Execution(id) => write!(f, "execution:{id}"),
            Self::System(part) => write!(f, "system:{part}"),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}
