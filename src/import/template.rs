//! Go templates of labels and values, as far as captures, units and maps say the same.

use super::write::Label;

/// A label: texts, fields, and one comparison of a field with a text.
pub(super) fn label(text: &str) -> Option<Label> {
    if let Some(label) = choice(text) {
        return Some(label);
    }
    let mut value = String::new();
    for (inside, part) in parts(text)? {
        match inside {
            true => value.push_str(&format!("${{{}}}", field(part)?)),
            false => value.push_str(&part.replace('$', "$$")),
        }
    }
    Some(Label { value, map: Vec::new() })
}

/// A value: a number, a field, or a field divided or multiplied by what a unit stands for.
pub(super) fn value(text: &str) -> Option<(String, Option<&'static str>)> {
    if text.trim().parse::<f64>().is_ok() {
        return Some((text.trim().to_owned(), None));
    }
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    if let Some(name) = field(inner) {
        return Some((format!("${{{name}}}"), None));
    }
    let words: Vec<&str> = inner.split_whitespace().collect();
    let [sign @ ("divide" | "multiply"), name, number] = words.as_slice() else { return None };
    let factor: f64 = number.parse().ok()?;
    let unit = match (*sign, factor) {
        ("divide", 1e3) => "ms",
        ("divide", 1e6) => "us",
        ("divide", 1e9) => "ns",
        ("divide", 100.0) => "percent",
        ("multiply", 60.0) => "m",
        ("multiply", 3600.0) => "h",
        ("multiply", 86400.0) => "d",
        ("multiply", 1000.0) => "kB",
        ("multiply", 1024.0) => "KiB",
        ("multiply", 1048576.0) => "MiB",
        _ => return None,
    };
    Some((format!("${{{}}}", field(name)?), Some(unit)))
}

/// `.name`
fn field(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix('.')?;
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(good)).then_some(name)
}

/// Texts outside of and inside of braces.
fn parts(text: &str) -> Option<Vec<(bool, &str)>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inner, after) = after.split_once("}}")?;
        parts.push((false, before));
        parts.push((true, inner));
        rest = after;
    }
    parts.push((false, rest));
    Some(parts)
}

/// `{{if eq .user "alice"}}1{{else}}0{{end}}`
fn choice(text: &str) -> Option<Label> {
    let parts = parts(text)?;
    let [(_, ""), (_, ask), (_, yes), (_, other), (_, no), (_, end), (_, "")] = parts.as_slice() else {
        return None;
    };
    if other.trim() != "else" || end.trim() != "end" {
        return None;
    }
    let (name, wanted) = ask.trim().strip_prefix("if eq ")?.trim().split_once(' ')?;
    let wanted = wanted.trim().strip_prefix('"')?.strip_suffix('"')?;
    let map =
        vec![(format!("^{}$", regex::escape(wanted)), (*yes).to_owned()), ("^".to_owned(), (*no).to_owned())];
    Some(Label { value: format!("${{{}}}", field(name)?), map })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_that_have_an_equivalent() {
        assert_eq!(label("user {{.user}} on {{ .host }}$").unwrap().value, "user ${user} on ${host}$$");
        assert_eq!(value("{{divide .ms 1000}}"), Some(("${ms}".to_owned(), Some("ms"))));
        assert_eq!(value("{{.val}}"), Some(("${val}".to_owned(), None)));
        assert_eq!(value("1.5"), Some(("1.5".to_owned(), None)));
        let chosen = label(r#"{{if eq .user "a.b"}}1{{else}}0{{end}}"#).unwrap();
        assert_eq!(chosen.map, [("^a\\.b$".to_owned(), "1".to_owned()), ("^".to_owned(), "0".to_owned())]);
    }

    #[test]
    fn others_have_none() {
        for text in ["{{gsub .a \"b\" \"c\"}}", "{{.a.b}}", "{{", "{{index .extra \"user\"}}"] {
            assert_eq!(label(text), None, "{text}");
        }
        for text in ["{{add .a 1}}", "{{divide .a 7}}", "a{{.b}}"] {
            assert_eq!(value(text), None, "{text}");
        }
    }
}
