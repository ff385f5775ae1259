//! All SQL of this context.

pub mod items;
pub mod rules;
pub mod runs;
