//! Sets of bytes as tables, for the loops that run over every line.

/// A set of bytes, one look-up a byte.
pub(super) struct Bytes([bool; 256]);

impl Bytes {
    /// ASCII letters, digits and `more`; with `high`, all bytes of non-ASCII characters too.
    pub(super) const fn words_and(more: &[u8], high: bool) -> Bytes {
        let mut table = [false; 256];
        let mut i = 0;
        while i < 256 {
            let byte = i as u8;
            table[i] = byte.is_ascii_alphanumeric() || high && byte >= 0x80;
            i += 1;
        }
        Bytes::with(table, more)
    }

    /// These bytes and no others.
    pub(super) const fn of(bytes: &[u8]) -> Bytes {
        Bytes::with([false; 256], bytes)
    }

    const fn with(mut table: [bool; 256], more: &[u8]) -> Bytes {
        let mut i = 0;
        while i < more.len() {
            table[more[i] as usize] = true;
            i += 1;
        }
        Bytes(table)
    }

    /// Whether `byte` is in the set.
    pub(super) const fn has(&self, byte: u8) -> bool {
        self.0[byte as usize]
    }
}
