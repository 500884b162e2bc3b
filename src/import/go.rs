//! Go's expressions (RE2) as ours: what is written differently is rewritten, and every capture gets a name of its own.
//!
//! The two engines agree in nearly everything. Go's `\d`, `\w`, `\s` and `\b` are ASCII's, which [`ours`] keeps by `(?-u)`.

/// Numbers captures over a whole config, so that expressions can be joined.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids(usize);

impl Ids {
    fn next(&mut self) -> String {
        self.0 += 1;
        format!("k{}k", self.0)
    }
}

/// An expression with its captures named `k1k`, `k2k`, …
#[derive(Clone, Debug, Default)]
pub(super) struct Go {
    /// In our syntax.
    pub(super) regex: String,
    /// For each name and number that the writer can use: the name that it has here.
    pub(super) captures: Vec<(String, String)>,
}

/// Rewrites an expression.
///
/// # Errors
/// What cannot be expressed.
pub(super) fn translate(text: &str, ids: &mut Ids) -> Result<Go, String> {
    let mut run =
        Run { chars: text.chars().collect(), at: 0, out: String::new(), captures: Vec::new(), groups: 0 };
    while run.at < run.chars.len() {
        run.step(ids)?;
    }
    let go = Go { regex: run.out, captures: run.captures };
    match regex::bytes::Regex::new(&ours(&go.regex)) {
        Ok(_) => Ok(go),
        Err(error) => {
            let text = error.to_string();
            Err(text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned())
        }
    }
}

/// The expression as a rule has it: with ASCII's meaning of classes where it makes a difference.
pub(super) fn ours(regex: &str) -> String {
    let classes = ["\\d", "\\w", "\\s", "\\b", "\\D", "\\W", "\\S", "\\B"];
    let differs = classes.iter().any(|class| regex.contains(class));
    let ascii = format!("(?-u){regex}");
    match differs && regex::bytes::Regex::new(&ascii).is_ok() {
        true => ascii,
        false => regex.to_owned(),
    }
}

struct Run {
    chars: Vec<char>,
    at: usize,
    out: String,
    captures: Vec<(String, String)>,
    groups: usize,
}

impl Run {
    fn rest(&self) -> &[char] {
        &self.chars[self.at..]
    }

    fn copy(&mut self, count: usize) {
        let end = (self.at + count).min(self.chars.len());
        self.out.extend(&self.chars[self.at..end]);
        self.at = end;
    }

    fn step(&mut self, ids: &mut Ids) -> Result<(), String> {
        match self.rest() {
            ['\\', ..] => self.escape(),
            ['[', ..] => {
                self.class();
                Ok(())
            }
            ['(', ..] => {
                self.group(ids);
                Ok(())
            }
            ['{', ..] if !self.repeats() => {
                self.out.push_str("\\{");
                self.at += 1;
                Ok(())
            }
            _ => {
                self.copy(1);
                Ok(())
            }
        }
    }

    /// Whether a brace opens a repetition; elsewhere it stands for itself in Go.
    fn repeats(&self) -> bool {
        let inner: String = self.rest()[1..].iter().take_while(|c| **c != '}').collect();
        let closed = self.rest().get(inner.chars().count() + 1) == Some(&'}');
        let (from, to) = inner.split_once(',').unwrap_or((&inner, "0"));
        let number = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        closed && !from.is_empty() && number(from) && number(to)
    }

    fn escape(&mut self) -> Result<(), String> {
        match self.rest() {
            ['\\', 'Q', ..] => {
                self.at += 2;
                while !self.rest().is_empty() && !self.rest().starts_with(&['\\', 'E']) {
                    let plain = regex::escape(&self.chars[self.at].to_string());
                    self.out.push_str(&plain);
                    self.at += 1;
                }
                self.at += 2.min(self.rest().len());
                Ok(())
            }
            ['\\', 'C', ..] => Err("`\\C`, a single byte, has no equivalent".to_owned()),
            ['\\', digit, ..] if digit.is_digit(8) => {
                let digits: String = self.rest()[1..].iter().take(3).take_while(|c| c.is_digit(8)).collect();
                self.at += 1 + digits.len();
                let code = u32::from_str_radix(&digits, 8).unwrap_or_default();
                self.out.push_str(&format!("\\x{{{code:x}}}"));
                Ok(())
            }
            ['\\', c, ..] if !c.is_ascii_alphanumeric() => {
                let plain = regex::escape(&c.to_string());
                self.out.push_str(&plain);
                self.at += 2;
                Ok(())
            }
            _ => {
                self.copy(2);
                Ok(())
            }
        }
    }

    /// A class: a bracket within one, and doubled signs, are plain characters in Go.
    fn class(&mut self) {
        self.copy(1);
        if self.rest().first() == Some(&'^') {
            self.copy(1);
        }
        if self.rest().first() == Some(&']') {
            self.out.push_str("\\]");
            self.at += 1;
        }
        loop {
            match self.rest() {
                [] => return,
                [']', ..] => return self.copy(1),
                ['[', ':', ..] => {
                    let length = self.rest().iter().position(|c| *c == ']').map_or(1, |end| end + 1);
                    self.copy(length);
                }
                ['\\', ..] => self.copy(2),
                ['[' | '&' | '~', ..] => {
                    self.out.push('\\');
                    self.copy(1);
                }
                _ => self.copy(1),
            }
        }
    }

    fn group(&mut self, ids: &mut Ids) {
        let rest: String = self.rest().iter().take(120).collect();
        let name = rest.strip_prefix("(?P<").or_else(|| rest.strip_prefix("(?<"));
        if let Some(name) = name.and_then(|name| name.split_once('>')).map(|(name, _)| name.to_owned()) {
            let length = rest.find('>').map_or(1, |end| rest[..=end].chars().count());
            self.at += length;
            self.open(Some(name), ids);
        } else if rest.starts_with("(?") {
            self.copy(2);
        } else {
            self.at += 1;
            self.open(None, ids);
        }
    }

    fn open(&mut self, name: Option<String>, ids: &mut Ids) {
        self.groups += 1;
        let id = ids.next();
        self.out.push_str(&format!("(?P<{id}>"));
        self.captures.push((self.groups.to_string(), id.clone()));
        self.captures.extend(name.map(|name| (name, id)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go(text: &str) -> String {
        translate(text, &mut Ids::default()).unwrap().regex
    }

    #[test]
    fn what_go_writes_differently_is_rewritten() {
        for (text, expected) in [
            (r"a\Q.*\Eb", r"a\.\*b"),
            (r"x{abc} y{2,3}", r"x\{abc} y{2,3}"),
            (r"[[a]b", r"[\[a]b"),
            (r"[]a]", r"[\]a]"),
            (r"[^\]\/-]", r"[^\]\/-]"),
            (r"\/\_\<", r"/_<"),
            (r"\101", r"\x{41}"),
            (r"(?i)(?:a)(?P<n>b)(c)", r"(?i)(?:a)(?P<k1k>b)(?P<k2k>c)"),
            (r"[[:print:]]+\z", r"[[:print:]]+\z"),
        ] {
            assert_eq!(go(text), expected, "{text}");
        }
        let captures = translate("(a)(?P<b>c)", &mut Ids::default()).unwrap().captures;
        let names: Vec<&str> = captures.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["1", "2", "b"]);
    }

    #[test]
    fn what_has_no_equivalent_is_an_error() {
        assert!(translate(r"\C", &mut Ids::default()).is_err());
        assert!(translate("(a", &mut Ids::default()).is_err());
    }

    #[test]
    fn classes_keep_gos_meaning() {
        let digits = regex::bytes::Regex::new(&ours(r"^\d$")).unwrap();
        assert!(digits.is_match(b"7") && !digits.is_match("\u{0667}".as_bytes()));
        assert_eq!(ours("[0-9]"), "[0-9]");
        assert_eq!(ours(r"\d[é]"), r"\d[é]");
    }
}
