//! `'${capture}'` with text around it: what labels and values are written with.
//!
//! A name in braces is a capture of the rule's expression or a field of a structured event; `$$` is a dollar sign.

use std::borrow::Cow;

/// Finds the text of a capture or field; `None` where the event has none.
pub type Lookup<'a, 'e> = dyn Fn(&str) -> Option<Cow<'e, str>> + 'a;

/// A text with places for captures, parsed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(String),
}

/// What is wrong with a template, and at which byte of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Offset in the template's text.
    pub at: usize,
    /// One sentence without a full stop.
    pub message: String,
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut at = 0;
        while let Some(dollar) = text[at..].find('$').map(|i| at + i) {
            plain.push_str(&text[at..dollar]);
            let after = &text[dollar + 1..];
            if after.starts_with('$') {
                plain.push('$');
                at = dollar + 2;
            } else if let Some(inner) = after.strip_prefix('{') {
                let name = inner.find('}').map(|end| &inner[..end]).ok_or_else(|| TemplateError {
                    at: dollar,
                    message: "`${` without its `}`".to_owned(),
                })?;
                if !is_name(name) {
                    let message = format!("`${{{name}}}` names no capture or field");
                    return Err(TemplateError { at: dollar, message });
                }
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(Part::Name(name.to_owned()));
                at = dollar + 3 + name.len();
            } else {
                let message = "a `$` is followed by `{name}`, or doubled to stand for itself".to_owned();
                return Err(TemplateError { at: dollar, message });
            }
        }
        plain.push_str(&text[at..]);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template { parts })
    }

    /// Appends the text with its names filled in; a name that the event lacks adds nothing.
    pub fn render(&self, lookup: &Lookup<'_, '_>, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Name(name) => out.push_str(&lookup(name).unwrap_or_default()),
            }
        }
    }

    /// The names it refers to, in order, repeated where it repeats them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The name, where the template is that name and nothing else.
    pub fn only_name(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Name(name)] => Some(name),
            _ => None,
        }
    }

    /// The text, where it refers to no name.
    pub fn constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}

/// Captures are words; fields may hold dots, dashes and the like, but nothing that makes a template unreadable.
fn is_name(name: &str) -> bool {
    let unreadable = |c: char| c.is_whitespace() || c.is_control() || "{}$'\"\\".contains(c);
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && !name.contains(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str) -> String {
        let mut out = String::new();
        let lookup = |name: &str| match name {
            "db" => Some(Cow::Borrowed("users")),
            "user.name" => Some(Cow::Owned("ann".to_owned())),
            _ => None,
        };
        Template::parse(template).unwrap().render(&lookup, &mut out);
        out
    }

    #[test]
    fn names_are_filled_in_and_text_stays() {
        assert_eq!(render("${db}"), "users");
        assert_eq!(render("db-${db}/${user.name}!"), "db-users/ann!");
        assert_eq!(render("$$${db}$$ {x}"), "$users$ {x}");
        assert_eq!(render("[${none}]"), "[]");
        assert_eq!(render(""), "");
    }

    #[test]
    fn broken_templates_say_where() {
        for (text, at) in
            [("a ${db", 2), ("${}", 0), ("x${a b}", 1), ("cost $5", 5), ("${1}", 0), ("end$", 3)]
        {
            assert_eq!(Template::parse(text).unwrap_err().at, at, "{text}");
        }
    }

    #[test]
    fn a_template_knows_its_names() {
        let template = Template::parse("${a}-${b.c}").unwrap();
        assert_eq!(template.names().collect::<Vec<_>>(), ["a", "b.c"]);
        assert_eq!(template.constant(), None);
        assert_eq!(Template::parse("2xx").unwrap().constant(), Some("2xx"));
        assert_eq!(Template::parse("${a}").unwrap().only_name(), Some("a"));
    }
}
