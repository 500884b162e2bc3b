//! `logtally explain`: for each line what was understood, which rules match, and why a near miss did not.

use super::args::Explain;
use super::exit::Exit;
use super::{given, print, report};
use crate::app::build::{self, Built, Feed};
use crate::config::{self, Input};
use crate::error::{Place, Problem};
use crate::event::Role;
use crate::level::Level;
use crate::matching::Candidate;
use crate::parse::{Memory, Moment};
use crate::pipeline::{self, Spans, Started, When};
use crate::rules::Rule;
use crate::tally::span::{Span, duration_text};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

/// Bytes of a line that are shown.
const SHOWN: usize = 200;

pub(super) fn run(args: &Explain) -> Exit {
    let built = match config::load(&given(&args.common)).and_then(build::build) {
        Ok(built) => built,
        Err(problems) => return report(&problems),
    };
    let owners = built.owners();
    let named = args.file.as_deref().and_then(|path| owners.of(path));
    let plain = Input::of_files("default", Vec::new());
    let feed = match (named, built.feeds.as_slice()) {
        (Some(feed), _) => Ok(feed.clone()),
        // Of a config with one input, standard input is taken for it.
        (None, [only]) if args.file.is_none() => Ok(only.clone()),
        _ => build::feed(&built.config, &plain, &built.rules, &built.feeds),
    };
    let feed = match feed {
        Ok(feed) => feed,
        Err(problems) => return report(&problems),
    };
    let reader: Box<dyn Read> = match &args.file {
        Some(path) if path.as_os_str() != "-" => match std::fs::File::open(path) {
            Ok(file) => Box::new(file),
            Err(error) => {
                report(&[Problem::error(Place::new(path, 0, 0), format!("cannot read: {error}"))]);
                return Exit::Failed;
            }
        },
        _ => Box::new(std::io::stdin()),
    };
    Explainer::new(&built, &feed).all(BufReader::new(reader), built.config.line_bytes)
}

struct Explainer<'a> {
    feed: &'a Feed,
    rules: Vec<&'a Rule>,
    memory: Memory,
    level: Option<Level>,
    /// When the event was written, and the spans that are open.
    moment: Option<Moment>,
    spans: Spans,
    formats: BTreeMap<String, u64>,
    events: u64,
    unknown: u64,
}

impl<'a> Explainer<'a> {
    fn new(built: &'a Built, feed: &'a Feed) -> Explainer<'a> {
        let applies =
            |rule: &&Rule| feed.input.groups.as_ref().is_none_or(|groups| groups.contains(&rule.group));
        Explainer {
            feed,
            rules: built.rules.rules().filter(applies).collect(),
            memory: Memory::default(),
            level: None,
            moment: None,
            spans: Spans::default(),
            formats: BTreeMap::new(),
            events: 0,
            unknown: 0,
        }
    }

    fn all(mut self, mut reader: impl BufRead, limit: usize) -> Exit {
        let mut line = Vec::new();
        loop {
            line.clear();
            match (&mut reader).take(limit as u64).read_until(b'\n', &mut line) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    print::error(&format!("error: cannot read: {error}"));
                    return Exit::Failed;
                }
            }
            while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                line.pop();
            }
            self.line(&line);
        }
        self.summary();
        Exit::Good
    }

    fn line(&mut self, line: &[u8]) {
        let parser = self.feed.pipeline.parser();
        let told = parser.explain(&self.memory, line);
        let seen = parser.line(&mut self.memory, line);
        let mut scratch = Vec::new();
        let message = match (&seen.message, seen.role) {
            (_, Role::Continuation) => line.to_vec(),
            (crate::event::Message::From(at), _) => line[*at as usize..].to_vec(),
            (crate::event::Message::Within(range), _) => {
                line[range.start as usize..range.end as usize].to_vec()
            }
            (crate::event::Message::Decode, _) => parser.message(&self.memory, line, &mut scratch).to_vec(),
        };
        print::out(&format!("{}\n", shown(line)));
        match seen.role {
            Role::Start => {
                self.level = Some(seen.level);
                self.moment = parser.moment(line);
                self.events += 1;
                self.unknown += u64::from(seen.level == Level::Unknown);
                *self.formats.entry(told.format.as_str().to_owned()).or_default() += 1;
                let (format, level) = (told.format.as_str(), seen.level.as_str());
                print::out(&format!("  event    format={format} level={level}  ({})\n", told.why));
                print::out(&format!("  message  {}\n", shown(&message)));
            }
            Role::Continuation => print::out(&format!("  belongs to the event above  ({})\n", told.why)),
        }
        self.rules(&message, line, seen.role);
    }

    fn rules(&mut self, message: &[u8], line: &[u8], role: Role) {
        let feed = self.feed;
        let scanner = feed.pipeline.scanner();
        let mut candidates: Vec<Candidate> = Vec::new();
        scanner.scan(message, &mut candidates);
        let mut near: Vec<u32> = candidates.iter().map(|candidate| candidate.pattern).collect();
        scanner.residual(message, 0, &mut near);
        near.sort_unstable();
        near.dedup();
        let further = [b"\n", message].concat();
        for (at, rule) in self.rules.clone().into_iter().enumerate() {
            let pattern = at as u32;
            let (hay, start): (&[u8], usize) = match (&rule.pattern.target, role) {
                (crate::matching::pattern::Target::Line, _) => (line, 0),
                (_, Role::Start) => (message, 0),
                (_, Role::Continuation) => (&further, 1),
            };
            let name = format!("{}/{}", rule.group, rule.name);
            let level_fits = self.level.is_none_or(|level| rule.pattern.levels.contains(level));
            match scanner.confirm(pattern, hay, start) {
                Some(which) if level_fits => match &rule.counted.span {
                    None => print::out(&format!("  match    {name}\n")),
                    Some(span) => self.pair(pattern, which, span, (hay, start), line, &name),
                },
                Some(_) => {
                    let allowed: Vec<&str> = rule.pattern.levels.iter().map(Level::as_str).collect();
                    let is = self.level.map_or("unknown", Level::as_str);
                    print::out(&format!(
                        "  no match {name}: its text matches, but the level is {is} and the rule wants {}\n",
                        allowed.join(", ")
                    ));
                }
                None if near.contains(&pattern) => {
                    print::out(&format!("  no match {name}: {}\n", self.why_not(rule, hay, start)))
                }
                None => {}
            }
        }
    }

    /// A match of a rule that measures spans: which one it ends, and which it opens.
    fn pair(
        &mut self,
        pattern: u32,
        which: usize,
        span: &Span,
        (hay, start): (&[u8], usize),
        line: &[u8],
        name: &str,
    ) {
        let (parser, scanner) = (self.feed.pipeline.parser(), self.feed.pipeline.scanner());
        let memory = &self.memory;
        let key_of = |captures: &regex::bytes::Captures<'_>| {
            pipeline::key(span, &|name| {
                let captured = captures.name(name).map(|text| text.as_bytes().to_vec());
                let field = || parser.field(memory, line, name, &mut Vec::new()).map(<[u8]>::to_vec);
                Some(String::from_utf8_lossy(&captured.or_else(field)?).into_owned().into())
            })
        };
        // Nothing of this is counted, so that no clock is asked: lines without a time are 0 s apart.
        let when = When { written: self.moment, read: Moment::read_at(0.0) };
        let ends = scanner.captures(pattern, which, hay, start).filter(|_| which < span.starts);
        if let Some(captures) = ends {
            let Some(key) = key_of(&captures) else {
                return print::out(&format!("  no match {name}: its end lacks a part of the key\n"));
            };
            let ended = self.spans.end(pattern, &key, when, span.timeout, &mut |_| {});
            print::out(&match ended {
                Some((_, nanos)) => {
                    let time = if self.moment.is_some() { "" } else { ", since the lines name no time" };
                    format!("  match    {name}: ends span '{key}' after {}{time}\n", duration_text(nanos))
                }
                None => format!("  no match {name}: it would end span '{key}', which is not open\n"),
            });
        }
        let all = span.starts.max(which)..scanner.expressions(pattern);
        let Some(captures) = all.into_iter().find_map(|at| scanner.captures(pattern, at, hay, start)) else {
            return;
        };
        match key_of(&captures) {
            Some(key) => {
                let started = Started { when, kept: Vec::new() };
                self.spans.begin(pattern, &key, started, span.timeout, &mut |_| {});
                print::out(&format!("  opens    {name}: span '{key}'\n"));
            }
            None => print::out(&format!("  no match {name}: its start lacks a part of the key\n")),
        }
    }

    /// Why a rule whose literal stands in the text does not match: its veto, or how far its expression came.
    fn why_not(&self, rule: &Rule, hay: &[u8], start: usize) -> String {
        let matches =
            |text: &str| regex::bytes::Regex::new(text).is_ok_and(|regex| regex.is_match_at(hay, start));
        if rule.pattern.any.iter().any(|text| matches(text)) {
            let veto = rule.pattern.not.as_deref().unwrap_or_default();
            return format!("vetoed by not: {veto}");
        }
        let prefix =
            rule.pattern.any.iter().filter_map(|text| longest_prefix(text, &matches)).max_by_key(String::len);
        match prefix {
            Some(prefix) => format!("matches as far as '{prefix}' and no further"),
            None => "not even the beginning of its expression matches".to_owned(),
        }
    }

    fn summary(&self) {
        if self.events == 0 {
            return;
        }
        let mut formats: Vec<(&String, &u64)> = self.formats.iter().collect();
        formats.sort_by(|a, b| b.1.cmp(a.1));
        let share = |count: u64| 100.0 * count as f64 / self.events as f64;
        let said: Vec<String> =
            formats.iter().map(|(name, count)| format!("{name} {:.1} %", share(**count))).collect();
        print::out(&format!(
            "\n{} events; formats: {}; level unknown: {:.1} %\n",
            self.events,
            said.join(", "),
            share(self.unknown)
        ));
    }
}

/// The longest beginning of an expression that is an expression by itself and matches.
fn longest_prefix(text: &str, matches: &impl Fn(&str) -> bool) -> Option<String> {
    let ends = text.char_indices().map(|(at, _)| at).skip(1).collect::<Vec<_>>();
    ends.into_iter().rev().map(|end| &text[..end]).find(|prefix| matches(prefix)).map(str::to_owned)
}

fn shown(text: &[u8]) -> String {
    let cut = &text[..text.len().min(SHOWN)];
    let more = if text.len() > SHOWN { "…" } else { "" };
    let text: String = String::from_utf8_lossy(cut)
        .chars()
        .map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c })
        .collect();
    format!("{text}{more}")
}
