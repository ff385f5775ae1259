//! People and how they prove who they are: users, passwords, sessions, access and refresh tokens, API keys.
//!
//! Owns `users`, `sessions`, `refresh_tokens`, `login_throttles` and `api_keys`. Publishes `user.created`,
//! `user.updated`, `api_key.created`, `api_key.revoked`.
//!
//! What authentication found out about a credential is kept in this process for at most five seconds
//! ([`Principals`]): a revocation takes effect at once where it is made and within five seconds everywhere else.

mod api;
mod config;
mod events;
mod model;
mod passwords;
mod principals;
mod service;
mod store;
mod tasks;
mod throttle;
mod tokens;
mod users;

pub use api::{Gate, middleware, routes};
pub use config::Config;
pub use model::{
    ApiKey, ApiKeyCreated, MAX_PASSWORD, MIN_PASSWORD, NewApiKey, NewUser, User, UserChange, UserCreated, UserStatus,
};
pub use principals::Principals;
pub use service::{Credentials, Identity, SignIn};
pub use tasks::register;
pub use users::{PreparedUser, Users};
