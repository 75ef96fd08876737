//! From tables to rows in order: filter, sort, names.

pub mod clock;
pub mod filter;
pub mod naming;
pub mod rows;
