//! Projects that are a cache of another registry: what they do not have is fetched there when it is pulled.
//!
//! Owns `registry_upstreams`, `upstream_tags`, `upstream_manifests` and `upstream_fetches`. Publishes `upstream.set` and
//! `upstream.deleted`.
//!
//! The registry's own rule stands: a manifest is one of its repository when all it names is there. Until then it is kept
//! here and served from here; blobs are blobs of the repository as soon as they are verified. One process fetches a
//! thing at a time (`upstream_fetches`). A tag is asked for again when it is older than the upstream's freshness; while
//! the other registry does not answer, what is known is served.

mod api;
mod events;
mod model;
mod service;
mod store;
mod tasks;

pub use api::routes;
pub use model::{NewUpstream, Upstream};
pub use service::Upstreams;
pub use tasks::register;
