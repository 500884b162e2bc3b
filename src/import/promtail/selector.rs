//! LogQL's stream selectors and line filters, as far as they stand in `match` stages.

/// Labels with their signs and values, and filters with whether they must hold.
pub(super) type Selector = (Vec<(String, &'static str, String)>, Vec<(bool, String)>);

/// Reads a selector; `None` for what rules do not know.
pub(super) fn parse(text: &str) -> Option<Selector> {
    let inner = text.trim().strip_prefix('{')?;
    let mut rest = inner;
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start().trim_start_matches(',').trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            rest = after;
            break;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        let (name, after) = rest.split_at(end);
        let after = after.trim_start();
        let sign = ["=~", "!~", "!=", "="].into_iter().find(|sign| after.starts_with(sign))?;
        if sign.ends_with('~') {
            return None;
        }
        let (value, after) = quoted(after[sign.len()..].trim_start())?;
        labels.push((name.to_owned(), sign, value));
        rest = after;
    }
    let mut filters = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Some((labels, filters));
        }
        let sign = ["|=", "!=", "|~", "!~"].into_iter().find(|sign| rest.starts_with(sign))?;
        let (value, after) = quoted(rest[2..].trim_start())?;
        let regex = if sign.ends_with('=') { regex::escape(&value) } else { value };
        filters.push((sign.starts_with('|'), regex));
        rest = after;
    }
}

/// A text in quotes or backquotes, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    if let Some(inner) = text.strip_prefix('`') {
        let (value, after) = inner.split_once('`')?;
        return Some((value.to_owned(), after));
    }
    let inner = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &inner[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                c => value.push(c),
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_and_their_filters() {
        let (labels, filters) = parse(r#"{app="x", env != "a\"b"} |= "a.b" !~ `c\d`"#).unwrap();
        assert_eq!(labels[0], ("app".to_owned(), "=", "x".to_owned()));
        assert_eq!(labels[1], ("env".to_owned(), "!=", "a\"b".to_owned()));
        assert_eq!(filters, [(true, "a\\.b".to_owned()), (false, "c\\d".to_owned())]);
        for bad in ["", "app", r#"{app=~"x"}"#, r#"{app="x"} | json"#, r#"{app="x"#] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
