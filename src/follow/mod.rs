//! follow
pub mod whole;
