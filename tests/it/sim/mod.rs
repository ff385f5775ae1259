//! Stand-ins for the outside world where the real one would only cost time.

pub mod executor;
pub mod faulty_store;
pub mod robots;
pub mod upstream;
