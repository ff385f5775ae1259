//! Browsers are told: server-sent events (WHATWG HTML, section 9.2) and WebSocket with the same frames.
//!
//! Both streams alternate between "what is stored after my position" and waiting for a signal, so nothing is lost between
//! the stored and the live part, and a reader resumes with the id of the last frame it saw. A stream reads only as fast
//! as its client does; builds never wait for it. Owns no tables.

mod api;
mod model;
mod service;
mod tails;

pub use api::routes;
pub use model::Frame;
pub use service::Live;
