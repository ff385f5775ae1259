//! All SQL of this context.

pub(super) mod api_keys;
pub(super) mod sessions;
pub(super) mod throttles;
pub(super) mod users;
