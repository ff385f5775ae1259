//! Dispatch: limits, fairness, operators' wishes.

mod limits;
