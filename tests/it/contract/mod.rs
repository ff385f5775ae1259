//! One suite per port, for everything that stands behind it.

mod executor;
mod object_store;
