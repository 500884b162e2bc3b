//! What parsing remembers of one file from line to line: its layout with how sure that is, and the open event.

use crate::level::Level;
use crate::parse::format::{Format, Kind};
use crate::parse::head::{Head, Trust};
use crate::parse::lane::Settled;
use crate::parse::place::{Found, Places};
use crate::parse::trace::Trace;
use serde::{Deserialize, Serialize};

/// Lines of one layout after which nothing more is learnt from further ones.
const MOST_CONFIDENCE: u8 = 16;
/// Lines in a row of another layout, none of the remembered one between, that change the layout.
const REVISED_AFTER: u8 = 4;
/// Lines that make a file whose lines begin with a bare level one whose events have headers.
const HEADED_AFTER: u8 = 4;
const MOST_EVIDENCE: i8 = 8;
/// Doubtful levels alone, so many in a row, are believed too: an application's file of errors has no others.
const DOUBTS: i8 = 16;
const MOST_DOUBTS: i8 = DOUBTS + 4;
/// Evidence that a level needs whose place only other lines make one.
const AGREED: i8 = 3;

/// Parsing's whole memory of one file; everything a line means depends on it and on the line alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    format: Format,
    confidence: u8,
    rival: Format,
    rivals: u8,
    /// Lines for (positive) and against (negative) a level at a place where a sentence could begin with the word. Above
    /// `DOUBTS` it counts the doubtful ones with which the file began, or went on after it had stood at 0.
    evidence: i8,
    pub(super) open: Open,
    pub(super) trace: Trace,
    /// A date line of `java.util.logging` stands above: the next line holds its level.
    pub(super) dated: bool,
    /// Streams whose last record was part of a line: 1 standard output, 2 standard error.
    pub(super) partial: u8,
    /// Where levels stand that no grammar knows the place of. Saved by itself, since rows of earlier versions have none.
    #[serde(skip)]
    places: Places,
}

/// The event that further lines would belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Open {
    #[default]
    None,
    /// It began without a header.
    Bare,
    /// It began with one.
    Headed,
    /// A journal's record whose level is still to come.
    Record,
    /// A journal's record whose level was seen.
    Recorded,
    /// A record with a field a line: how far they are indented, 0 before the first, and whether its level was seen.
    Fields { indent: u8, seen: bool },
}

impl Memory {
    /// A file that is declared to be of `format`.
    pub(super) fn seed(&mut self, format: Format) {
        if self.format == Format::Unknown {
            self.format = format;
            self.confidence = MOST_CONFIDENCE;
        }
    }

    /// The layout that the file's lines have shown, `Unknown` before the first.
    pub fn format(&self) -> Format {
        self.format
    }

    /// How sure the layout is, from 0 to 1.
    pub fn confidence(&self) -> f64 {
        f64::from(self.confidence) / f64::from(MOST_CONFIDENCE)
    }

    /// Whether both know the same of the file's layout; the open event may differ.
    pub fn layout_eq(&self, other: &Memory) -> bool {
        let layout = |m: &Memory| (m.format, m.confidence, m.rival, m.rivals, m.evidence);
        layout(self) == layout(other) && self.places.agrees(&other.places)
    }

    /// What is remembered beside the rest, to be saved beside it.
    pub fn places(&self) -> Places {
        self.places
    }

    /// The memory with what was saved beside it.
    #[must_use]
    pub fn with_places(self, places: Places) -> Memory {
        Memory { places, ..self }
    }

    /// The level of a line that shows none to its grammar, its message at `message`, where the file's lines have made
    /// a place of their own for it. Nothing is looked for once a file has shown that it has no levels.
    pub(super) fn place(&mut self, text: &[u8], message: usize) -> Option<Found> {
        let looks = self.evidence > -MOST_EVIDENCE || self.places.is_active();
        if looks { self.places.note(text, message) } else { None }
    }

    /// The level of a line without a header where such lines have shown a place for it; a line that has none there
    /// continues an event, however many do.
    pub(super) fn place_found(&mut self, text: &[u8]) -> Option<Found> {
        self.places.note_found(text, 0)
    }

    /// Whether a line of this format may have its level at a place of the file's own. A name and a colon behind a
    /// modern timestamp look like syslog's tag, but in such a file they are not.
    pub(super) fn may_place(&self, format: Format) -> bool {
        match format {
            Format::Custom | Format::Jul => false,
            Format::Syslog => self.places.is_sure(),
            _ => format.kind() == Kind::Headed,
        }
    }

    /// Whether lines have begun to show a place of their own.
    pub(super) fn is_active(&self) -> bool {
        self.places.is_active()
    }

    /// Whether lines without a header begin events by a place of their own.
    pub(super) fn is_placed(&self) -> bool {
        self.format == Format::Named && self.places.is_sure()
    }

    /// How lines without a header are to be taken.
    pub(super) fn kind(&self) -> Kind {
        match self.format {
            Format::LevelFirst | Format::Named if self.confidence < HEADED_AFTER => Kind::Bare,
            format => format.kind(),
        }
    }

    /// Whether a header that is only believed among its own kind is believed here.
    pub(super) fn takes_weak(&mut self, head: &Head) -> bool {
        let near = matches!(
            (self.format, head.format),
            (Format::Uvicorn, Format::LevelFirst) | (Format::LevelFirst, Format::Basic)
        );
        if self.format == head.format || near || self.kind() != Kind::Headed {
            return true;
        }
        self.other(head.format);
        self.format == head.format
    }

    /// Learns from a header that was believed.
    pub(super) fn learn(&mut self, head: &Head) {
        if head.format == self.format {
            self.confidence = MOST_CONFIDENCE.min(self.confidence + 1);
            self.rivals = 0;
            self.rival = Format::Unknown;
        } else if self.format == Format::Unknown {
            self.format = head.format;
            self.confidence = 1;
        } else {
            self.other(head.format);
        }
    }

    /// Whether [`Memory::learn`] of a header of this format would change nothing.
    #[inline]
    pub(super) fn is_settled_on(&self, format: Format) -> bool {
        let alone = self.rivals == 0 && self.rival == Format::Unknown && !self.places.is_active();
        self.format == format && self.confidence == MOST_CONFIDENCE && alone && !self.dated
    }

    /// What there is to know of the file where [`Memory::learn`] of a header of its format would change nothing.
    #[inline]
    pub(super) fn settled(&self) -> Option<Settled> {
        // Nor would `believe` of a header without a level.
        let bare = self.evidence == -MOST_EVIDENCE;
        let agreed = self.evidence == MOST_EVIDENCE;
        let (format, fresh) = (self.format, self.trace == Trace::None);
        let record = matches!(self.open, Open::Record | Open::Recorded | Open::Fields { .. });
        (self.is_settled_on(format) && !record).then_some(Settled {
            format,
            bare,
            agreed,
            fresh,
            whole: self.partial == 0,
        })
    }

    /// Whether a line without a header that is no part of a trace is an event of its own, and nothing is learnt from it.
    #[inline]
    pub(super) fn takes_sentences(&self) -> bool {
        let alone = self.format == Format::Unknown || self.format.kind() == Kind::Record;
        let open = matches!(self.open, Open::None | Open::Bare | Open::Headed);
        let learns = self.evidence > -MOST_EVIDENCE || self.places.is_active();
        alone && open && !learns && self.trace == Trace::None && !self.dated
    }

    /// Whether such a line goes on with the open event, or what is indented does inside of a trace.
    #[inline]
    pub(super) fn goes_on(&self) -> bool {
        let open = matches!(self.open, Open::Bare | Open::Headed) && !self.dated && !self.is_placed();
        open && (self.trace != Trace::None || self.kind() == Kind::Headed)
    }

    fn other(&mut self, format: Format) {
        self.rivals = if self.rival == format { self.rivals.saturating_add(1) } else { 1 };
        self.rival = format;
        if self.rivals >= REVISED_AFTER {
            self.format = format;
            self.confidence = self.rivals;
            self.rivals = 0;
            self.rival = Format::Unknown;
        }
    }

    /// Learns from a line without a header in a file that may have no layout.
    pub(super) fn learn_bare(&mut self) {
        self.count(-1);
        if matches!(self.format, Format::LevelFirst | Format::Named) && self.confidence < HEADED_AFTER {
            self.confidence = self.confidence.saturating_sub(1);
            if self.confidence == 0 {
                self.format = Format::Unknown;
            }
        }
    }

    /// The header's level, as far as its place is believed in this file.
    pub(super) fn believe(&mut self, head: &Head) -> Level {
        let Some(level) = head.level else {
            self.count(-1);
            return Level::Unknown;
        };
        match head.trust {
            Trust::Sure => level,
            Trust::Likely => {
                let believed = self.evidence >= 0;
                self.count(1);
                if believed { level } else { Level::Unknown }
            }
            Trust::Agreed => {
                let believed = (AGREED..=MOST_EVIDENCE).contains(&self.evidence);
                self.count(1);
                if believed { level } else { Level::Unknown }
            }
            Trust::Doubtful => {
                self.evidence = match self.evidence {
                    0 => DOUBTS + 1,
                    MOST_DOUBTS => 1,
                    doubts if doubts > DOUBTS => doubts + 1,
                    evidence => evidence,
                };
                if (1..=MOST_EVIDENCE).contains(&self.evidence) { level } else { Level::Unknown }
            }
        }
    }

    /// One more line for a level, or against.
    fn count(&mut self, by: i8) {
        let evidence = if self.evidence > DOUBTS { 0 } else { self.evidence };
        self.evidence = (evidence + by).clamp(-MOST_EVIDENCE, MOST_EVIDENCE);
    }

    /// An event began.
    pub(super) fn begin(&mut self, open: Open, trace: Trace) {
        self.open = open;
        self.trace = trace;
        self.dated = false;
    }
}
