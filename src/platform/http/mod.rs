//! HTTP without product nouns: problem+json, extractors that report all faults, paging, idempotency keys, request ids,
//! rate limits, guarded outgoing calls.

mod assets;
pub mod egress;
mod etag;
mod extract;
pub mod forwarded;
pub mod idempotency;
mod problem;
pub mod rate_limit;
pub mod request_id;
mod schema;
mod serve;
mod stall;

pub use assets::web_app;
pub use etag::{IfMatch, etag};
pub use extract::{Json, NoQuery, PageParams, Path, Query, named, refuse_nul};
pub use problem::{Problem, Refusals, problem_response};
pub use schema::validate_json;
pub use serve::{Config, peer, serve};
