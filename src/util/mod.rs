//! Small pure parts every room may use: time, text width, sanitising, masking, human units, backoff.
//!
//! Imports nothing but the standard library and the unicode tables.

pub mod backoff;
pub mod clean;
pub mod humanize;
pub mod secrets;
pub mod time;
pub mod width;
