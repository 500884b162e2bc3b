//! Lines that only stand inside a trace, whatever they say.

/// Lines that only stand below an exception of Java, .NET, Node, Ruby or PHP; `text` without its indent or with.
pub(in crate::parse) fn is_stack_line(text: &[u8]) -> bool {
    let rest = text.trim_ascii_start();
    let indented = rest.len() < text.len();
    let begins = |starts: &[&[u8]]| starts.iter().any(|start| rest.starts_with(start));
    match rest.first() {
        Some(b'a') => rest.starts_with(b"at ") && (indented || rest.ends_with(b")") || is_place(rest)),
        Some(b'f') => rest.starts_with(b"from ") && (indented || rest.ends_with(b")")),
        Some(b'C') => rest.starts_with(b"Caused by: ") || rest == b"Caused by:",
        Some(b'S') => begins(&[b"Suppressed: ", b"Stack trace:", b"Stack backtrace:"]),
        Some(b'W') => rest.starts_with(b"Wrapped by: "),
        Some(b'-') => begins(&[b"---> ", b"--- End of "]),
        Some(b'[') => rest.starts_with(b"[CIRCULAR REFERENCE"),
        Some(b'E') => rest.starts_with(b"Emitted 'error' event "),
        Some(b'.') => {
            rest.starts_with(b"... ") && (rest.ends_with(b"more") || rest.ends_with(b"common frames omitted"))
        }
        Some(b't') => rest.starts_with(b"thrown in "),
        Some(b'#') => matches!(rest, [_, digit, b' ' | b'0'..=b'9', ..] if digit.is_ascii_digit()),
        Some(b'N') => rest.starts_with(b"Node.js v"),
        _ => false,
    }
}

/// Whether a frame ends with its line and column, as Node's without a name do: `at /srv/app.js:12:3`.
fn is_place(text: &[u8]) -> bool {
    let mut parts = text.rsplit(|b| *b == b':');
    let number =
        |part: Option<&[u8]>| part.is_some_and(|p| !p.is_empty() && p.iter().all(u8::is_ascii_digit));
    number(parts.next()) && number(parts.next()) && parts.next().is_some()
}

/// Where Node's excerpt of a source says that it stands: `/srv/app.js:12`.
pub(in crate::parse) fn is_excerpt(text: &[u8]) -> bool {
    if !text.last().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let Some(colon) = memchr::memrchr(b':', text) else { return false };
    let (file, line) = (&text[..colon], &text[colon + 1..]);
    let script = [&b".js"[..], b".ts", b".mjs", b".cjs"].iter().any(|end| file.ends_with(end));
    (script || file.starts_with(b"node:")) && !line.is_empty() && line.iter().all(u8::is_ascii_digit)
}

pub(super) fn is_go_line(text: &[u8], indented: bool) -> bool {
    indented
        || [
            &b"goroutine "[..],
            b"created by ",
            b"exit status ",
            b"[signal ",
            b"panic: ",
            b"runtime stack:",
            b"runtime: ",
            b"main.",
        ]
        .iter()
        .any(|start| text.starts_with(start))
        || text.ends_with(b")")
        || text.len() < 40 && memchr::memmem::find(text, b"    0x").is_some()
}

/// Lines below a Rust panic's message.
pub(super) fn is_rust_line(text: &[u8]) -> bool {
    [&b"note: "[..], b"stack backtrace:", b"thread caused non-unwinding panic"]
        .iter()
        .any(|start| text.starts_with(start))
}
