//! The labels of a rule, checked against its captures.

use super::names;
use super::raw::RawLabel;
use super::sink::Sink;
use super::yaml::{At, Pairs, nearest};
use crate::tally::spec::{LABEL_CHARS, Label};
use crate::tally::template::Template;

/// More values than this are no list of values but a label without bounds.
const MAX_VALUES: usize = 1000;

pub(super) fn compile(raw: Pairs<RawLabel>, captures: &[String], sink: &mut Sink<'_>) -> Vec<Label> {
    raw.0.into_iter().filter_map(|(name, label)| one(name, label, captures, sink)).collect()
}

fn one(name: At<String>, raw: RawLabel, captures: &[String], sink: &mut Sink<'_>) -> Option<Label> {
    let fault = names::label(&name.value);
    let mut good = !fault.is_some_and(|fault| sink.fault(name.spot, fault));
    let template = template(&raw.value, captures, sink);
    let mut map = Vec::with_capacity(raw.map.0.len());
    for (from, to) in raw.map.0 {
        match regex::Regex::new(&from.value) {
            Ok(regex) => map.push((regex, to.value)),
            Err(_) => {
                let refusal = super::expression::check(&from.value).err();
                let (at, message, hint) = match refusal {
                    Some(refusal) => (refusal.at, refusal.message, refusal.hint),
                    None => (0, "bad expression: it can match what is not UTF-8".to_owned(), None),
                };
                sink.error_at(&from, at, message, hint);
                good = false;
            }
        }
    }
    if raw.values.len() > MAX_VALUES {
        let message = format!("{} values are declared, at most {MAX_VALUES} are allowed", raw.values.len());
        sink.error(raw.value.spot, message, "map the values to fewer, by `map:`");
        good = false;
    }
    for value in &raw.values {
        if value.chars().count() > LABEL_CHARS {
            let message = format!("a declared value is longer than {LABEL_CHARS} characters");
            sink.error(raw.value.spot, message, "label values are cut there, so it would never occur");
            good = false;
        }
    }
    good.then_some(())?;
    Some(Label::new(name.value, template?, map, raw.default, raw.values))
}

/// A template whose names are captures of the rule, or fields of structured events, which cannot be known here.
pub(super) fn template(text: &At<String>, captures: &[String], sink: &mut Sink<'_>) -> Option<Template> {
    let template = match Template::parse(&text.value) {
        Ok(template) => template,
        Err(error) => {
            let hint = "write `${name}` for a capture `(?P<name>…)`, and `$$` for a dollar sign".to_owned();
            sink.error_at(text, error.at, error.message, Some(hint));
            return None;
        }
    };
    for name in template.names() {
        if captures.iter().any(|capture| capture == name) {
            continue;
        }
        // A field's name may be anything; one that is nearly a capture's is a slip.
        if let Some(meant) = nearest(name, captures.iter().map(String::as_str)) {
            let message =
                format!("no expression of the rule captures `{name}`, it is taken as a field's name");
            sink.warning(text.spot, message, format!("did you mean `${{{meant}}}`?"));
        }
    }
    Some(template)
}
