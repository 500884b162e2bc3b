//! The binary: nothing here but the way in and the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    logtally::cli::main().into()
}
