//! The refresh token of browsers: an HttpOnly cookie, beside it a readable one with the CSRF token.
//!
//! Over HTTPS both bear `__Host-`, so no other host can set them (RFC 6265bis section 4.1.3.2), which rules out a path.
//! Over plain HTTP, which only development uses, the refresh cookie is limited to the paths that take it.

use super::super::service::SignIn;
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

impl Cookies {
    fn refresh_name(self) -> &'static str {
        if self.secure { "__Host-image_factory_refresh" } else { "image_factory_refresh" }
    }

    fn csrf_name(self) -> &'static str {
        if self.secure { "__Host-image_factory_csrf" } else { "image_factory_csrf" }
    }

    /// The refresh token that the browser sent.
    pub fn refresh_token(self, headers: &HeaderMap) -> Option<String> {
        let jar = CookieJar::from_headers(headers);
        jar.get(self.refresh_name()).map(|c| c.value().to_owned()).filter(|v| !v.is_empty())
    }

    /// Hands a session to the browser.
    pub fn set(self, signed_in: &SignIn) -> HeaderMap {
        self.headers(signed_in.refresh_token.expose_secret(), &signed_in.csrf_token, signed_in.refresh_days)
    }

    /// Takes it back.
    pub fn clear(self) -> HeaderMap {
        self.headers("", "", 0)
    }

    fn headers(self, refresh: &str, csrf: &str, days: u32) -> HeaderMap {
        let (secure, path) = if self.secure { ("; Secure", "/") } else { ("", AUTH_PATH) };
        let age = u64::from(days) * 24 * 3600;
        let cookies = [
            format!("{}={refresh}; Path={path}; Max-Age={age}; SameSite=Strict; HttpOnly{secure}", self.refresh_name()),
            format!("{}={csrf}; Path=/; Max-Age={age}; SameSite=Strict{secure}", self.csrf_name()),
        ];
        let mut headers = HeaderMap::new();
        for value in cookies.iter().filter_map(|c| HeaderValue::from_str(c).ok()) {
            headers.append(SET_COOKIE, value);
        }
        headers
    }
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
        assert_eq!(headers.get_all(SET_COOKIE).iter().count(), 2);
    }

    #[test]
    fn scripts_cannot_read_the_refresh_token() {
        let headers = Cookies { secure: false }.clear();
        let refresh = headers.get_all(SET_COOKIE).iter().next().unwrap().to_str().unwrap();
        assert!(refresh.contains("HttpOnly") && refresh.contains("Path=/api/v1/auth;"), "{refresh}");
    }
}
