//! What a program remembers from line to line, as far as it is a pair: a time set at a start, taken off at an end and
//! deleted there, and texts that the start captured for it. Such a pair becomes a rule with two ends.
//!
//! Actions on hidden variables are collected while the blocks are walked; [`Convert::pair`] joins them, for an end may
//! stand above its start, and a `del` below both.

use super::super::captures;
use super::super::proof::{Verdict, covers};
use super::super::way::Way;
use super::action;
use super::convert::Convert;
use super::feed::Feed;
use super::look::reads;
use super::tree::Expr;

/// How long an end may take where the program names no time; mtail itself waits for ever.
const TIMEOUT: &str = "7d";

const BY_HAND: &str = "rules with `start:` and `end:` measure the time between two lines, see docs/rules.md; else count \
                       both sides and compare them in PromQL";

type Refused = (String, &'static str);

/// What is done with hidden variables.
#[derive(Debug, Default)]
pub(super) struct Memory {
    places: Vec<(usize, String)>,
    sets: Vec<(Feed, Way)>,
    reads: Vec<(Feed, Way)>,
    deletes: Vec<Delete>,
    /// Variables whose values were filled in where they are read, in the line that sets them.
    pub(super) filled: Vec<String>,
}

#[derive(Debug)]
struct Delete {
    line: usize,
    name: String,
    keys: Vec<Expr>,
    after: Option<String>,
    way: Way,
}

/// The start of a span, for the rule of its end.
#[derive(Debug)]
pub(super) struct Opened {
    /// Expressions of which any begins it, with the key's captures under the names they have at the end.
    pub(super) any: Vec<String>,
    /// Expressions that begin nothing.
    pub(super) not: Vec<String>,
    /// A template, and its captures.
    pub(super) key: String,
    pub(super) ids: Vec<String>,
    pub(super) timeout: String,
    /// Where the program begins it.
    line: usize,
}

/// A pair that was found: the action with what is remembered filled in.
struct Found<'a> {
    memory: &'a Memory,
    feed: Feed,
    names: Vec<String>,
    starts: Vec<&'a (Feed, Way)>,
    keys: Vec<Expr>,
    timeout: String,
    timed: bool,
}

impl Memory {
    pub(super) fn declared(&mut self, line: usize, name: &str) {
        self.places.push((line, name.to_owned()));
    }

    pub(super) fn set(&mut self, feed: Feed, way: &Way) {
        self.sets.push((feed, way.clone()));
    }

    pub(super) fn read(&mut self, feed: Feed, way: &Way) {
        self.reads.push((feed, way.clone()));
    }

    pub(super) fn deleted(&mut self, line: usize, name: &str, keys: &[Expr], after: Option<&str>, way: &Way) {
        let (name, keys, after) = (name.to_owned(), keys.to_vec(), after.map(str::to_owned));
        self.deletes.push(Delete { line, name, keys, after, way: way.clone() });
    }

    fn sets_of<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a (Feed, Way)> + use<'a, 'n> {
        self.sets.iter().filter(move |(feed, _)| feed.declared.name == name)
    }

    /// What an action that reads variables becomes, where they are set at one start and deleted at this end.
    fn find(&self, feed: &Feed, way: &Way) -> Result<Found<'_>, Refused> {
        let mut reader = Reader { known: self, names: Vec::new(), keys: Vec::new() };
        let mut filled = feed.clone();
        filled.value = feed.value.as_ref().map(|value| reader.value(value));
        let timed = matches!(filled.value, Some(Expr::Elapsed));
        filled.keys = feed.keys.iter().map(|key| reader.fill(key)).collect();
        let Reader { names, keys, .. } = reader;
        let (Some(root), Some(key)) = (names.first(), keys.first()) else {
            return Err(("what is remembered here is no time and no text of a start".to_owned(), BY_HAND));
        };
        if key.is_empty() || keys.iter().any(|other| !same(other, key)) {
            let message = format!("`{root}` has no key that this line has in common with a start");
            return Err((message, BY_HAND));
        }
        let starts: Vec<_> = self.sets_of(root).collect();
        for name in &names {
            self.check_sets(name, timed && name == root, &starts)?;
            self.check_deletes(name, name == root, feed, key, way)?;
        }
        let after = self.deletes.iter().filter(|delete| &delete.name == root);
        let timeout = after.filter_map(|delete| delete.after.clone()).next_back();
        let timeout = timeout.unwrap_or_else(|| TIMEOUT.to_owned());
        Ok(Found { memory: self, feed: filled, starts, keys: key.clone(), timeout, timed, names })
    }

    /// Whether a variable is set at the starts and nowhere else, to the time or to what is captured.
    fn check_sets(&self, name: &str, clock: bool, starts: &[&(Feed, Way)]) -> Result<(), Refused> {
        let sets: Vec<_> = self.sets_of(name).collect();
        let refuse =
            |line: usize, what: &str| Err((format!("`{name}`, set in line {line}, {what}"), BY_HAND));
        if sets.is_empty() || sets.len() != starts.len() {
            return Err((format!("`{name}` is not set where the others are"), BY_HAND));
        }
        for (feed, way) in sets {
            let beside = |(start, other): &&(Feed, Way)| same(&start.keys, &feed.keys) && alike(way, other);
            match &feed.value {
                _ if feed.sign != "=" => return refuse(feed.line, "is counted and not set"),
                _ if !starts.iter().any(beside) => return refuse(feed.line, "is not set beside the start"),
                Some(Expr::Call(call, _)) if clock && call == "timestamp" => {}
                _ if clock => return refuse(feed.line, "is not the time of its line"),
                Some(Expr::Capture(_)) => {}
                _ => return refuse(feed.line, "is more than a text that its line captures"),
            }
        }
        Ok(())
    }

    /// Whether a variable is deleted behind the action, and only where spans end.
    fn check_deletes(
        &self,
        name: &str,
        root: bool,
        feed: &Feed,
        keys: &[Expr],
        way: &Way,
    ) -> Result<(), Refused> {
        let deletes = || self.deletes.iter().filter(|delete| delete.name == name && delete.after.is_none());
        let here =
            |delete: &Delete| alike(&delete.way, way) && same(&delete.keys, keys) && delete.line > feed.line;
        if root && !deletes().any(here) {
            let message = format!("`{name}` is not deleted behind it, so a second end counts again");
            return Err((message, "add `del` behind it in the program, and convert it again"));
        }
        let at_end = |delete: &Delete| {
            let reads = |(feed, way): &(Feed, Way)| {
                alike(way, &delete.way) && feed.values().any(|expr| reads(expr, &|read| read == name))
            };
            self.reads.iter().any(reads)
        };
        match deletes().find(|delete| !at_end(delete)) {
            Some(delete) => {
                let message =
                    format!("`{name}` is also deleted in line {}, where nothing is counted", delete.line);
                Err((message, "rules give a span up at its timeout only; write this one by hand"))
            }
            None => Ok(()),
        }
    }
}

impl Found<'_> {
    /// The captures of a start that last until the end, and the names that they have there.
    fn kept(&self, start: &Way) -> Vec<(String, String)> {
        let one = |name: &String| {
            let mut sets = self.memory.sets_of(name);
            let first = sets.next()?;
            let (feed, way) = std::iter::once(first).chain(sets).find(|(_, way)| alike(way, start))?;
            Some((captured(feed, way)?, kept(&captured(&first.0, &first.1)?)))
        };
        let mut list: Vec<_> = self.names.iter().filter_map(one).collect();
        list.dedup();
        list
    }
}

impl Opened {
    /// Lines that begin or end something there and not here, given the expressions of the end.
    pub(super) fn doubts(&self, line: usize, end: &[String], end_not: &[String]) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.line < line {
            let what = "is the start and the end of one span there, and here the end of one and the start of the next";
            doubts.extend(common(&self.any, end, what));
        }
        let only = |one: &[String], other: &[String]| -> Vec<String> {
            one.iter().filter(|regex| !other.contains(regex)).cloned().collect()
        };
        doubts.extend(common(end, &only(&self.not, end_not), "ends a span there and not here"));
        doubts.extend(common(&self.any, &only(end_not, &self.not), "begins a span there and not here"));
        doubts
    }
}

/// Whether a line matches one of each list; what is wrong with it then.
fn common(one: &[String], other: &[String], what: &str) -> Option<String> {
    let mut pairs = one.iter().flat_map(|one| other.iter().map(move |other| covers(&[one, other], &[])));
    pairs.find_map(|verdict| match verdict {
        Verdict::Holds => None,
        Verdict::Fails(line) => Some(format!("a line such as {line:?} {what}")),
        Verdict::Unknown => Some(format!("the expressions are too large to prove that no line {what}")),
    })
}

/// Fills in what is remembered, and notes what that is.
struct Reader<'a> {
    known: &'a Memory,
    names: Vec<String>,
    keys: Vec<Vec<Expr>>,
}

impl Reader<'_> {
    /// `timestamp() - since[$key]` as the time since the start.
    fn value(&mut self, expr: &Expr) -> Expr {
        if let Expr::Binary("-", now, then) = expr
            && let (Expr::Call(call, _), Expr::Name(name, keys)) = (&**now, &**then)
            && call == "timestamp"
            && self.known.places.iter().any(|(_, known)| known == name)
        {
            self.seen(name, keys);
            return Expr::Elapsed;
        }
        self.fill(expr)
    }

    fn fill(&mut self, expr: &Expr) -> Expr {
        match expr {
            Expr::Name(name, keys) if self.known.places.iter().any(|(_, known)| known == name) => {
                let Some(id) = self.known.sets_of(name).find_map(|(feed, way)| captured(feed, way)) else {
                    return expr.clone();
                };
                self.seen(name, keys);
                Expr::Kept(kept(&id))
            }
            Expr::Call(name, list) => {
                Expr::Call(name.clone(), list.iter().map(|inner| self.fill(inner)).collect())
            }
            Expr::Binary(sign, left, right) => {
                Expr::Binary(sign, self.fill(left).into(), self.fill(right).into())
            }
            _ => expr.clone(),
        }
    }

    fn seen(&mut self, name: &str, keys: &[Expr]) {
        self.names.push(name.to_owned());
        self.keys.push(keys.to_vec());
    }
}

/// The capture that a variable is set to.
fn captured(feed: &Feed, way: &Way) -> Option<String> {
    let Some(Expr::Capture(name)) = &feed.value else { return None };
    way.capture(name).map(str::to_owned)
}

/// The name of a start's capture that lasts until the end, where the end may have one of its own.
fn kept(id: &str) -> String {
    format!("{id}s")
}

fn alike(one: &Way, other: &Way) -> bool {
    (&one.found, &one.absent) == (&other.found, &other.absent)
}

fn same(one: &[Expr], other: &[Expr]) -> bool {
    format!("{one:?}") == format!("{other:?}")
}

/// A key as a template, with its captures in their order.
fn template(keys: &[Expr], way: &Way) -> Result<(String, Vec<String>), Refused> {
    let (mut texts, mut ids) = (Vec::new(), Vec::new());
    for key in keys {
        let found = action::label(key, way)?;
        if found.doubt.is_some() || !found.label.map.is_empty() {
            return Err(("a key that is changed has no equivalent".to_owned(), BY_HAND));
        }
        texts.push(found.label.value);
        ids.extend(found.used);
    }
    let blank = |id: &String| {
        let held = way.holder(id).and_then(|at| captures::content(&way.found[at].0, id)).unwrap_or_default();
        covers(&[&format!("^(?:{held})$"), " "], &[]) != Verdict::Holds
    };
    if texts.len() > 1 && ids.iter().any(blank) {
        let message = "of several keys one can hold a blank, so that they cannot be one";
        return Err((message.to_owned(), "capture them without blanks in the program, by `\\S+`"));
    }
    Ok((texts.join(" "), ids))
}

impl Convert<'_> {
    /// Makes rules of what reads variables, and tells of those that stay without an equivalent.
    pub(super) fn pair(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        let mut paired: Vec<String> = Vec::new();
        for (feed, way) in &memory.reads {
            let opened = memory.find(feed, way).and_then(|found| Ok((self.opened(&found, way)?, found)));
            match opened {
                Ok((opened, found)) => {
                    if !found.timed {
                        let message =
                            "an end without a start counts there, with nothing remembered, and not here";
                        self.remarks.lost(feed.line, message, "count such lines by a rule of their own");
                    }
                    self.feed(&found.feed, way, Some(&opened));
                    paired.extend(found.names);
                }
                Err((message, hint)) => {
                    let message = format!("{message}; `{}` is not fed here", feed.declared.name);
                    self.remarks.lost(feed.line, message, hint);
                }
            }
        }
        self.tell(&memory, &paired);
    }

    fn tell(&mut self, memory: &Memory, paired: &[String]) {
        for (line, name) in &memory.places {
            if paired.contains(name) {
                let message = format!("`{name}` is kept by rules with `start:`, `end:` and `key:`");
                let hint = "fractions of seconds count where lines have them; an end without a start counts nothing, and \
                            not all seconds since 1970; `timeout:` gives a start up";
                self.remarks.note(*line, message, hint);
            } else if memory.filled.contains(name) {
                let message = format!("`{name}` is left out: its value stands where it is read");
                self.remarks.note(*line, message, "see the remarks where it is used in other lines");
            } else {
                let message = format!("`{name}` is remembered from line to line; rules see one line");
                self.remarks.note(*line, message, "see the remarks where it is used");
            }
        }
        let known = |name: &String| paired.contains(name) || memory.filled.contains(name);
        for (feed, _) in memory.sets.iter().filter(|(feed, _)| !known(&feed.declared.name)) {
            let message =
                format!("`{}` is remembered from line to line and has no equivalent", feed.declared.name);
            self.remarks.lost(feed.line, message, "capture what is needed in the line that counts it");
        }
        for delete in memory.deletes.iter().filter(|delete| !paired.contains(&delete.name)) {
            let hint = "series of files that are gone leave by themselves";
            self.remarks.note(delete.line, "`del` is left out", hint);
        }
    }

    /// The start of a pair, its captures under the names that the end has for them.
    fn opened(&mut self, found: &Found<'_>, way: &Way) -> Result<Opened, Refused> {
        let (key, ids) = template(&found.keys, way)?;
        let (mut any, mut not) = (Vec::new(), Vec::new());
        for (start, from) in &found.starts {
            let (text, own) = template(&start.keys, from)?;
            let mut renamed: Vec<(String, String)> = own.iter().cloned().zip(ids.clone()).collect();
            let fill = |text: String, (own, end): &(String, String)| {
                text.replace(&format!("${{{own}}}"), &format!("${{{end}}}"))
            };
            if own.len() != ids.len() || renamed.iter().fold(text, fill) != key {
                return Err((format!("the key in line {} is made otherwise", start.line), BY_HAND));
            }
            for (own, kept) in found.kept(from) {
                if renamed.iter().any(|(known, _)| *known == own) {
                    let message = format!("one capture is remembered twice in line {}", start.line);
                    return Err((message, BY_HAND));
                }
                renamed.push((own, kept));
            }
            let used: Vec<&str> = renamed.iter().map(|(own, _)| own.as_str()).collect();
            any.extend(self.joined(from, &used)?.iter().map(|regex| captures::name(regex, &renamed)));
            not.extend(from.absent.iter().cloned());
        }
        let line = found.starts.iter().map(|(feed, _)| feed.line).min().unwrap_or_default();
        Ok(Opened { any, not, key, ids, timeout: found.timeout.clone(), line })
    }
}
