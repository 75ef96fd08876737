//! The docker backend.
