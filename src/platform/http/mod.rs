//! HTTP without product nouns: problem+json, extractors that report all faults, paging, idempotency keys, request ids,
//! rate limits, guarded outgoing calls.

pub mod egress;
mod extract;
pub mod idempotency;
mod problem;
pub mod rate_limit;
pub mod request_id;
mod schema;
mod serve;

pub use extract::{Json, NoQuery, Path, Query};
pub use problem::{Problem, problem_response};
pub use schema::validate_json;
pub use serve::{Config, peer, serve};
