//! A word of a header, measured in one pass.

/// What stands up to a blank, a bar, an opening bracket or a comma.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) length: usize,
    /// Letters that it begins with.
    pub(super) letters: usize,
    /// It is a number, or numbers with signs between, with the microseconds that OpenVPN writes as `us=1`.
    pub(super) number: bool,
}

impl Token {
    /// The word that `text` begins with.
    #[inline]
    pub(super) fn at(text: &[u8]) -> Token {
        const STOP: u8 = 1;
        const NO_LETTER: u8 = 2;
        const NO_NUMBER: u8 = 4;
        static KINDS: [u8; 256] = {
            let mut kinds = [0; 256];
            let mut i = 0;
            while i < 256 {
                let byte = i as u8;
                let stop = matches!(byte, b' ' | b'\t' | b'|' | b'[' | b'(' | b',');
                let number = byte.is_ascii_digit() || matches!(byte, b'-' | b'#' | b'.' | b':');
                kinds[i] = if stop { STOP } else { 0 }
                    | if byte.is_ascii_alphabetic() { 0 } else { NO_LETTER }
                    | if number { 0 } else { NO_NUMBER };
                i += 1;
            }
            kinds
        };
        let kind = |byte: &u8| KINDS[usize::from(*byte)];
        let letters = text.iter().take_while(|byte| kind(byte) & NO_LETTER == 0).count();
        let (mut length, mut seen) = (letters, if letters > 0 { NO_NUMBER } else { 0 });
        for byte in &text[letters..] {
            if kind(byte) & STOP != 0 {
                break;
            }
            seen |= kind(byte);
            length += 1;
        }
        let microseconds = letters == 2 && text.starts_with(b"us=") && {
            text[3..length].iter().all(|byte| kind(byte) & NO_NUMBER == 0)
        };
        Token { length, letters, number: seen & NO_NUMBER == 0 || microseconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_what_several_passes_say(text in "(us=)?[a-zA-Z0-9.:#=-]{0,6}[a-z0-9 |(,é-]{0,6}") {
            let text = text.as_bytes();
            let length = text.iter().take_while(|b| !b" \t|[(,".contains(b)).count();
            let letters = text.iter().take_while(|b| b.is_ascii_alphabetic()).count();
            let number = text[..length].strip_prefix(b"us=").unwrap_or(&text[..length]);
            let number = number.iter().all(|b| b.is_ascii_digit() || b"-#.:".contains(b));
            prop_assert_eq!(Token::at(text), Token { length, letters, number });
        }
    }
}
