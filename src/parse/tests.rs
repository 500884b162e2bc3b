//! The whole room against samples, random bytes and random cuts.
