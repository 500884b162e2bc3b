//! The only place that writes to standard output and standard error.

use std::io::Write;

/// Writes text to standard output; a closed pipe is no error of ours.
pub(super) fn out(text: &str) {
    bytes(text.as_bytes());
}

/// Writes bytes to standard output.
pub(super) fn bytes(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// Writes a line to standard error.
pub(super) fn error(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
