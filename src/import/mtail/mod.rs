//! mtail's programs: a language of patterns and actions becomes rules.
//!
//! [`lex`] and [`parse`] read the text into [`tree`]; [`mod@convert`] follows every way through the blocks to an action;
//! what must hold on the way there ([`way`](super::way)) is the rule's expression, and [`action`] is what it counts.

mod action;
mod condition;
mod convert;
mod draft;
mod feed;
mod lex;
mod local;
mod look;
mod memory;
mod parse;
mod tree;

use super::{Converted, Remarks, names, write};
use crate::error::{Place, Problem};

/// Converts a program.
///
/// # Errors
/// The place where it is no program.
pub(super) fn convert(file: &str, text: &str) -> Result<Converted, Vec<Problem>> {
    let program = parse::program(text).map_err(|(line, message)| {
        let hint = "check that it is an mtail program: `mtail --compile_only --progs FILE`";
        vec![
            Problem::error(Place::new(file, line, 0), format!("this is no mtail program: {message}"))
                .hint(hint),
        ]
    })?;
    let mut remarks = Remarks::new(file);
    let (program, set) = look::without_set_counters(program);
    for (line, name) in set {
        let hint =
            "Prometheus takes a counter for something that only goes up; rate() finds the same in a gauge";
        remarks.note(line, format!("the counter `{name}` is set, and becomes a gauge"), hint);
    }
    let rules = convert::rules(&program, &mut remarks);
    let name = names::group(file);
    let from = format!("Converted from the mtail program {} by `logtally import mtail`.", short(file));
    let lines =
        "mtail looks at each line for itself: give the input `multiline: off`, so that none joins another.";
    let rules = write::group(&[&from, lines], &name, &[], &rules);
    Ok(Converted { rules, inputs: String::new(), remarks: remarks.list, ..Converted::default() })
}

fn short(file: &str) -> String {
    std::path::Path::new(file).file_name().unwrap_or_default().to_string_lossy().into_owned()
}
