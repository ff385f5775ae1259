//! HTTP of identity.

mod api_keys;
mod auth;
mod cookies;
mod gate;
mod me;
mod users;

pub use gate::{Gate, middleware};

use super::service::Identity;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this context.
pub fn routes(service: Identity) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(auth::login))
        .routes(routes!(auth::refresh_session))
        .routes(routes!(auth::logout))
        .routes(routes!(me::get_me))
        .routes(routes!(me::change_password))
        .routes(routes!(me::end_my_sessions))
        .routes(routes!(users::list_users, users::create_user))
        .routes(routes!(users::get_user, users::update_user))
        .routes(routes!(users::reset_password))
        .routes(routes!(users::end_user_sessions))
        .routes(routes!(api_keys::list_api_keys, api_keys::create_api_key))
        .routes(routes!(api_keys::get_api_key, api_keys::revoke_api_key))
        .with_state(service)
}
