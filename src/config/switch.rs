//! Keys that are `on` or `off`.

use super::raw::{Either, RawSwitch};
use super::ready::Problems;
use crate::rules::yaml::At;

/// What a key of this name says; `default` where it is not there.
pub(super) fn switch(name: &str, raw: Option<At<RawSwitch>>, default: bool, problems: &mut Problems) -> bool {
    let Some(At { value, spot }) = raw else { return default };
    let found = match value {
        Either::Word(word) if word == "on" => return true,
        Either::Word(word) if word == "off" => return false,
        Either::Word(word) => format!("'{word}'"),
        Either::Map(_) => "a mapping".to_owned(),
    };
    let hint = format!("write {name}: off, or {name}: on");
    problems.error_at(spot, format!("{name} is {found}"), hint);
    default
}
