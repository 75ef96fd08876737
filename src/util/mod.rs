//! Small pure parts every room may use: time, text width, sanitising, human units, backoff.
//!
//! Imports nothing but the standard library and the unicode tables.

pub mod backoff;
pub mod clean;
pub mod humanize;
pub mod time;
pub mod width;
