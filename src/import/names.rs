//! Names that rules can have, made of names that other programs allow.

/// Labels that log metrics carry already.
const TAKEN: [(&str, &str); 7] = [
    ("input", "source"),
    ("path", "url_path"),
    ("pattern", "kind"),
    ("level", "severity"),
    ("le", "upper"),
    ("quantile", "part"),
    ("exception", "exception_name"),
];

/// A word of letters, digits and underscores that begins with a letter.
pub(super) fn word(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let word: String = text.chars().map(plain).take(90).collect();
    match word.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => word,
        Some('_') if word.len() > 1 => word.trim_start_matches('_').to_owned(),
        _ => format!("x{word}"),
    }
}

/// A label's name, and whether it is another than before.
pub(super) fn label(text: &str) -> (String, bool) {
    let name = TAKEN
        .iter()
        .find(|(taken, _)| *taken == text)
        .map_or_else(|| word(text), |(_, new)| (*new).to_owned());
    let changed = name != text;
    (name, changed)
}

/// A metric's name as Prometheus' naming wants it for its type, and whether it is another than before.
pub(super) fn metric(text: &str, kind: &str) -> (String, bool) {
    let mut name = word(text);
    if ["logtally_", "node_", "process_"].iter().any(|own| name.starts_with(own)) || is_own(&name) {
        name = format!("app_{name}");
    }
    if kind == "counter" {
        if !name.ends_with("_total") {
            name.push_str("_total");
        }
    } else {
        let stem = name.strip_suffix("_total").unwrap_or(&name);
        let ends = ["_bucket", "_sum", "_count", "_created", "_info"];
        let end = ends.iter().find_map(|end| stem.strip_suffix(end)).filter(|_| kind == "histogram");
        name = end.unwrap_or(stem).to_owned();
    }
    let changed = name != text;
    (name, changed)
}

fn is_own(name: &str) -> bool {
    let own = ["events_total", "lines_total", "bytes_total", "pattern_events_total", "exceptions_total"];
    name.strip_prefix("log_").is_some_and(|rest| own.contains(&rest))
}

/// The name, or the name with a number that `taken` does not know.
pub(super) fn unique(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}

/// The stem of a file's name, as the name of a group.
pub(super) fn group(file: &str) -> String {
    let name = std::path::Path::new(file).file_stem().unwrap_or_default();
    word(&name.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_good_ones() {
        assert_eq!(metric("connection-time_total", "counter"), ("connection_time_total".to_owned(), true));
        assert_eq!(metric("logins", "counter"), ("logins_total".to_owned(), true));
        assert_eq!(metric("retries_total", "gauge"), ("retries".to_owned(), true));
        assert_eq!(metric("latency_count", "histogram"), ("latency".to_owned(), true));
        assert_eq!(metric("node_x", "gauge"), ("app_node_x".to_owned(), true));
        assert_eq!(metric("log_lines_total", "counter").0, "app_log_lines_total");
        assert_eq!(label("path"), ("url_path".to_owned(), true));
        assert_eq!(label("code"), ("code".to_owned(), false));
        assert_eq!(group("/etc/mtail/ntpd-peers.mtail"), "ntpd_peers");
        assert_eq!(unique("a", |name| name == "a" || name == "a_2"), "a_3");
    }
}
