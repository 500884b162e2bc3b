//! What an input's config says about parsing.

use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::head::{Head, Place};
use crate::parse::word;
use regex::bytes::Regex;

/// Which format the lines have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FormatChoice {
    /// Found out from the lines.
    #[default]
    Auto,
    /// Declared.
    Named(Format),
    /// A regex with the captures `level` and `message`; a line that it does not match continues the event above.
    Custom(String),
}

/// Which lines begin an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Multiline {
    /// Found out from the lines.
    #[default]
    Auto,
    /// Every line that is not blank.
    Off,
    /// Those that the regex matches.
    Start(String),
}

/// How an input's lines are to be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The lines' format.
    pub format: FormatChoice,
    /// The beginnings of events.
    pub multiline: Multiline,
    /// Takes the level of lines without one from words in the message.
    pub keyword_levels: bool,
    /// Gives access-log lines the level of their status; without it they are `unknown`.
    pub access_levels: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            format: FormatChoice::Auto,
            multiline: Multiline::Auto,
            keyword_levels: false,
            access_levels: true,
        }
    }
}

/// [`Multiline`] with its regex compiled.
#[derive(Clone, Debug)]
pub(super) enum Start {
    Auto,
    Off,
    Regex(Regex),
}

fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| error.to_string())
}

impl FormatChoice {
    pub(super) fn compile(&self) -> Result<(Option<Regex>, Option<Format>), String> {
        match self {
            FormatChoice::Auto => Ok((None, None)),
            FormatChoice::Named(Format::Cri | Format::Docker | Format::Unknown) => Ok((None, None)),
            FormatChoice::Named(format) => Ok((None, Some(*format))),
            FormatChoice::Custom(pattern) => Ok((Some(compile(pattern)?), Some(Format::Custom))),
        }
    }
}

impl Multiline {
    pub(super) fn compile(&self) -> Result<Start, String> {
        Ok(match self {
            Multiline::Auto => Start::Auto,
            Multiline::Off => Start::Off,
            Multiline::Start(pattern) => Start::Regex(compile(pattern)?),
        })
    }
}

/// The header of a line that matches the config's own regex.
pub(super) fn custom_head(regex: &Regex, text: &[u8]) -> Option<Head> {
    let captures = regex.captures(text)?;
    let level = captures.name("level").map(|m| word::value(m.as_bytes()).unwrap_or(Level::Unknown));
    let mut head = Head::new(Format::Custom, level, 0);
    if let Some(message) = captures.name("message") {
        head.place = Place::Within(message.start(), message.end());
    }
    Some(head)
}
