//! The tokens of browsers: HttpOnly cookies, beside them a readable one with the CSRF token.
//!
//! Over HTTPS all bear `__Host-`, so no other host can set them (RFC 6265bis section 4.1.3.2), which rules out a path.
//! Over plain HTTP, which only development uses, the refresh cookie is limited to the paths that take it.

use super::super::service::{Identity, SignIn};
use axum_extra::extract::CookieJar;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use secrecy::ExposeSecret;

const AUTH_PATH: &str = "/api/v1/auth";

/// How cookies look on this server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cookies {
    pub secure: bool,
}

impl Identity {
    pub(super) fn cookies(&self) -> Cookies {
        Cookies { secure: self.public_url.starts_with("https://") }
    }
}

/// The CSRF token that the request carries; empty when it has none, which is never right.
pub(super) fn csrf(headers: &HeaderMap) -> &str {
    headers.get("x-csrf-token").and_then(|v| v.to_str().ok()).unwrap_or_default()
}

impl Cookies {
    fn access_name(self) -> &'static str {
        if self.secure { "__Host-image_factory_access" } else { "image_factory_access" }
    }

    fn refresh_name(self) -> &'static str {
        if self.secure { "__Host-image_factory_refresh" } else { "image_factory_refresh" }
    }

    fn csrf_name(self) -> &'static str {
        if self.secure { "__Host-image_factory_csrf" } else { "image_factory_csrf" }
    }

    /// The access token that the browser sent.
    pub fn access_token(self, headers: &HeaderMap) -> Option<String> {
        value(headers, self.access_name())
    }

    /// The refresh token that the browser sent.
    pub fn refresh_token(self, headers: &HeaderMap) -> Option<String> {
        value(headers, self.refresh_name())
    }

    /// Hands a session to the browser.
    pub fn set(self, signed_in: &SignIn) -> HeaderMap {
        let days = u64::from(signed_in.refresh_days) * 24 * 3600;
        self.headers(
            (&signed_in.access_token, signed_in.expires_in_seconds.into()),
            (signed_in.refresh_token.expose_secret(), days),
            (&signed_in.csrf_token, days),
        )
    }

    /// Takes it back.
    pub fn clear(self) -> HeaderMap {
        self.headers(("", 0), ("", 0), ("", 0))
    }

    /// Values with their ages in seconds.
    fn headers(self, access: (&str, u64), refresh: (&str, u64), csrf: (&str, u64)) -> HeaderMap {
        let (secure, auth_path) = if self.secure { ("; Secure", "/") } else { ("", AUTH_PATH) };
        let cookie = |name, (value, age): (&str, u64), path, script| {
            let hidden = if script { "" } else { "; HttpOnly" };
            format!("{name}={value}; Path={path}; Max-Age={age}; SameSite=Strict{hidden}{secure}")
        };
        let cookies = [
            cookie(self.access_name(), access, "/", false),
            cookie(self.refresh_name(), refresh, auth_path, false),
            cookie(self.csrf_name(), csrf, "/", true),
        ];
        let mut headers = HeaderMap::new();
        for value in cookies.iter().filter_map(|c| HeaderValue::from_str(c).ok()) {
            headers.append(SET_COOKIE, value);
        }
        headers
    }
}

fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    let jar = CookieJar::from_headers(headers);
    jar.get(name).map(|c| c.value().to_owned()).filter(|v| !v.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_itself_sets_the_cookies_of_a_secure_server() {
        let headers = Cookies { secure: true }.clear();
        for cookie in headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.starts_with("__Host-"), "{cookie}");
            assert!(cookie.contains("; Path=/; ") && cookie.ends_with("; Secure"), "{cookie}");
            assert!(cookie.contains("SameSite=Strict"), "{cookie}");
        }
        assert_eq!(headers.get_all(SET_COOKIE).iter().count(), 3);
    }

    #[test]
    fn scripts_cannot_read_the_tokens() {
        let headers = Cookies { secure: false }.clear();
        let cookies: Vec<_> = headers.get_all(SET_COOKIE).iter().map(|c| c.to_str().unwrap()).collect();
        assert!(cookies[0].contains("_access=") && cookies[0].contains("HttpOnly"), "{}", cookies[0]);
        assert!(cookies[1].contains("HttpOnly") && cookies[1].contains("Path=/api/v1/auth;"), "{}", cookies[1]);
    }
}
