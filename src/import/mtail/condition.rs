//! Conditions: the ways on where one holds, and the ways on where it does not.
//!
//! A comparison of a capture is folded into the expression that captures it, `$status == "500"` into `…(?P<status>500)…`,
//! and [`Way::fold`] proves that no line can be read in another way.

use super::super::captures::{content, is_anything};
use super::super::go::{Go, Ids, translate};
use super::super::numbers::{at_least, exactly};
use super::super::proof::{Verdict, covers};
use super::super::way::{Folded, Way, holds_always};
use super::tree::{Expr, Part};
use std::collections::HashMap;

/// Ways that one condition may open.
const MOST_WAYS: usize = 32;

/// The ways on. The ways of each list exclude one another, so that nothing counts twice.
#[derive(Debug, Default)]
pub(super) struct Ways {
    pub(super) yes: Vec<Way>,
    pub(super) no: Vec<Way>,
    /// What is not exact.
    pub(super) doubts: Vec<String>,
}

/// Why a condition has no equivalent: what, and what to do.
pub(super) type Refused = (String, &'static str);

/// Evaluates conditions.
pub(super) struct Conditions<'a> {
    pub(super) consts: &'a HashMap<String, String>,
    pub(super) ids: &'a mut Ids,
    pub(super) line: usize,
}

const STATE: &str = "rules see one line; what is remembered from line to line has no equivalent: count both sides \
                     and compare them in PromQL";

impl Conditions<'_> {
    pub(super) fn ways(&mut self, expr: &Expr, way: &Way) -> Result<Ways, Refused> {
        let ways = match expr {
            Expr::Pattern(parts) => self.pattern(&self.text(parts)?, way)?,
            Expr::Name(name, keys) if keys.is_empty() && self.consts.contains_key(name) => {
                self.pattern(&self.consts[name].clone(), way)?
            }
            Expr::Not(inner) => {
                let Ways { yes, no, doubts } = self.ways(inner, way)?;
                Ways { yes: no, no: yes, doubts }
            }
            Expr::Binary("&&", left, right) => self.both(left, right, way)?,
            Expr::Binary("||", left, right) => self.either(left, right, way)?,
            Expr::Binary("!~", left, right) => {
                let Ways { yes, no, doubts } = self.matching(left, right, way)?;
                Ways { yes: no, no: yes, doubts }
            }
            Expr::Binary("=~", left, right) => self.matching(left, right, way)?,
            Expr::Binary(sign, left, right) => self.compare(sign, left, right, way)?,
            _ => return Err(("this condition has no equivalent".to_owned(), STATE)),
        };
        match ways.yes.len().max(ways.no.len()) > MOST_WAYS {
            true => {
                Err(("the condition has too many cases".to_owned(), "write a rule for each case by hand"))
            }
            false => Ok(ways),
        }
    }

    /// An expression's text with its constants filled in.
    pub(super) fn text(&self, parts: &[Part]) -> Result<String, Refused> {
        let part = |part: &Part| match part {
            Part::Text(text) => Ok(text.clone()),
            Part::Const(name) => self.consts.get(name).cloned().ok_or_else(|| {
                (format!("the constant `{name}` is not defined"), "define it above, by `const`")
            }),
        };
        parts.iter().map(part).collect()
    }

    fn go(&mut self, text: &str) -> Result<Go, Refused> {
        translate(text, self.ids).map_err(|why| {
            (format!("/{text}/ has no equivalent: {why}"), "write it in the syntax of docs.rs/regex")
        })
    }

    fn pattern(&mut self, text: &str, way: &Way) -> Result<Ways, Refused> {
        let go = self.go(text)?;
        let yes = vec![way.with(&go, self.line)];
        let no = if holds_always(&go.regex) { Vec::new() } else { vec![way.without(&go.regex)] };
        Ok(Ways { yes, no, ..Ways::default() })
    }

    fn both(&mut self, left: &Expr, right: &Expr, way: &Way) -> Result<Ways, Refused> {
        let first = self.ways(left, way)?;
        let mut ways = Ways { yes: Vec::new(), no: first.no, doubts: first.doubts };
        for way in &first.yes {
            let second = self.ways(right, way)?;
            ways.yes.extend(second.yes);
            ways.no.extend(second.no);
            ways.doubts.extend(second.doubts);
        }
        Ok(ways)
    }

    fn either(&mut self, left: &Expr, right: &Expr, way: &Way) -> Result<Ways, Refused> {
        let first = self.ways(left, way)?;
        let mut ways = Ways { yes: first.yes, no: Vec::new(), doubts: first.doubts };
        for way in &first.no {
            let second = self.ways(right, way)?;
            ways.yes.extend(second.yes);
            ways.no.extend(second.no);
            ways.doubts.extend(second.doubts);
        }
        Ok(ways)
    }

    /// The capture that an expression names, and where it is.
    fn captured<'w>(&self, expr: &Expr, way: &'w Way) -> Result<(&'w str, usize), Refused> {
        let Expr::Capture(name) = expr else {
            return Err(("only captures can be compared".to_owned(), STATE));
        };
        let missing = || (format!("no expression around it captures `${name}`"), "check the name");
        let id = way.capture(name).ok_or_else(missing)?;
        Ok((id, way.holder(id).ok_or_else(missing)?))
    }

    /// `$capture =~ /…/`
    fn matching(&mut self, left: &Expr, right: &Expr, way: &Way) -> Result<Ways, Refused> {
        let (id, at) = self.captured(left, way)?;
        let text = match right {
            Expr::Pattern(parts) => self.text(parts)?,
            Expr::Name(name, _) if self.consts.contains_key(name) => self.consts[name].clone(),
            _ => return Err(("only an expression between slashes can follow here".to_owned(), STATE)),
        };
        let go = self.go(&text)?;
        let held = content(&way.found[at].0, id).unwrap_or_default();
        let refused = || {
            let message = format!("`${{…}} =~ /{text}/` cannot be folded into what is captured, `{held}`");
            (message, "write one expression for the whole line by hand")
        };
        let narrower = |inner: &String| {
            let (inner, held) = (format!("^(?:{inner})$"), format!("^(?:{held})$"));
            covers(&[&inner], &[&held]) == Verdict::Holds
        };
        let inner = if let Some(inner) =
            within(&go.regex).filter(|inner| is_anything(&held) || narrower(inner))
        {
            inner
        } else {
            let class = held.strip_suffix(['+', '*']).ok_or_else(refused)?;
            let fits = regex::bytes::Regex::new(&format!("(?-u)^(?:{class})*$")).map_err(|_| refused())?;
            let literal = regex::escape(&text) == text && fits.is_match(text.as_bytes());
            let single = class.starts_with('[') && class.ends_with(']') || class.starts_with('\\');
            if !literal || !single {
                return Err(refused());
            }
            format!("{class}*?{text}{class}*")
        };
        let mut ways = self.fold(way, at, id, &inner)?;
        for way in &mut ways.yes {
            way.captures.extend(go.captures.iter().cloned());
        }
        Ok(ways)
    }

    fn compare(&mut self, sign: &str, left: &Expr, right: &Expr, way: &Way) -> Result<Ways, Refused> {
        if let (Expr::Call(name, arguments), Expr::Number(zero)) = (left, right)
            && let ("len", [argument], "0", ">" | "!=") =
                (name.as_str(), arguments.as_slice(), zero.as_str(), sign)
        {
            return self.is_there(argument, way);
        }
        let (id, at) = self.captured(left, way)?;
        let held = content(&way.found[at].0, id).unwrap_or_default();
        match (sign, right) {
            ("!=", Expr::Text(text)) if text.is_empty() => self.is_there(left, way),
            ("==" | "!=", Expr::Text(text)) => {
                let could = regex::bytes::Regex::new(&format!("(?-u)^(?:{held})$"))
                    .is_ok_and(|regex| regex.is_match(text.as_bytes()));
                if !could && !way.set.is_empty() {
                    // On a way that an earlier comparison of it opened.
                    let never = Ways { no: vec![way.clone()], ..Ways::default() };
                    return Ok(if sign == "==" { never } else { never.turned() });
                }
                if !could {
                    let message = format!("what is captured, `{held}`, is never {text:?}");
                    return Err((message, "check the comparison"));
                }
                let ways = self.fold(way, at, id, &regex::escape(text))?;
                Ok(if sign == "==" { ways } else { ways.turned() })
            }
            (_, Expr::Number(number)) => {
                let width = digits(&held).ok_or_else(|| {
                    let message =
                        format!("a comparison with {number} needs a capture of digits, found `{held}`");
                    (message, "write the numbers as an expression")
                })?;
                let number: u64 = number.parse().map_err(|_| {
                    (format!("a comparison with {number} has no equivalent"), "compare with whole numbers")
                })?;
                self.number(sign, number, width, way, at, id)
            }
            _ => Err((format!("a comparison by `{sign}` with this has no equivalent"), STATE)),
        }
    }

    fn number(
        &mut self,
        sign: &str,
        number: u64,
        width: Option<usize>,
        way: &Way,
        at: usize,
        id: &str,
    ) -> Result<Ways, Refused> {
        match sign {
            "==" => self.fold(way, at, id, &exactly(number, width)),
            "!=" if number == 0 => self.fold(way, at, id, &at_least(1, width)),
            "!=" => Ok(self.fold(way, at, id, &exactly(number, width))?.turned()),
            ">=" => self.fold(way, at, id, &at_least(number, width)),
            ">" => self.fold(way, at, id, &at_least(number.saturating_add(1), width)),
            "<" => Ok(self.fold(way, at, id, &at_least(number, width))?.turned()),
            "<=" => Ok(self.fold(way, at, id, &at_least(number.saturating_add(1), width))?.turned()),
            _ => Err((format!("`{sign}` is no comparison"), STATE)),
        }
    }

    /// Whether a capture took part at all.
    fn is_there(&mut self, argument: &Expr, way: &Way) -> Result<Ways, Refused> {
        let (id, at) = self.captured(argument, way)?;
        let held = content(&way.found[at].0, id).unwrap_or_default();
        if covers(&[&format!("^(?:{held})$")], &["."]) != Verdict::Holds {
            return Err((format!("`{held}` can capture an empty text"), "write `+` in place of `*`"));
        }
        self.fold(way, at, id, &held)
    }

    /// The ways with a capture's content known, and with it excluded.
    fn fold(&mut self, way: &Way, at: usize, id: &str, inner: &str) -> Result<Ways, Refused> {
        let Folded { yes, no, doubt } = way.fold(at, id, inner).ok_or_else(|| {
            ("the capture repeats, so its value is only the last one".to_owned(), "write it out by hand")
        })?;
        Ok(Ways { yes: vec![yes], no: vec![no], doubts: doubt.into_iter().collect() })
    }
}

impl Ways {
    fn turned(self) -> Ways {
        Ways { yes: self.no, no: self.yes, doubts: self.doubts }
    }
}

/// An expression that searches, as one for the whole of a text.
fn within(regex: &str) -> Option<String> {
    let choice = matches!(
        regex_syntax::ast::parse::Parser::new().parse(regex),
        Ok(regex_syntax::ast::Ast::Alternation(_))
    );
    if choice && regex.contains(['^', '$']) {
        return None;
    }
    let regex = if choice { format!("(?:{regex})") } else { regex.to_owned() };
    let right = regex.ends_with('$') && !regex.ends_with("\\$");
    let core = regex.strip_prefix('^').unwrap_or(&regex);
    let core = if right { &core[..core.len() - 1] } else { core };
    let (before, after) = (if regex.starts_with('^') { "" } else { ".*?" }, if right { "" } else { ".*" });
    Some(format!("{before}{core}{after}"))
}

/// Whether a capture holds digits only, and how many where that is fixed.
fn digits(content: &str) -> Option<Option<usize>> {
    let rest = content.strip_prefix("\\d").or_else(|| content.strip_prefix("[0-9]"))?;
    match rest {
        "+" | "*" => Some(None),
        "" => Some(Some(1)),
        rest => rest.strip_prefix('{')?.strip_suffix('}')?.parse().ok().map(Some),
    }
}
