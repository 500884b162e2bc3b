//! Whether lines that rules matched are shown, and what is blacked out of them.

use super::raw::RawSwitch;
use super::ready::Problems;
use crate::redact::Redactor;
use crate::rules::yaml::{At, Many};
use std::sync::Arc;

/// What makes samples fit to be shown; `None` where there are none.
pub(super) fn ready(
    switch: Option<At<RawSwitch>>,
    own: Option<Many<At<String>>>,
    problems: &mut Problems,
) -> Option<Arc<Redactor>> {
    let on = super::switch::switch("samples", switch, true, problems);
    let own = own.map(|list| list.0).unwrap_or_default();
    let texts: Vec<&str> = own.iter().map(|text| text.value.as_str()).collect();
    match Redactor::new(&texts) {
        Ok(redactor) => on.then(|| Arc::new(redactor)),
        Err(bad) => {
            for (at, message) in bad {
                let hint = "write a regex of what must not be shown, such as 'CUST-[0-9]+'";
                problems.error(&own[at], message, hint);
            }
            None
        }
    }
}
