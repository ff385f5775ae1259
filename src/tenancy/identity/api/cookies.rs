//! The refresh token of browsers: an HttpOnly cookie, beside it a readable one with the CSRF token.
//!
//! Over HTTPS both bear `__Host-`, so no other host can set them (RFC 6265bis section 4.1.3.2), which rules out a path.
//! Over plain HTTP, which only development uses, the refresh cookie is limited to the paths that take it.

use super::super::service::SignIn;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
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
    pub fn refresh_token(self, jar: &CookieJar) -> Option<String> {
        jar.get(self.refresh_name()).map(|c| c.value().to_owned()).filter(|v| !v.is_empty())
    }

    /// Hands a session to the browser.
    pub fn set(self, jar: CookieJar, signed_in: &SignIn) -> CookieJar {
        let days = i64::from(signed_in.refresh_days);
        jar.add(self.refresh(signed_in.refresh_token.expose_secret().to_owned(), days))
            .add(self.csrf(signed_in.csrf_token.clone(), days))
    }

    /// Takes it back.
    pub fn clear(self, jar: CookieJar) -> CookieJar {
        jar.add(self.refresh(String::new(), 0)).add(self.csrf(String::new(), 0))
    }

    fn refresh(self, value: String, days: i64) -> Cookie<'static> {
        let path = if self.secure { "/" } else { AUTH_PATH };
        self.cookie(self.refresh_name(), value, path, days).http_only(true).build()
    }

    fn csrf(self, value: String, days: i64) -> Cookie<'static> {
        self.cookie(self.csrf_name(), value, "/", days).build()
    }

    fn cookie(
        self,
        name: &'static str,
        value: String,
        path: &'static str,
        days: i64,
    ) -> axum_extra::extract::cookie::CookieBuilder<'static> {
        let seconds = days * 24 * 3600;
        Cookie::build((name, value))
            .path(path)
            .secure(self.secure)
            .same_site(SameSite::Strict)
            .max_age(axum_extra::extract::cookie::time::Duration::seconds(seconds))
    }
}
