//! A word of a header, measured in one pass.

use crate::parse::bytes::Bytes;
use crate::parse::token::Kinds;

const NUMBER: Bytes = Bytes::of(b"0123456789-#.:");
static KINDS: Kinds = Kinds::new(b" \t|[(,", [&NUMBER, &NUMBER]);

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
        let letters = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let rest = KINDS.token(&text[letters..]);
        let length = letters + rest.length;
        let microseconds = letters == 2 && text.starts_with(b"us=") && {
            text[3..length].iter().all(|byte| NUMBER.has(*byte))
        };
        Token { length, letters, number: letters == 0 && rest.is_all(0) || microseconds }
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
