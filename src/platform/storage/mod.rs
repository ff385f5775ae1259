//! Object storage: bytes by key, streamed, verified before they are visible.
