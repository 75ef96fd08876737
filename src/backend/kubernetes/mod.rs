//! The kubernetes backend.
