//! From tables to rows in order: filter, sort, names, sums.

pub mod clock;
pub mod filter;
pub mod naming;
pub mod rows;
pub mod totals;
