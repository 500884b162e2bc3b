//! Levels from words in the message, for inputs that ask for it.

use crate::level::Level;
use crate::parse::word;

/// The gravest level that a whole word of the first kilobyte names.
pub(super) fn level(message: &[u8]) -> Option<Level> {
    let head = message.get(..message.len().min(1024))?;
    head.split(|b| !b.is_ascii_alphanumeric() && *b != b'_')
        .filter(|w| !matches!(w.to_ascii_lowercase().as_slice(), b"config" | b"fine" | b"note" | b"success"))
        .filter_map(word::level)
        .max()
}
