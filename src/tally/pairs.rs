//! Label pairs as the text formats write them, rendered once.

use super::exposition::push_pair;
use std::borrow::Cow;
use std::sync::Arc;

/// The labels of a series after its stream's own: `a="b",c="d"`, values escaped.
///
/// Escaping takes no two values to one text, so that equal texts are equal pairs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pairs(Arc<str>);

impl Pairs {
    /// Without their keeper.
    pub fn rendered(&self) -> Rendered<'_> {
        Rendered(&self.0)
    }
}

/// [`Pairs`] that someone else keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rendered<'a>(&'a str);

impl<'a> Rendered<'a> {
    /// Of what [`Rendered::text`] gave.
    pub(super) fn of(text: &'a str) -> Rendered<'a> {
        Rendered(text)
    }

    /// As the text formats write them, without braces; empty where there are none.
    pub fn text(self) -> &'a str {
        self.0
    }

    /// A copy that lives by itself.
    pub fn keep(self) -> Pairs {
        Pairs(self.0.into())
    }

    /// Names and values, unescaped.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let (name, value, end) = self.pair(at)?;
            at = end;
            Some((name, value))
        })
    }

    /// The pair after one that ends at `at`, or the first for 0: name, value, and where it ends in the text.
    pub fn pair(self, at: usize) -> Option<(&'a str, Cow<'a, str>, usize)> {
        let rest = self.0.get(at..)?;
        let rest = rest.strip_prefix(',').unwrap_or(rest);
        let equals = memchr::memchr(b'=', rest.as_bytes())?;
        // Behind the quote that opens it.
        let (value, after) = unescape(rest.get(equals + 2..)?);
        Some((&rest[..equals], value, self.0.len() - after.len()))
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Pairs {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(pairs: T) -> Pairs {
        let mut text = String::with_capacity(96);
        pairs.into_iter().for_each(|(name, value)| push_pair(&mut text, name.as_ref(), value.as_ref()));
        Pairs(text.into())
    }
}

/// A value up to its closing quote, and what comes after that.
fn unescape(text: &str) -> (Cow<'_, str>, &str) {
    let special = memchr::memchr2(b'"', b'\\', text.as_bytes()).unwrap_or(text.len());
    // Nearly always nothing is escaped.
    if let Some(after) = text[special..].strip_prefix('"') {
        return (Cow::Borrowed(&text[..special]), after);
    }
    let mut value = Cow::Borrowed("");
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest.as_bytes()) {
        let (plain, special) = rest.split_at(at);
        value += plain;
        let mut special = special.chars();
        if special.next() == Some('"') {
            return (value, special.as_str());
        }
        match special.next() {
            Some('n') => value += "\n",
            Some('"') => value += "\"",
            _ => value += "\\",
        }
        rest = special.as_str();
    }
    // Not reached with what was escaped here.
    (value + rest, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn they_are_written_as_the_text_formats_want_them() {
        let pairs: Pairs = [("a", "b\\c"), ("d", ""), ("e", "f\"\ng")].into_iter().collect();
        assert_eq!(pairs.rendered().text(), r#"a="b\\c",d="",e="f\"\ng""#);
        assert_eq!(std::iter::empty::<(&str, &str)>().collect::<Pairs>().rendered().text(), "");
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(pairs in prop::collection::vec(("[a-z_]{1,4}", "[a-c\"\\\\\n,=é ]{0,8}"), 0..4)) {
            let kept: Pairs = pairs.iter().map(|(name, value)| (name, value)).collect();
            let out: Vec<_> = kept.rendered().iter().map(|(name, value)| (name.to_owned(), value.into_owned())).collect();
            prop_assert_eq!(out, pairs);
        }
    }
}
