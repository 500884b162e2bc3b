//! mtail's grammar: tokens in, statements out.

use super::lex::{Token, tokens};
use super::tree::{Declared, Expr, Kind, Part, Stmt};

/// Blocks within blocks that are read; more is no program of a person.
const DEEPEST: usize = 60;
/// Functions of the language.
const BUILTINS: [&str; 9] =
    ["timestamp", "len", "settime", "strptime", "strtol", "tolower", "getfilename", "int", "float"];
const MORE_BUILTINS: [&str; 3] = ["bool", "string", "subst"];
/// Binary operators, the loosest first.
const LADDER: [&[&str]; 6] = [
    &["&&", "||"],
    &["&", "|", "^"],
    &["<", ">", "<=", ">=", "==", "!=", "=~", "!~"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%", "**"],
];

type Result<T> = std::result::Result<T, (usize, String)>;

/// Reads a program.
///
/// # Errors
/// The line, and what was found there instead of what.
pub(super) fn program(text: &str) -> Result<Vec<Stmt>> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let list = parser.list(false)?;
    Ok(list)
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn line(&self) -> usize {
        let last = self.tokens.last().map_or(1, |(_, line)| *line);
        self.tokens.get(self.at).map_or(last, |(_, line)| *line)
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token::Sign(found)) if *found == sign)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if found == word)
    }

    /// Takes a keyword or a sign when it is the next.
    fn took(&mut self, what: &str) -> bool {
        let found = self.is(what) || self.is_word(what);
        self.at += usize::from(found);
        found
    }

    fn skip_lines(&mut self) {
        while self.peek() == Some(&Token::NewLine) {
            self.at += 1;
        }
    }

    fn fail<T>(&self, wanted: &str) -> Result<T> {
        let found = match self.peek() {
            None | Some(Token::NewLine) => "the end of the line".to_owned(),
            Some(Token::Word(word)) => format!("`{word}`"),
            Some(Token::Sign(sign)) => format!("`{sign}`"),
            Some(Token::Regex(text)) => format!("/{text}/"),
            Some(
                Token::Text(text)
                | Token::Number(text)
                | Token::Duration(text)
                | Token::Capture(text)
                | Token::Decorator(text),
            ) => format!("`{text}`"),
        };
        Err((self.line(), format!("found {found} instead of {wanted}")))
    }

    fn expect(&mut self, sign: &str) -> Result<()> {
        if self.took(sign) { Ok(()) } else { self.fail(&format!("`{sign}`")) }
    }

    fn list(&mut self, inner: bool) -> Result<Vec<Stmt>> {
        let mut list = Vec::new();
        loop {
            self.skip_lines();
            if self.peek().is_none() {
                return if inner { self.fail("`}`") } else { Ok(list) };
            }
            if self.is("}") {
                return if inner { Ok(list) } else { self.fail("a statement") };
            }
            let line = self.line();
            list.push(Stmt { line, kind: self.statement()? });
        }
    }

    fn block(&mut self) -> Result<Vec<Stmt>> {
        self.skip_lines();
        self.expect("{")?;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err((self.line(), format!("more than {DEEPEST} blocks within one another")));
        }
        let list = self.list(true)?;
        self.depth -= 1;
        self.expect("}")?;
        Ok(list)
    }

    fn statement(&mut self) -> Result<Kind> {
        match self.peek().cloned() {
            Some(Token::Decorator(name)) => {
                self.at += 1;
                return Ok(Kind::Decorate(name, self.block()?));
            }
            Some(Token::Word(word)) => match word.as_str() {
                "hidden" | "counter" | "gauge" | "timer" | "text" | "histogram" => return self.declaration(),
                "const" => {
                    self.at += 1;
                    let name = self.name()?;
                    return Ok(Kind::Const(name, self.pattern()?));
                }
                "def" => {
                    self.at += 1;
                    let name = self.name()?;
                    return Ok(Kind::Define(name, self.block()?));
                }
                "otherwise" => {
                    self.at += 1;
                    return Ok(Kind::Otherwise(self.block()?));
                }
                "next" | "stop" => {
                    self.at += 1;
                    return Ok(if word == "next" { Kind::Next } else { Kind::Stop });
                }
                "del" => {
                    self.at += 1;
                    let what = self.level(3)?;
                    let after = if self.took("after") { Some(self.duration()?) } else { None };
                    return Ok(Kind::Delete(what, after));
                }
                _ => {}
            },
            _ => {}
        }
        self.conditional()
    }

    fn conditional(&mut self) -> Result<Kind> {
        let expr = self.assignment()?;
        if !self.is("{") {
            return match self.peek() {
                None | Some(Token::NewLine | Token::Sign("}")) => Ok(Kind::Do(expr)),
                _ => self.fail("`{` or the end of the line"),
            };
        }
        let then = self.block()?;
        let before = self.at;
        self.skip_lines();
        if self.took("else") {
            return Ok(Kind::If(expr, then, Some(self.block()?)));
        }
        self.at = before;
        Ok(Kind::If(expr, then, None))
    }

    fn name(&mut self) -> Result<String> {
        match self.peek().cloned() {
            Some(Token::Word(name) | Token::Text(name)) => {
                self.at += 1;
                Ok(name)
            }
            _ => self.fail("a name"),
        }
    }

    fn duration(&mut self) -> Result<String> {
        match self.peek().cloned() {
            Some(Token::Duration(text)) => {
                self.at += 1;
                Ok(text)
            }
            _ => self.fail("a duration such as `24h`"),
        }
    }

    fn declaration(&mut self) -> Result<Kind> {
        let mut declared = Declared { hidden: self.took("hidden"), ..Declared::default() };
        declared.kind = self.name()?;
        if !["counter", "gauge", "timer", "text", "histogram"].contains(&declared.kind.as_str()) {
            self.at -= 1;
            return self.fail("counter, gauge, timer, text or histogram");
        }
        declared.name = self.name()?;
        loop {
            if self.took("by") {
                declared.keys = self.names()?;
            } else if self.took("as") {
                declared.exported = Some(self.name()?);
            } else if self.took("buckets") {
                declared.buckets = self.numbers()?;
            } else if self.took("limit") {
                declared.limit = true;
                self.at += 1;
            } else {
                return Ok(Kind::Declare(declared));
            }
        }
    }

    fn names(&mut self) -> Result<Vec<String>> {
        let mut names = vec![self.name()?];
        while self.took(",") {
            self.skip_lines();
            names.push(self.name()?);
        }
        Ok(names)
    }

    fn numbers(&mut self) -> Result<Vec<String>> {
        let mut numbers = Vec::new();
        loop {
            self.skip_lines();
            let sign = if self.took("-") { "-" } else { "" };
            match self.peek().cloned() {
                Some(Token::Number(text)) => numbers.push(format!("{sign}{text}")),
                _ => return self.fail("a number"),
            }
            self.at += 1;
            if !self.took(",") {
                return Ok(numbers);
            }
        }
    }

    fn pattern(&mut self) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        loop {
            match self.peek().cloned() {
                Some(Token::Regex(text)) => parts.push(Part::Text(text)),
                Some(Token::Word(name)) if !parts.is_empty() => parts.push(Part::Const(name)),
                _ => return self.fail("an expression between slashes"),
            }
            self.at += 1;
            if !self.took("+") {
                return Ok(parts);
            }
            self.skip_lines();
        }
    }

    fn assignment(&mut self) -> Result<Expr> {
        let left = self.level(0)?;
        for sign in ["=", "+="] {
            if self.took(sign) {
                self.skip_lines();
                return Ok(Expr::Binary(sign, left.into(), self.level(0)?.into()));
            }
        }
        Ok(left)
    }

    fn level(&mut self, rung: usize) -> Result<Expr> {
        let Some(signs) = LADDER.get(rung) else { return self.unary() };
        let mut left = self.level(rung + 1)?;
        while let Some(sign) = signs.iter().find(|sign| self.is(sign)) {
            self.at += 1;
            self.skip_lines();
            left = Expr::Binary(sign, left.into(), self.level(rung + 1)?.into());
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err((self.line(), format!("more than {DEEPEST} brackets within one another")));
        }
        let found = self.unary_within();
        self.depth -= 1;
        found
    }

    fn unary_within(&mut self) -> Result<Expr> {
        if self.took("!") || self.took("~") {
            return Ok(Expr::Not(self.unary()?.into()));
        }
        if self.took("-") {
            let zero = Expr::Number("0".to_owned());
            return Ok(match self.unary()? {
                Expr::Number(text) => Expr::Number(format!("-{text}")),
                other => Expr::Binary("-", zero.into(), other.into()),
            });
        }
        let mut expr = self.primary()?;
        for sign in ["++", "--"] {
            while self.took(sign) {
                expr = Expr::Step(sign, expr.into());
            }
        }
        Ok(expr)
    }

    fn primary(&mut self) -> Result<Expr> {
        let token = self.peek().cloned();
        match token {
            Some(Token::Regex(_)) => Ok(Expr::Pattern(self.pattern()?)),
            Some(Token::Sign("(")) => {
                self.at += 1;
                self.skip_lines();
                let inner = self.assignment()?;
                self.skip_lines();
                self.expect(")")?;
                Ok(inner)
            }
            Some(Token::Capture(name)) => {
                self.at += 1;
                Ok(Expr::Capture(name))
            }
            Some(Token::Text(text)) => {
                self.at += 1;
                Ok(Expr::Text(text))
            }
            Some(Token::Number(text)) => {
                self.at += 1;
                Ok(Expr::Number(text))
            }
            Some(Token::Word(name)) => self.named(name),
            _ => self.fail("a value"),
        }
    }

    fn named(&mut self, name: String) -> Result<Expr> {
        self.at += 1;
        let known = BUILTINS.iter().chain(&MORE_BUILTINS).any(|builtin| *builtin == name);
        if known && self.took("(") {
            let arguments = if self.is(")") { Vec::new() } else { self.arguments(")")? };
            self.expect(")")?;
            return Ok(Expr::Call(name, arguments));
        }
        let mut keys = Vec::new();
        while self.took("[") {
            keys.extend(self.arguments("]")?);
            self.expect("]")?;
        }
        Ok(Expr::Name(name, keys))
    }

    fn arguments(&mut self, end: &str) -> Result<Vec<Expr>> {
        let mut list = Vec::new();
        loop {
            self.skip_lines();
            list.push(self.level(0)?);
            self.skip_lines();
            if !self.took(",") {
                return if self.is(end) { Ok(list) } else { self.fail(&format!("`{end}`")) };
            }
        }
    }
}
