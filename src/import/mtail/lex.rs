//! mtail's words: the text of a program in, tokens with their lines out.
//!
//! A `/` begins an expression or divides; as in other languages of this kind, the token before it decides.

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or a keyword.
    Word(String),
    /// `@name`.
    Decorator(String),
    /// `$1` or `$name`.
    Capture(String),
    /// A text in quotes.
    Text(String),
    /// An expression between slashes.
    Regex(String),
    /// A number as written, without a duration's unit.
    Number(String),
    /// `168h`.
    Duration(String),
    /// An operator or bracket.
    Sign(&'static str),
    /// The end of a line, which ends a statement.
    NewLine,
}

/// Operators, longer ones first.
const SIGNS: [&str; 36] = [
    "**", "<<", ">>", "<=", ">=", "==", "!=", "=~", "!~", "&&", "||", "++", "--", "+=", "{", "}", "(", ")",
    "[", "]", ",", "+", "-", "*", "/", "%", "<", ">", "=", "!", "&", "|", "^", "~", ":", ";",
];

/// Cuts a program into tokens, each with its line from 1.
///
/// # Errors
/// The line, and what stands there.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, (usize, String)> {
    let mut lexer = Lexer { rest: text, line: 1, out: Vec::new() };
    while lexer.step()? {}
    let line = lexer.line;
    lexer.out.push((Token::NewLine, line));
    Ok(lexer.out)
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    out: Vec<(Token, usize)>,
}

impl<'a> Lexer<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn while_(&mut self, good: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !good(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    fn push(&mut self, token: Token) {
        self.out.push((token, self.line));
    }

    fn step(&mut self) -> Result<bool, (usize, String)> {
        let Some(first) = self.rest.chars().next() else { return Ok(false) };
        let name = |c: char| c.is_alphanumeric() || c == '_';
        match first {
            '\n' => {
                self.push(Token::NewLine);
                self.line += 1;
                self.take(1);
            }
            ' ' | '\t' | '\r' => drop(self.while_(|c| matches!(c, ' ' | '\t' | '\r'))),
            '#' => drop(self.while_(|c| c != '\n')),
            '"' => self.quoted()?,
            '/' if self.begins_regex() => self.regex()?,
            '@' | '$' => {
                self.take(1);
                let word = self.while_(name).to_owned();
                if word.is_empty() {
                    return Err((self.line, format!("a `{first}` without a name")));
                }
                self.push(if first == '@' { Token::Decorator(word) } else { Token::Capture(word) });
            }
            c if c.is_ascii_digit() => self.number(),
            c if c.is_alphabetic() || c == '_' => {
                // A dash belongs to a name; mtail reads `line-count` as one.
                let word = self.while_(|c| name(c) || c == '.').to_owned();
                self.push(Token::Word(word));
            }
            _ => match SIGNS.iter().find(|sign| self.rest.starts_with(**sign)) {
                Some(sign) => {
                    self.take(sign.len());
                    self.push(Token::Sign(sign));
                }
                None => return Err((self.line, format!("`{first}` has no meaning in an mtail program"))),
            },
        }
        Ok(true)
    }

    /// After a value a slash divides, elsewhere it opens an expression; after `const NAME` it opens one too.
    fn begins_regex(&self) -> bool {
        match self.out.as_slice() {
            [.., (Token::Word(word), _), (Token::Word(_), _)] if word == "const" => true,
            [.., (Token::Word(word), _)] => word == "otherwise" || word == "else",
            [.., (Token::Capture(_) | Token::Text(_) | Token::Number(_), _)] => false,
            [.., (Token::Sign(sign), _)] => !matches!(*sign, ")" | "]" | "++" | "--"),
            _ => true,
        }
    }

    fn regex(&mut self) -> Result<(), (usize, String)> {
        let missing = (self.line, "an expression without its closing `/`".to_owned());
        let text = self.enclosed('/').ok_or(missing)?;
        self.push(Token::Regex(text));
        Ok(())
    }

    fn quoted(&mut self) -> Result<(), (usize, String)> {
        let missing = (self.line, "a text without its closing quote".to_owned());
        let text = self.enclosed('"').ok_or(missing)?;
        self.push(Token::Text(text));
        Ok(())
    }

    /// What stands between two delimiters on one line. A backslash takes the next character along, and goes where that
    /// is the delimiter. `None`: the second one is missing.
    fn enclosed(&mut self, delimiter: char) -> Option<String> {
        self.take(1);
        let mut text = String::new();
        loop {
            let mut chars = self.rest.chars();
            match (chars.next()?, chars.next()) {
                ('\n', _) => return None,
                (c, _) if c == delimiter => break,
                ('\\', Some(next)) if next == delimiter => {
                    text.push(delimiter);
                    self.take(2);
                }
                ('\\', Some(next)) if next != '\n' => text.push_str(self.take(1 + next.len_utf8())),
                (c, _) => text.push_str(self.take(c.len_utf8())),
            }
        }
        self.take(1);
        Some(text)
    }

    fn number(&mut self) {
        let digits = |lexer: &mut Self| lexer.while_(|c| c.is_ascii_digit()).to_owned();
        let mut text = digits(self);
        let second = |rest: &str| rest.chars().nth(1);
        if self.rest.starts_with('.') && second(self.rest).is_some_and(|c| c.is_ascii_digit()) {
            text.push_str(self.take(1));
            text.push_str(&digits(self));
        }
        let exponent = self.rest.trim_start_matches(['e', 'E']).trim_start_matches(['+', '-']);
        if self.rest.starts_with(['e', 'E']) && exponent.starts_with(|c: char| c.is_ascii_digit()) {
            let sign = self.rest.len() - exponent.len();
            text.push_str(self.take(sign));
            text.push_str(&digits(self));
        }
        match self.rest.chars().next() {
            Some(c) if c.is_ascii_alphabetic() => {
                text.push_str(self.while_(|c| c.is_ascii_alphanumeric() || c == '.'));
                self.push(Token::Duration(text));
            }
            _ => self.push(Token::Number(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let shown = |(token, line): (Token, usize)| format!("{line}:{token:?}");
        tokens(text).unwrap().into_iter().map(shown).collect()
    }

    #[test]
    fn a_slash_opens_an_expression_or_divides() {
        assert!(shown(r"x = $a / 1000.0").contains(&r#"1:Sign("/")"#.to_owned()));
        assert!(shown(r"const A /b\/c/ + /d/").contains(&r#"1:Regex("b/c")"#.to_owned()));
        assert!(shown("// + A {").contains(&r#"1:Regex("")"#.to_owned()));
        assert_eq!(shown("/a/ && /b/ {\n").iter().filter(|token| token.contains("Regex")).count(), 2);
    }

    #[test]
    fn numbers_durations_and_texts() {
        assert_eq!(
            shown(r#"1e3 0.5 168h "a\"b\d" $x @d # c"#),
            [
                r#"1:Number("1e3")"#,
                r#"1:Number("0.5")"#,
                r#"1:Duration("168h")"#,
                r#"1:Text("a\"b\\d")"#,
                r#"1:Capture("x")"#,
                r#"1:Decorator("d")"#,
                "1:NewLine"
            ]
        );
    }

    #[test]
    fn a_backslash_may_stand_before_the_end() {
        assert_eq!(shown(r#""a\\" 1"#)[..2], [r#"1:Text("a\\\\")"#, r#"1:Number("1")"#]);
        assert!(shown(r"/a\\/ {").contains(&r#"1:Regex("a\\\\")"#.to_owned()));
    }

    #[test]
    fn what_is_no_program_is_refused_with_its_line() {
        assert_eq!(tokens("a\n/b\n").unwrap_err().0, 2);
        assert_eq!(tokens("a\n\n\"b\n").unwrap_err().0, 3);
        assert_eq!(tokens("\u{1}").unwrap_err().0, 1);
        assert!(tokens("$ ").is_err());
    }
}
