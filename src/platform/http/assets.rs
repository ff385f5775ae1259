//! The web app: files that are part of the binary, and its page for every address that is its own to show.
//!
//! Files below `/assets/` bear a hash of their content in their name and are kept by browsers for ever; `index.html`, which
//! names them, is asked for anew each time.

use crate::kernel::Error;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY, VARY,
};
use http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
#[exclude = ".vite/*"]
struct Files;

/// What the page may load and who may show it (CSP Level 3). Ant Design writes its styles into the page.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; \
    frame-ancestors 'none'; form-action 'self'";

/// Answers what no route answers: a file of the web app, its page where a browser asks for one, else 404.
pub async fn web_app(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if !matches!(method, Method::GET | Method::HEAD) || path.starts_with("api/") || path.starts_with("v2/") {
        return not_found();
    }
    if let Some(file) = Files::get(path).filter(|_| path != INDEX) {
        let for_ever = path.starts_with("assets/");
        return answer(file, if for_ever { "public, max-age=31536000, immutable" } else { "no-cache" }, &headers);
    }
    let wants_page = headers.get(ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/html"));
    if path.starts_with("assets/") || !wants_page {
        return not_found();
    }
    match Files::get(INDEX) {
        Some(page) => answer(page, "no-cache", &headers),
        None => Error::not_found("web app in this binary (`make web`, then build it again)").into_response(),
    }
}

const INDEX: &str = "index.html";

fn not_found() -> Response {
    Error::not_found("page").into_response()
}

fn answer(file: EmbeddedFile, cache: &'static str, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", hex::encode(file.metadata.sha256_hash()));
    let common = [(ETAG, tag.as_str()), (CACHE_CONTROL, cache), (VARY, "accept, accept-encoding")];
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let kind = [
        (CONTENT_TYPE, file.metadata.mimetype()),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    (common, kind, file.data).into_response()
}
