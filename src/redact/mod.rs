//! A line of a log in, a short text that may be shown out: what looks like a secret is blacked out before it is kept.
//!
//! When in doubt, out: a word too many that is missing does no harm, a secret that is shown does. What has no sign of
//! a secret, such as a password in the middle of a sentence, cannot be known; `redact` in the config is for those, and
//! `samples: off` for logs where nothing may be shown.

mod card;
mod pair;
mod random;

#[cfg(test)]
mod tests;

use regex::{Captures, Regex};
use std::borrow::Cow;

/// Bytes that a sample may have.
pub const SAMPLE_BYTES: usize = 200;
/// Bytes of a line that are looked at for a sample.
const WINDOW: usize = 2048;
/// What takes the place of a secret.
pub const MARK: &str = "[redacted]";

/// Blacks out secrets. Immutable, and shared by all inputs.
#[derive(Debug)]
pub struct Redactor {
    own: Vec<Regex>,
    ansi: Regex,
    pairs: pair::Pairs,
    schemes: Regex,
    random: Regex,
    rest: Vec<(Regex, &'static str)>,
}

/// Words after `bearer` and `basic` that are prose.
const PROSE: [&str; 17] = [
    "token",
    "tokens",
    "auth",
    "authentication",
    "authorization",
    "credentials",
    "scheme",
    "is",
    "was",
    "not",
    "of",
    "or",
    "and",
    "header",
    "required",
    "missing",
    "expired",
];

/// What is known by its looks alone, and what is written in its place. In this order. Classes are of ASCII or of what is
/// left out: those of all letters take megabytes.
const LOOKS: [(&str, &str); 5] = [
    // JSON web tokens, signed or encrypted.
    (r"(?-u:\b)eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){1,4}", MARK),
    // AWS key ids.
    (r"(?:A3T[A-Z0-9]|ABIA|ACCA|AGPA|AIDA|AIPA|AKIA|ANPA|ANVA|AROA|ASCA|ASIA)[A-Z0-9]{16}", MARK),
    // Tokens that say whose they are: GitHub, GitLab, Slack, Stripe and its like, Google, npm, PyPI.
    (
        r"(?-u)\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[a-z]-[\w-]{8,}|[sprw]k[_-](?:live|test|proj|ant)[\w-]{8,}|whsec_\w{8,}|AIza[\w-]{30,}|npm_\w{20,}|pypi-[\w-]{16,})",
        MARK,
    ),
    (
        r#"[^\s"'<>()\[\]{},;:=/|\\@&?]+(?:@|%40)[^\s"'<>()\[\]{},;:=/|\\@&?.]+(?:\.[^\s"'<>()\[\]{},;:=/|\\@&?.]+)+"#,
        "[e-mail]",
    ),
    // Hexadecimal digits, as of keys and digests.
    (r"(?-u)[0-9a-fA-F]{32,}", MARK),
];

impl Redactor {
    /// With expressions of the user's own, beside what is known here.
    ///
    /// # Errors
    /// Of each expression that is none its index and what is wrong with it. One that matches the empty text would
    /// match everywhere and is refused as well.
    pub fn new(own: &[&str]) -> Result<Redactor, Vec<(usize, String)>> {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for (at, text) in own.iter().enumerate() {
            match Regex::new(text) {
                Ok(regex) if regex.is_match("") => {
                    bad.push((at, "the expression matches the empty text".to_owned()));
                }
                Ok(regex) => good.push(regex),
                Err(error) => bad.push((at, error.to_string())),
            }
        }
        if !bad.is_empty() {
            return Err(bad);
        }
        Redactor::with(good).map_err(|error| vec![(0, error.to_string())])
    }

    fn with(own: Vec<Regex>) -> Result<Redactor, regex::Error> {
        let mut rest = Vec::new();
        for (source, mark) in LOOKS {
            rest.push((Regex::new(source)?, mark));
        }
        Ok(Redactor {
            own,
            // Colours, which may stand between a key and its value.
            ansi: Regex::new(r"\x1b\[[0-9;:?]*[A-Za-z]")?,
            pairs: pair::Pairs::new()?,
            schemes: Regex::new(
                r"(?-u:\b)(?i-u:(bearer|basic|digest|negotiate|ntlm|apikey))(\s+)([^\s,;]+)",
            )?,
            random: Regex::new(r"(?-u)[A-Za-z0-9+/_-]{32,}={0,2}")?,
            rest,
        })
    }

    /// What of a line may be shown: at most [`SAMPLE_BYTES`], on one line.
    pub fn sample(&self, line: &[u8]) -> String {
        let text = self.redact(&window(line));
        let shown: String = text.chars().map(|c| if unprintable(c) { ' ' } else { c }).collect();
        let shown = shown.trim().to_owned();
        if shown.len() <= SAMPLE_BYTES {
            return shown;
        }
        let dots = '…';
        let fits = |at: &usize| at + dots.len_utf8() <= SAMPLE_BYTES;
        let end = shown.char_indices().map(|(at, _)| at).take_while(fits).last().unwrap_or(0);
        format!("{}{dots}", &shown[..end])
    }

    /// A text without its secrets.
    pub fn redact(&self, text: &str) -> String {
        let mut text = self.ansi.replace_all(text, "").into_owned();
        for own in &self.own {
            change(&mut text, own, |_| MARK.to_owned());
        }
        text = self.pairs.redact(&text);
        change(&mut text, &self.schemes, |found| match is_prose(&found[1], &found[3]) {
            true => found[0].to_owned(),
            false => format!("{}{}{MARK}", &found[1], &found[2]),
        });
        for (looks, mark) in &self.rest {
            change(&mut text, looks, |_| (*mark).to_owned());
        }
        text = card::redact(&text);
        change(&mut text, &self.random, |found| match random::looks_random(&found[0]) {
            true => MARK.to_owned(),
            false => found[0].to_owned(),
        });
        text
    }
}

/// Whether the word after the name of a scheme goes on a sentence. The other schemes' values are base64, which hardly
/// ever is all small letters.
fn is_prose(scheme: &str, word: &str) -> bool {
    let small = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b".:-'\")".contains(&b));
    match scheme.to_lowercase().as_str() {
        "bearer" | "apikey" => {
            PROSE.contains(&word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase().as_str())
        }
        _ => word.get(1..).is_none_or(small),
    }
}

fn change(text: &mut String, what: &Regex, with: impl Fn(&Captures<'_>) -> String) {
    if let Cow::Owned(changed) = what.replace_all(text, |found: &Captures<'_>| with(found)) {
        *text = changed;
    }
}

/// The head of a line that is looked at. A word that the window cuts is left out: half a secret has lost its looks.
fn window(line: &[u8]) -> Cow<'_, str> {
    if line.len() <= WINDOW {
        return String::from_utf8_lossy(line);
    }
    let head = &line[..WINDOW];
    let end = head.iter().rposition(u8::is_ascii_whitespace).unwrap_or(0);
    String::from_utf8_lossy(&head[..end])
}

/// Controls, and marks that turn the direction of what follows.
fn unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
