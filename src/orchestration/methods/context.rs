//! Unpacking an uploaded build context.
