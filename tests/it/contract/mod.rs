//! One suite for every adapter of a port.

mod object_store;
