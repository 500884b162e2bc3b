//! The binary: nothing here but the way in and the exit code.

fn main() {}
