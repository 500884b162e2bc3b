//! What the pipeline carries from one block of a file to the next: the parser's memory and the open event.

use super::spans::{Spans, Started};
use crate::level::Level;
use crate::parse::{Memory, Moment, Places};
use crate::tally::rows::last_or_default;
use serde::{Deserialize, Serialize};

/// The state of one file between two blocks.
#[derive(Clone, Debug, Default)]
pub struct Carry {
    /// What parsing remembers.
    pub(super) memory: Memory,
    /// The last event, as long as further lines may belong to it.
    pub(super) open: Option<Open>,
}

/// An event that may still grow.
#[derive(Clone, Debug, Default)]
pub(super) struct Open {
    pub(super) level: Option<Level>,
    /// Rules that have counted it, one bit each.
    pub(super) matched: Bits,
    /// Rules that wait for its end, one bit each.
    pub(super) pending: Bits,
    pub(super) lines: u32,
    /// The exception type to count at its end.
    pub(super) exception: Named,
    /// Its text so far, as far as it came with earlier blocks; kept only where some rule spans lines.
    pub(super) text: Vec<u8>,
    /// When it was written, as its first line says; looked for only where some rule measures spans.
    pub(super) moment: Option<Moment>,
    /// Spans of the file that have begun: they outlive the event, and are here since all that counts gets at it.
    pub(super) spans: Spans,
}

/// The exception type of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Named {
    /// None so far.
    #[default]
    None,
    /// This one, unless a later line names another.
    Type(String),
    /// It has been counted; the event counts no other.
    Counted,
}

/// A small set of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub(super) fn contains(&self, at: u32) -> bool {
        self.0.get(at as usize / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
    }

    pub(super) fn insert(&mut self, at: u32) {
        let word = at as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (at % 64);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().enumerate().flat_map(|(word, bits)| {
            (0..64).filter(move |bit| bits & (1 << bit) != 0).map(move |bit| word as u32 * 64 + bit)
        })
    }
}

/// A carry as the store keeps it: rules by name, since their order may change until it comes back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    memory: Memory,
    open: Option<SavedOpen>,
    /// Rows that were written before there were spans end here.
    #[serde(deserialize_with = "last_or_default")]
    paired: SavedSpans,
    /// And before lines showed places of their own, here.
    #[serde(deserialize_with = "last_or_default")]
    places: Places,
}

/// What rules with a start and an end remember.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct SavedSpans {
    moment: Option<Moment>,
    /// Rule, key and start of each open span, from the oldest on.
    spans: Vec<(String, String, Started)>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct SavedOpen {
    level: Option<Level>,
    matched: Vec<String>,
    pending: Vec<String>,
    lines: u32,
    exception: Named,
    text: Vec<u8>,
}

impl Carry {
    /// The carry with rules named by `name`.
    pub fn save(&self, name: impl Fn(u32) -> String) -> Saved {
        let names = |bits: &Bits| bits.iter().map(&name).collect();
        let open = self.open.as_ref().map(|open| SavedOpen {
            level: open.level,
            matched: names(&open.matched),
            pending: names(&open.pending),
            lines: open.lines,
            exception: open.exception.clone(),
            text: open.text.clone(),
        });
        let paired = self.open.as_ref().map(|open| SavedSpans {
            moment: open.moment,
            spans: open.spans.iter().map(|(at, key, s)| (name(at), key.to_owned(), s.clone())).collect(),
        });
        let places = self.memory.places();
        Saved { memory: self.memory.clone(), open, paired: paired.unwrap_or_default(), places }
    }

    /// The carry that was saved; rules that `rule` does not know any more are left out.
    pub fn restore(saved: &Saved, rule: impl Fn(&str) -> Option<u32>) -> Carry {
        let bits = |names: &[String]| {
            let mut bits = Bits::default();
            names.iter().filter_map(|name| rule(name)).for_each(|at| bits.insert(at));
            bits
        };
        let open = saved.open.as_ref().map(|open| Open {
            level: open.level,
            matched: bits(&open.matched),
            pending: bits(&open.pending),
            lines: open.lines,
            exception: open.exception.clone(),
            text: open.text.clone(),
            moment: saved.paired.moment,
            spans: spans(&saved.paired, &rule),
        });
        Carry { memory: saved.memory.clone().with_places(saved.places), open }
    }

    /// Whether something waits for the event's end: a rule that spans lines, or an exception type.
    pub fn waits(&self) -> bool {
        self.open
            .as_ref()
            .is_some_and(|open| !open.pending.is_empty() || matches!(open.exception, Named::Type(_)))
    }

    /// The same carry where no event is open, nor any span.
    #[must_use]
    pub fn between_events(&self) -> Carry {
        Carry { memory: self.memory.clone(), open: None }
    }

    /// Whether parsing goes on alike from both, an event's start being next.
    pub fn remembers_as(&self, other: &Carry) -> bool {
        self.memory.layout_eq(&other.memory)
    }

    /// What parsing remembers of the file.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }
}

fn spans(saved: &SavedSpans, rule: impl Fn(&str) -> Option<u32>) -> Spans {
    let mut spans = Spans::default();
    for (name, key, started) in &saved.spans {
        if let Some(at) = rule(name) {
            spans.restore(at, key, started.clone());
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_earlier_versions_are_read() {
        #[derive(Serialize)]
        struct Before {
            memory: Memory,
            open: Option<SavedOpen>,
        }
        let open = Some(SavedOpen { matched: vec!["g/a".to_owned()], lines: 3, ..SavedOpen::default() });
        let row = postcard::to_stdvec(&Before { memory: Memory::default(), open: open.clone() }).unwrap();
        let saved: Saved = postcard::from_bytes(&row).unwrap();
        assert_eq!(saved, Saved { open, ..Saved::default() });
        // And the other way round: what an earlier version does not know stands behind what it reads.
        let row = postcard::to_stdvec(&saved).unwrap();
        assert!(row.starts_with(&postcard::to_stdvec(&saved.memory).unwrap()));
    }

    #[test]
    fn a_carry_survives_a_new_order_of_rules() {
        let mut carry = Carry { open: Some(Open::default()), ..Carry::default() };
        let open = carry.open.as_mut().unwrap();
        open.matched.insert(1);
        open.matched.insert(70);
        open.pending.insert(2);
        let saved = carry.save(|at| format!("rule{at}"));
        let back = Carry::restore(&saved, |name| match name {
            "rule1" => Some(65),
            "rule2" => Some(0),
            _ => None,
        });
        let open = back.open.unwrap();
        assert_eq!(open.matched.iter().collect::<Vec<_>>(), [65]);
        assert_eq!(open.pending.iter().collect::<Vec<_>>(), [0]);
    }
}
