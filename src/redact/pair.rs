//! Secrets known by the name before them (`password=…`, `"api_key": "…"`, `--token …`, `<secret>…</secret>`), users and
//! passwords in URLs, and private keys.

use super::MARK;
use regex::Regex;

/// The expressions behind it.
#[derive(Debug)]
pub(super) struct Pairs {
    private_key: Regex,
    user_info: Regex,
    pair: Regex,
    opening: Regex,
    next_field: Regex,
}

/// A name with one of these in it, its separators left out, names a secret.
const PARTS: [&str; 22] = [
    "password",
    "passwd",
    "passwort",
    "passphrase",
    "passcode",
    "passkey",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "authkey",
    "sessionkey",
    "signingkey",
    "encryptionkey",
    "accountkey",
    "sharedkey",
    "masterkey",
    "credential",
    "sessionid",
    "cookie",
    "authorization",
];
/// A name with one of these as a word of it likewise.
const WORDS: [&str; 12] =
    ["pass", "pwd", "pw", "psw", "auth", "sid", "pin", "otp", "cvv", "cvc", "sig", "signature"];
/// Names whose value is the rest of the line.
const WHOLE: [&str; 2] = ["authorization", "cookie"];

/// How a sentence about a password goes on that does not tell it.
const PROSE: [&str; 15] = [
    "not ",
    "required",
    "incorrect",
    "invalid",
    "expired",
    "wrong",
    "missing",
    "empty",
    "too ",
    "weak",
    "rejected",
    "changed",
    "reset",
    "accepted",
    "being ",
];

impl Pairs {
    pub(super) fn new() -> Result<Pairs, regex::Error> {
        Ok(Pairs {
            private_key: Regex::new(
                r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY.*?(?:-----END [A-Z0-9 ]*-----|$)",
            )?,
            // A password may hold any character, also an unescaped `/` or `@`.
            user_info: Regex::new(r#"://(?:[^\s/?\#"'<>@:]*:[^\s"'<>]*|[^\s/?\#"'<>@]*)@"#)?,
            // A name, and what stands between it and its value. The name's quotes may be escaped, several times.
            pair: Regex::new(concat!(
                r#"(?-u:(?i)(--?|<(?:\w+:)?)?([\w.\-]*(?:api|access|private|secret|signing|encryption|auth) key"#,
                r#"|\w[\w.\-]*))"#,
                r#"(?:\\*["'`]?\]?\s*(=>|:=|==?|:|%3[adAD])\s*|((?:\s[^<>]*)?>)|(\s+(?:is|was)\s+)|(\s+))"#
            ))?,
            // What may stand before a value's quote: `b"…"`, `Some("…")`.
            opening: Regex::new(r#"^(?:[A-Za-z]{1,12}\(|&)?[bruBRU]{0,2}(\\*)(["'`])"#)?,
            next_field: Regex::new(r"(?-u)&(?:amp;)?[A-Za-z_][\w.\-\[\]]*=")?,
        })
    }

    pub(super) fn redact(&self, text: &str) -> String {
        let text = self.private_key.replace_all(text, "[private key]");
        let text = self.user_info.replace_all(&text, format!("://{MARK}@"));
        self.values(&text)
    }

    fn values(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(found) = self.pair.captures_at(text, at) {
            let (Some(whole), Some(name)) = (found.get(0), found.get(2)) else { break };
            let before = found.get(1).map_or("", |before| before.as_str());
            let value = &text[whole.end()..];
            let joined = match (found.get(3), found.get(4), found.get(5)) {
                (Some(_), ..) => true,
                (_, Some(_), _) => before.starts_with('<'),
                (_, _, Some(_)) => !PROSE.iter().any(|word| value.starts_with(word)),
                _ => before.starts_with('-'),
            };
            if !joined || !names_secret(name.as_str()) {
                // What follows the name may be a name itself.
                out.push_str(&text[at..name.end()]);
                at = name.end();
                continue;
            }
            let rest_of_line = WHOLE.iter().any(|end| plain(name.as_str()).ends_with(end));
            let length = self.length(value, found.get(4).is_some(), rest_of_line);
            out.push_str(&text[at..whole.end()]);
            if length > 0 {
                out.push_str(MARK);
            }
            at = whole.end() + length;
        }
        out.push_str(&text[at..]);
        out
    }

    /// How many bytes at the start of a text are a value.
    fn length(&self, text: &str, element: bool, rest_of_line: bool) -> usize {
        if element {
            return text.find('<').unwrap_or(text.len());
        }
        if let Some(found) = self.opening.captures(text) {
            return glued(text, quoted(text, found[0].len(), found[1].len(), &found[2]));
        }
        if let Some((open, close)) =
            [('[', ']'), ('{', '}')].into_iter().find(|(open, _)| text.starts_with(*open))
        {
            return glued(text, bracketed(text, open, close));
        }
        if rest_of_line {
            // The value itself stands in no quotes, but the header may.
            return text.find(['"', '\'', '\n', '\r']).unwrap_or(text.len());
        }
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        self.next_field.find(&text[..end]).map_or(end, |next| next.start())
    }
}

/// Where a text in quotes ends that begins at `from`; its quotes have `escapes` backslashes before them.
fn quoted(text: &str, from: usize, escapes: usize, quote: &str) -> usize {
    let mut at = from;
    while let Some(next) = text[at..].find(quote) {
        let end = at + next;
        let run = text[from..end].bytes().rev().take_while(|b| *b == b'\\').count();
        // At each level of escaping, backslashes of the text itself double.
        if run >= escapes && (run - escapes).is_multiple_of(2 * (escapes + 1)) {
            return end + quote.len();
        }
        at = end + quote.len();
    }
    text.len()
}

/// What stands right after quotes or brackets belongs to the value as well.
fn glued(text: &str, end: usize) -> usize {
    let is_end = |c: char| c.is_whitespace() || ",;&}])\"'`<\\".contains(c);
    text[end..].find(is_end).map_or(text.len(), |more| end + more)
}

fn bracketed(text: &str, open: char, close: char) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        depth += i32::from(c == open) - i32::from(c == close);
        if depth == 0 {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// A name in lower case without separators.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn names_secret(name: &str) -> bool {
    let all = plain(name);
    if PARTS.iter().any(|part| all.contains(part)) {
        return true;
    }
    // Words end at separators and before capitals.
    let mut words = vec![String::new()];
    let mut lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (lower && c.is_uppercase()) {
            words.push(String::new());
        }
        lower = c.is_lowercase() || c.is_numeric();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.iter().any(|word| WORDS.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit())))
}
