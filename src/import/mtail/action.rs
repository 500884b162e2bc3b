//! Actions: what one adds to which metric, under which labels, as far as a rule can say it.

use super::super::captures::{content, words};
use super::super::way::Way;
use super::super::write::{Label, Metric};
use super::tree::{Declared, Expr};

/// A value of an action: the capture that it takes, its unit and a sign.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// One, for `++`.
    One,
    Constant(String),
    /// The time since the start of a span.
    Elapsed,
    Capture {
        id: String,
        /// What divides it: `ms` for a thousandth.
        unit: Option<&'static str>,
        /// Why it is not exact.
        doubt: Option<String>,
    },
}

/// A label's template in which captures are still under their numbers: `${k1k}`.
pub(super) struct Labelled {
    pub(super) label: Label,
    pub(super) used: Vec<String>,
    /// What differs.
    pub(super) doubt: Option<String>,
}

type Refused = (String, &'static str);

/// The value that is added or set.
pub(super) fn value(expr: &Expr, way: &Way) -> Result<Value, Refused> {
    match expr {
        Expr::Number(text) => Ok(Value::Constant(text.clone())),
        Expr::Capture(name) => {
            let id = capture(name, way)?;
            Ok(Value::Capture { id, unit: None, doubt: None })
        }
        Expr::Call(name, arguments) => match (name.as_str(), arguments.as_slice()) {
            ("int" | "float", [inner]) => value(inner, way),
            ("strtol", [inner, Expr::Number(base)]) if base == "10" => value(inner, way),
            ("timestamp", []) => Err((
                "timestamp() has no equivalent: rules have no clock".to_owned(),
                "log_last_event_timestamp_seconds is the time of the last event of each file",
            )),
            _ => Err((format!("{name}() of a value has no equivalent"), BY_HAND)),
        },
        Expr::Binary(sign @ ("/" | "*"), left, right) => scaled(sign, left, right, way),
        Expr::Name(name, _) => {
            let message = format!("the value of `{name}` is remembered from another line");
            Err((message, "capture the value in the line that counts it"))
        }
        Expr::Elapsed => Ok(Value::Elapsed),
        Expr::Kept(id) => Ok(Value::Capture { id: id.clone(), unit: None, doubt: None }),
        Expr::Text(_) => Err(("a text is no value".to_owned(), BY_HAND)),
        _ => Err(("this arithmetic has no equivalent".to_owned(), BY_HAND)),
    }
}

const BY_HAND: &str = "export the captured values as they are and calculate in PromQL";

fn capture(name: &str, way: &Way) -> Result<String, Refused> {
    let found = way.capture(name).filter(|id| way.holder(id).is_some());
    found
        .map(str::to_owned)
        .ok_or_else(|| (format!("no expression around it captures `${name}`"), "check the name"))
}

/// A value times a constant that a unit stands for.
fn scaled(sign: &str, left: &Expr, right: &Expr, way: &Way) -> Result<Value, Refused> {
    let refused = || ("this arithmetic has no equivalent".to_owned(), BY_HAND);
    let (inner, number) = match (sign, left, right) {
        (_, inner, Expr::Number(number)) => (inner, number),
        ("*", Expr::Number(number), inner) => (inner, number),
        _ => return Err(refused()),
    };
    let Value::Capture { id, unit: None, .. } = value(inner, way)? else { return Err(refused()) };
    let factor: f64 = number.parse().map_err(|_| refused())?;
    let unit = match (sign, factor) {
        ("/", 1e3) => "ms",
        ("/", 1e6) => "us",
        ("/", 1e9) => "ns",
        ("/", 100.0) => "percent",
        ("*", 60.0) => "m",
        ("*", 3600.0) => "h",
        ("*", 86400.0) => "d",
        ("*", 1000.0) => "kB",
        ("*", 1024.0) => "KiB",
        ("*", 1048576.0) => "MiB",
        _ => return Err(refused()),
    };
    let whole = !number.contains(['.', 'e', 'E']);
    let held = way.holder(&id).and_then(|at| content(&way.found[at].0, &id)).unwrap_or_default();
    let drops = sign == "/" && whole && !held.contains('.');
    let doubt = drops.then(|| {
        format!("`/ {number}` of whole numbers drops what is behind the point in mtail, and keeps it here")
    });
    Ok(Value::Capture { id, unit: Some(unit), doubt })
}

/// A key of a metric as a label.
pub(super) fn label(expr: &Expr, way: &Way) -> Result<Labelled, Refused> {
    let plain = |value: String, used| Labelled { label: Label { value, map: Vec::new() }, used, doubt: None };
    match expr {
        Expr::Text(text) | Expr::Number(text) => Ok(plain(text.replace('$', "$$"), Vec::new())),
        Expr::Capture(name) => {
            let id = capture(name, way)?;
            Ok(plain(format!("${{{id}}}"), vec![id]))
        }
        Expr::Kept(id) => Ok(plain(format!("${{{id}}}"), vec![id.clone()])),
        Expr::Call(name, arguments) => match (name.as_str(), arguments.as_slice()) {
            ("string" | "int", [inner]) => label(inner, way),
            ("tolower", [inner]) => {
                let mut labelled = label(inner, way)?;
                let held = labelled
                    .used
                    .first()
                    .and_then(|id| way.holder(id).and_then(|at| content(&way.found[at].0, id)));
                match held.as_deref().and_then(words) {
                    Some(words) => {
                        let pair = |word: &String| (format!("^{word}$"), word.to_lowercase());
                        let upper = words.iter().filter(|word| word.to_lowercase() != **word);
                        labelled.label.map = upper.map(pair).collect();
                    }
                    None => {
                        labelled.doubt =
                            Some("tolower() has no equivalent: the label keeps its letters".to_owned())
                    }
                }
                Ok(labelled)
            }
            _ => Err((format!("{name}() as a key has no equivalent"), "capture what becomes the label")),
        },
        Expr::Binary("+", left, right) => {
            let (left, right) = (label(left, way)?, label(right, way)?);
            if !left.label.map.is_empty() || !right.label.map.is_empty() {
                return Err(("this key has no equivalent".to_owned(), "capture what becomes the label"));
            }
            let used = left.used.into_iter().chain(right.used).collect();
            Ok(plain(left.label.value + &right.label.value, used))
        }
        Expr::Name(name, _) => {
            let message = format!("the key `{name}` is remembered from another line, or set by an action");
            Err((message, "capture the label in the line that counts, or map its values by `map:`"))
        }
        _ => Err(("this key has no equivalent".to_owned(), "capture what becomes the label")),
    }
}

/// The metric that an action feeds: its type here, and what the sign does to it.
pub(super) fn metric(
    name: String,
    declared: &Declared,
    sign: &str,
    value: &Value,
) -> Result<Metric, (String, &'static str)> {
    let unit = match value {
        Value::Capture { unit, .. } => *unit,
        Value::Elapsed => Some("s"),
        _ => None,
    };
    let metric = |kind, action| Metric { kind, name: name.clone(), unit, action, ..Metric::default() };
    match (declared.kind.as_str(), sign) {
        ("counter", "++" | "+=") => Ok(metric("counter", None)),
        ("counter", _) => {
            let message = format!("the counter `{}` is set, and counters only go up", declared.name);
            Err((message, "declare it as a gauge in the program and convert it again"))
        }
        ("histogram", "=") => Ok(Metric { buckets: declared.buckets.clone(), ..metric("histogram", None) }),
        ("histogram", _) => Err(("a histogram observes by `=` only".to_owned(), "see docs/rules.md")),
        (_, "=") => Ok(metric("gauge", None)),
        (_, "++" | "+=") => Ok(metric("gauge", Some("inc"))),
        _ => Ok(metric("gauge", Some("dec"))),
    }
}
