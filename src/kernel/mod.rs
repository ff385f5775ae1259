//! Words that every context shares. Pure: no I/O, no SQL, no HTTP.

pub mod actor;
pub mod clock;
pub mod digest;
pub mod error;
pub mod ids;
pub mod page;
pub mod secret;
mod text_enum;

pub use actor::Actor;
pub use clock::Clock;
pub use digest::Digest;
pub use error::{Error, Fault, Kind, Result, found};
pub use page::{Page, PageRequest};
pub(crate) use text_enum::{text_enum, text_enum_schema, text_schema};
