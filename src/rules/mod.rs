//! rules
pub mod yaml;
