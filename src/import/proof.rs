//! Whether expressions hold for the same lines, decided and not guessed: a walk over the product of their automata.
//!
//! Expressions go in, a [`Verdict`] comes out, with a line that tells them apart where there is one. The walk is bounded;
//! beyond its bounds the answer is that it is not known.

use super::captures::{CLOSE, OPEN};
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::{primitives::StateID, start, syntax};
use regex_automata::{Anchored, MatchKind};
use std::collections::HashMap;
use std::hash::Hash;

/// States of the product that are looked at.
const MOST_STATES: usize = 150_000;
/// Bytes of an automaton.
const LARGEST: usize = 16 << 20;

/// What the walk found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It holds for every line.
    Holds,
    /// It fails for this line.
    Fails(String),
    /// The expressions are too large to tell.
    Unknown,
}

/// Whether every line that all of `all` are found in holds one of `any`.
pub(super) fn covers(all: &[&str], any: &[&str]) -> Verdict {
    let Some(machines) = all.iter().chain(any).map(|regex| Machine::new(regex)).collect::<Option<Vec<_>>>()
    else {
        return Verdict::Unknown;
    };
    let alphabet = alphabet(&machines);
    let Some(start) = machines.iter().map(Machine::start).collect::<Option<Vec<_>>>() else {
        return Verdict::Unknown;
    };
    walk(start, |states, out| {
        if machines.iter().zip(states).take(all.len()).any(|(machine, state)| machine.is_dead(*state))
            || states[all.len()..].contains(&None)
        {
            return false;
        }
        let ends: Vec<bool> =
            machines.iter().zip(states).map(|(machine, state)| machine.ends(*state)).collect();
        if ends[..all.len()].iter().all(|end| *end) && !ends[all.len()..].contains(&true) {
            return true;
        }
        for byte in &alphabet {
            let next =
                machines.iter().zip(states).map(|(machine, state)| machine.step(*state, *byte)).collect();
            out.push((Some(*byte), next));
        }
        false
    })
}

/// Whether a capture's value is always good where `narrowed` is found: `marked` is the expression with marks around the
/// capture, `good` what its value must match. It fails where the line can be read another way, with another value.
pub(super) fn settles(narrowed: &str, marked: &str, good: &str) -> Verdict {
    let good = format!("^(?:{good})$");
    let machines: Option<Vec<Machine>> = [narrowed, marked, &good].map(Machine::new).into_iter().collect();
    let Some(machines) = machines else { return Verdict::Unknown };
    let alphabet = alphabet(&machines);
    let (plain, marks, value) = (&machines[0], &machines[1], &machines[2]);
    let (Some(a), Some(b), Some(c)) = (plain.start(), marks.start(), value.start()) else {
        return Verdict::Unknown;
    };
    // Phases: before the capture, in it, after it with a value that is not good.
    walk((a, b, 0u8, c), |&(a, b, phase, c), out| {
        if plain.is_dead(a) || marks.is_dead(b) {
            return false;
        }
        if phase != 1 && plain.ends(a) && marks.ends(b) {
            return true;
        }
        if phase == 0 {
            out.push((None, (a, marks.step(b, OPEN), 1, c)));
        }
        if phase == 1 && !value.ends(c) {
            out.push((None, (a, marks.step(b, CLOSE), 2, c)));
        }
        for byte in alphabet.iter().filter(|byte| ![OPEN, CLOSE].contains(byte)) {
            let next = if phase == 1 { value.step(c, *byte) } else { c };
            out.push((Some(*byte), (plain.step(a, *byte), marks.step(b, *byte), phase, next)));
        }
        false
    })
}

/// Walks breadth first, so that the line found is a shortest one. `visit` says whether a state is the end, or adds the
/// states after it.
fn walk<S: Clone + Eq + Hash>(
    start: S,
    mut visit: impl FnMut(&S, &mut Vec<(Option<u8>, S)>) -> bool,
) -> Verdict {
    let mut list: Vec<(S, usize, Option<u8>)> = vec![(start.clone(), 0, None)];
    let mut known = HashMap::from([(start, ())]);
    let (mut at, mut next) = (0, Vec::new());
    while at < list.len() {
        next.clear();
        let state = list[at].0.clone();
        if visit(&state, &mut next) {
            return Verdict::Fails(line(&list, at));
        }
        for (byte, state) in next.drain(..) {
            if known.insert(state.clone(), ()).is_none() {
                list.push((state, at, byte));
            }
        }
        if list.len() > MOST_STATES {
            return Verdict::Unknown;
        }
        at += 1;
    }
    Verdict::Holds
}

fn line<S>(list: &[(S, usize, Option<u8>)], mut at: usize) -> String {
    let mut bytes = Vec::new();
    while at > 0 {
        bytes.extend(list[at].2);
        at = list[at].1;
    }
    bytes.reverse();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One byte for each set of bytes that no machine tells apart, the most readable one.
fn alphabet(machines: &[Machine]) -> Vec<u8> {
    let mut seen = HashMap::new();
    let readable = (b'a'..=b'z').chain(b'0'..=b'9').chain(b'A'..=b'Z').chain(b' '..=b'~');
    for byte in readable.chain(0..=u8::MAX).filter(|byte| *byte != b'\n') {
        let classes: Vec<u8> = machines.iter().map(|machine| machine.dfa.byte_classes().get(byte)).collect();
        seen.entry(classes).or_insert(byte);
    }
    let mut bytes: Vec<u8> = seen.into_values().collect();
    bytes.sort_by_key(|byte| (!byte.is_ascii_alphanumeric(), *byte));
    bytes
}

struct Machine {
    dfa: dense::DFA<Vec<u32>>,
}

/// A state, or `None` once the expression was found.
type State = Option<StateID>;

impl Machine {
    fn new(regex: &str) -> Option<Machine> {
        let config = dense::Config::new()
            .match_kind(MatchKind::All)
            .start_kind(StartKind::Unanchored)
            .dfa_size_limit(Some(LARGEST))
            .determinize_size_limit(Some(LARGEST));
        let dfa = dense::Builder::new()
            .configure(config)
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .thompson(thompson::Config::new().utf8(false))
            .build(regex);
        dfa.ok().map(|dfa| Machine { dfa })
    }

    fn start(&self) -> Option<State> {
        let start = self.dfa.start_state(&start::Config::new().anchored(Anchored::No)).ok()?;
        Some(self.found(start))
    }

    fn found(&self, state: StateID) -> State {
        (!self.dfa.is_match_state(state)).then_some(state)
    }

    fn step(&self, state: State, byte: u8) -> State {
        state.and_then(|state| self.found(self.dfa.next_state(state, byte)))
    }

    fn is_dead(&self, state: State) -> bool {
        state.is_some_and(|state| self.dfa.is_dead_state(state))
    }

    /// Whether the expression is found when the line ends here.
    fn ends(&self, state: State) -> bool {
        state.is_none_or(|state| self.dfa.is_match_state(self.dfa.next_eoi_state(state)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_tell_expressions_apart_are_found() {
        assert_eq!(covers(&["^a", "b"], &["^a.*b"]), Verdict::Holds);
        assert_eq!(covers(&["^ab", "bc"], &["^ab.*bc"]), Verdict::Fails("abc".to_owned()));
        assert_eq!(covers(&["a", "b"], &["a.*b", "b.*a"]), Verdict::Holds);
        assert_eq!(covers(&["a"], &["ab"]), Verdict::Fails("a".to_owned()));
        assert_eq!(covers(&["a$"], &["a"]), Verdict::Holds);
        assert_eq!(covers(&["a$", "b"], &["b.*a$"]), Verdict::Holds);
        assert_eq!(covers(&[r"^(?:\w{400}|x){900}", "b"], &["c"]), Verdict::Unknown);
    }

    #[test]
    fn a_value_is_settled_where_a_line_reads_one_way_only() {
        let holds =
            |narrowed: &str, marked: &str, good: &str| settles(narrowed, marked, good) == Verdict::Holds;
        assert!(holds("^a=7 ", r"^a=\xF8\d+\xF9 ", "7"));
        // The first of two may be another.
        assert!(!holds("a=7 ", r"a=\xF8\d+\xF9 ", "7"));
        // A longer number begins with it.
        assert!(!holds("^a=7", r"^a=\xF8\d+\xF9", "7"));
        assert!(holds("^a=7(?:[^0-9]|$)", r"^a=\xF8\d+\xF9(?:[^0-9]|$)", "7"));
        assert!(holds("^a=(?:0*[1-9][0-9]*) ", r"^a=(?:\xF8\d+\xF9|-) ", "0*[1-9][0-9]*"));
    }
}
