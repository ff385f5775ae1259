use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Sign-in and sessions.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// E-mail address of the first system administrator, made at the start when there is none. Empty: none is made.
    pub bootstrap_email: String,
    /// That administrator's first password, 12 to 128 characters; it must be changed before anything else.
    pub bootstrap_password: String,
    /// Seconds that an access token lives.
    pub access_token_seconds: u32,
    /// Days after which a session ends that nobody refreshed.
    pub session_idle_days: u32,
    /// Days after which a session ends in any case.
    pub session_max_days: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bootstrap_email: String::new(),
            bootstrap_password: String::new(),
            access_token_seconds: 900,
            session_idle_days: 14,
            session_max_days: 90,
        }
    }
}
