//! The caller as an extractor: authentication (a middleware of `identity`) put it into the request, or did not.

use super::Caller;
use crate::kernel::{Error, Result};
use axum::extract::FromRequestParts;
use http::request::Parts;

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Error::unauthenticated("auth.required", "sign in or send an API key"))
    }
}
