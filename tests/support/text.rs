//! A strict reader of the Prometheus text format 0.0.4, written apart from the exporter's own code: what is not
//! exactly right fails the test.

use std::collections::{BTreeMap, BTreeSet};

/// One scrape.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scrape {
    /// Families: type and help, by name.
    pub(crate) families: BTreeMap<String, (String, String)>,
    /// Values by series; labels are sorted.
    pub(crate) series: BTreeMap<String, f64>,
}

impl Scrape {
    /// The sum of the series of a name whose labels hold all of these.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.matching(name, labels).map(|(_, value)| value).sum()
    }

    /// The one series of a name with all of these labels; it must be there, and alone.
    pub(crate) fn one(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let found: Vec<_> = self.matching(name, labels).collect();
        assert_eq!(found.len(), 1, "{name} {labels:?}: {found:?}");
        found[0].1
    }

    /// Whether a series of a name with all of these labels is there.
    pub(crate) fn has(&self, name: &str, labels: &[(&str, &str)]) -> bool {
        self.matching(name, labels).next().is_some()
    }

    /// Series of a name whose labels hold all of these.
    pub(crate) fn matching(&self, name: &str, labels: &[(&str, &str)]) -> impl Iterator<Item = (&str, f64)> {
        let start = format!("{name}{{");
        let wanted: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
        let name = name.to_owned();
        let fits = move |series: &str| {
            let rest = series.strip_prefix(start.as_str());
            let parts: Vec<&str> =
                rest.map_or(Vec::new(), |rest| rest.trim_end_matches('}').split('\u{1}').collect());
            (rest.is_some() || series == name) && wanted.iter().all(|want| parts.contains(&want.as_str()))
        };
        self.series.iter().filter(move |(series, _)| fits(series)).map(|(series, value)| (&**series, *value))
    }

    /// Series whose names begin so, as lines.
    pub(crate) fn lines(&self, start: &str) -> Vec<String> {
        let shown = |(series, value): (&String, &f64)| format!("{} {value}", series.replace('\u{1}', ","));
        self.series.iter().filter(|(series, _)| series.starts_with(start)).map(shown).collect()
    }

    /// The type of the family that a series belongs to.
    pub(crate) fn kind(&self, series: &str) -> &str {
        let name = series.split('{').next().unwrap_or_default();
        let family = family_of(name, &self.families).unwrap_or_else(|| panic!("{name} has a family"));
        &self.families[&family].0
    }
}

/// Reads a scrape; panics where the format is broken.
pub(crate) fn parse(text: &str) -> Scrape {
    assert!(text.is_empty() || text.ends_with('\n'), "the last line ends");
    let mut scrape = Scrape::default();
    let mut helps: BTreeMap<String, String> = BTreeMap::new();
    let mut closed = BTreeSet::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap_or((rest, ""));
            assert!(helps.insert(name.to_owned(), help.to_owned()).is_none(), "HELP of {name} twice");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or_else(|| panic!("a type: {line}"));
            assert!(["counter", "gauge", "histogram", "summary", "untyped"].contains(&kind), "{line}");
            assert!(closed.insert(name.to_owned()), "the samples of {name} stand together: {line}");
            let help =
                helps.get(name).cloned().unwrap_or_else(|| panic!("{name} has a HELP before its TYPE"));
            scrape.families.insert(name.to_owned(), (kind.to_owned(), help));
            current = name.to_owned();
        } else {
            assert!(!line.starts_with('#') && !line.is_empty(), "a line that is nothing: {line:?}");
            let (name, key, value) = sample(line);
            let family = family_of(name, &scrape.families);
            assert_eq!(family.as_deref(), Some(&*current), "a sample stands in its family: {line}");
            assert!(scrape.series.insert(key, value).is_none(), "a series twice: {line}");
        }
    }
    scrape
}

fn family_of(name: &str, families: &BTreeMap<String, (String, String)>) -> Option<String> {
    if families.get(name).is_some_and(|(kind, _)| kind != "histogram" && kind != "summary") {
        return Some(name.to_owned());
    }
    let of = |end: &str| name.strip_suffix(end).filter(|base| families.contains_key(*base));
    ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(|end| of(end))
        .map(str::to_owned)
        .or_else(|| families.contains_key(name).then(|| name.to_owned()))
}

/// Name, series with sorted labels (`\u{1}` between them), value.
fn sample(line: &str) -> (&str, String, f64) {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no value: {line}"));
    let name = &line[..end];
    assert!(is_name(name, true), "a metric name: {line}");
    let (labels, rest) = match line[end..].strip_prefix('{') {
        Some(rest) => labels(rest, line),
        None => (BTreeMap::new(), &line[end..]),
    };
    let mut words = rest.trim_start_matches(' ').split(' ');
    let value = words.next().unwrap_or_default();
    assert!(words.next().is_none(), "no timestamps of ours: {line}");
    let value = match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        number => number.parse().unwrap_or_else(|_| panic!("a number: {line}")),
    };
    if labels.is_empty() {
        return (name, name.to_owned(), value);
    }
    let shown: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
    (name, format!("{name}{{{}}}", shown.join("\u{1}")), value)
}

fn labels<'a>(mut rest: &'a str, line: &str) -> (BTreeMap<String, String>, &'a str) {
    let mut labels = BTreeMap::new();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return (labels, after);
        }
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("labels: {line}"));
        assert!(is_name(name, false), "a label name: {line}");
        let (value, after) = quoted(after, line);
        assert!(labels.insert(name.to_owned(), value).is_none(), "a label twice: {line}");
        rest = after.strip_prefix(',').unwrap_or(after);
    }
}

fn quoted<'a>(text: &'a str, line: &str) -> (String, &'a str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, c @ ('"' | '\\'))) => value.push(c),
                _ => panic!("an escape: {line}"),
            },
            c => value.push(c),
        }
    }
    panic!("a label value without an end: {line}")
}

fn is_name(name: &str, colons: bool) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':');
    !name.is_empty() && name.chars().all(good) && !name.starts_with(|c: char| c.is_ascii_digit())
}
