//! Variables that are set and read in one line: their values are filled in where they are read.
//!
//! A way knows the variables that were set on it, each with the number of its value; none where one block or another may
//! have set it, or an earlier line.

use super::super::proof::{Verdict, covers};
use super::super::way::Way;
use super::convert::Convert;
use super::feed::Feed;
use super::tree::{Expr, Kind, Stmt};

/// Ways that one list of statements is followed on; beyond it what a block sets is not known behind it.
const MOST_WAYS: usize = 16;

/// The variables without keys that a list of statements sets, at any depth.
pub(super) fn sets(list: &[Stmt]) -> Vec<String> {
    let of = |stmt: &Stmt| match &stmt.kind {
        Kind::If(_, then, other) => [sets(then), sets(other.as_deref().unwrap_or_default())].concat(),
        Kind::Otherwise(block) | Kind::Decorate(_, block) | Kind::Define(_, block) => sets(block),
        kind => set(kind).map(|(name, _)| name.to_owned()).into_iter().collect(),
    };
    list.iter().flat_map(of).collect()
}

/// The variable that a statement sets, and the value where it is set to one.
fn set(kind: &Kind) -> Option<(&str, Option<&Expr>)> {
    let (target, value) = match kind {
        Kind::Do(Expr::Binary("=", target, value)) => (&**target, Some(&**value)),
        Kind::Do(Expr::Binary("+=", target, _) | Expr::Step(_, target)) => (&**target, None),
        Kind::Delete(target, _) => (target, None),
        _ => return None,
    };
    match target {
        Expr::Name(name, keys) if keys.is_empty() => Some((name, value)),
        _ => None,
    }
}

impl Convert<'_> {
    /// Notes on the ways what a simple statement sets.
    pub(super) fn note(&mut self, kind: &Kind, ways: &mut [Way]) {
        if let Kind::Next | Kind::Decorate(..) = kind {
            // The blocks that follow one another there are not looked into.
            return ways.iter_mut().flat_map(|way| &mut way.set).for_each(|(_, value)| *value = None);
        }
        let Some((name, value)) = set(kind).filter(|(name, _)| self.is_remembered(name)) else { return };
        for way in ways {
            let value = value.and_then(|value| self.resolved(value, way));
            let number = value.map(|value| {
                self.values.push(value);
                self.values.len() - 1
            });
            way.set.retain(|(known, _)| known != name);
            way.set.push((name.to_owned(), number));
        }
    }

    /// What is set behind a condition's block: known where the block holds nothing but what sets it.
    pub(super) fn split(&mut self, then: &[Stmt], yes: Vec<Way>, no: Vec<Way>) -> Option<Vec<Way>> {
        let known = |stmt: &Stmt| set(&stmt.kind).is_some_and(|(name, _)| self.is_remembered(name));
        let plain = |stmt: &Stmt| {
            !matches!(stmt.kind, Kind::If(..) | Kind::Otherwise(_) | Kind::Next | Kind::Decorate(..))
        };
        if !then.iter().any(known) || !then.iter().all(plain) || yes.len() + no.len() > MOST_WAYS {
            return None;
        }
        let mut ways = yes;
        for stmt in then {
            self.note(&stmt.kind, &mut ways);
        }
        let possible = |way: &Way| {
            let found: Vec<&str> = way.found.iter().map(|(regex, _)| regex.as_str()).collect();
            let absent: Vec<&str> = way.absent.iter().map(String::as_str).collect();
            absent.is_empty() || covers(&found, &absent) != Verdict::Holds
        };
        for mut way in no.into_iter().filter(possible) {
            let unset = sets(then).into_iter().filter(|name| way.set.iter().all(|(known, _)| known != name));
            let unset: Vec<(String, Option<usize>)> = unset.map(|name| (name, None)).collect();
            way.set.extend(unset);
            ways.push(way);
        }
        Some(ways)
    }

    /// Behind blocks that may have set them, the values of these are not known any more.
    pub(super) fn forget(&self, names: &[String], ways: &mut [Way]) {
        let set = ways.iter_mut().flat_map(|way| &mut way.set);
        set.filter(|(name, _)| names.contains(name)).for_each(|(_, value)| *value = None);
    }

    /// A value whose captures are those of the way.
    fn resolved(&self, expr: &Expr, way: &Way) -> Option<Expr> {
        Some(match expr {
            Expr::Text(_) | Expr::Number(_) => expr.clone(),
            Expr::Capture(name) => {
                Expr::Kept(way.capture(name).filter(|id| way.holder(id).is_some())?.to_owned())
            }
            Expr::Name(name, keys) if keys.is_empty() => self.value_of(name, way)??.clone(),
            Expr::Call(name, list) if ["tolower", "string", "int", "float"].contains(&name.as_str()) => {
                let list: Option<Vec<Expr>> = list.iter().map(|inner| self.resolved(inner, way)).collect();
                Expr::Call(name.clone(), list?)
            }
            Expr::Binary(sign @ ("+" | "/" | "*"), left, right) => {
                Expr::Binary(sign, self.resolved(left, way)?.into(), self.resolved(right, way)?.into())
            }
            _ => return None,
        })
    }

    /// The value that a variable has on a way: none where it was not set there, an inner none where it is not known.
    fn value_of(&self, name: &str, way: &Way) -> Option<Option<&Expr>> {
        let (_, number) = way.set.iter().find(|(known, _)| known == name)?;
        Some(number.and_then(|number| self.values.get(number)))
    }

    /// An action with the values that were set on the way filled in.
    ///
    /// # Errors
    /// The variable whose value is not known.
    pub(super) fn filled(&mut self, feed: &Feed, way: &Way) -> Result<Feed, String> {
        let mut used = Vec::new();
        let mut filled = feed.clone();
        filled.value = feed.value.as_ref().map(|value| self.fill(value, way, &mut used)).transpose()?;
        filled.keys = feed.keys.iter().map(|key| self.fill(key, way, &mut used)).collect::<Result<_, _>>()?;
        self.memory.filled.extend(used);
        Ok(filled)
    }

    fn fill(&self, expr: &Expr, way: &Way, used: &mut Vec<String>) -> Result<Expr, String> {
        Ok(match expr {
            Expr::Name(name, keys) if keys.is_empty() && self.is_remembered(name) => {
                match self.value_of(name, way) {
                    None => expr.clone(),
                    Some(None) => return Err(name.clone()),
                    Some(Some(value)) => {
                        used.push(name.clone());
                        value.clone()
                    }
                }
            }
            Expr::Call(name, list) => {
                let list: Result<Vec<Expr>, String> =
                    list.iter().map(|inner| self.fill(inner, way, used)).collect();
                Expr::Call(name.clone(), list?)
            }
            Expr::Binary(sign, left, right) => {
                Expr::Binary(sign, self.fill(left, way, used)?.into(), self.fill(right, way, used)?.into())
            }
            _ => expr.clone(),
        })
    }
}
