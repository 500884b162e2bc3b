//! Access records among JSON lines: a status beside a method, a request or a URI. Names of nginx, Caddy, Traefik,
//! Envoy, morgan, pino-http, ECS and their like; only asked where a line has no level of its own.

use super::{Pairs, Value};
use crate::level::Level;
use crate::parse::access::status_level;

#[derive(Default)]
struct Seen {
    status: Option<Level>,
    request: bool,
}

/// The level by the status of an access record; `None` for any other object.
pub(super) fn level(text: &[u8]) -> Option<Level> {
    let mut seen = Seen::default();
    walk(text, 0, &mut seen, false);
    seen.status.filter(|_| seen.request)
}

fn walk(text: &[u8], at: usize, seen: &mut Seen, nested: bool) {
    let mut pairs = Pairs::new(text, at);
    while let Some(pair) = pairs.as_mut().and_then(Pairs::step) {
        let (key, value) = (&text[pair.key.0..pair.key.1], pair.value);
        let object = !value.string && text.get(value.from) == Some(&b'{');
        let is = |names: &[&[u8]]| names.iter().any(|name| key.eq_ignore_ascii_case(name));
        if object {
            let known = is(&[b"request", b"req", b"response", b"res", b"http", b"httpRequest"]);
            if known && !nested {
                walk(text, value.from, seen, true);
                // ECS nests twice: `http.response.status_code`.
                for inner in [&b"request"[..], b"response"].iter().filter(|_| is(&[b"http"])) {
                    if let Some(value) = super::member(text, value.from, inner) {
                        walk(text, value.from, seen, true);
                    }
                }
            }
        } else if is(STATUS) {
            seen.status = seen.status.or(status(text, &value));
        } else if is(METHOD) {
            seen.request = true;
        }
        if seen.status.is_some() && seen.request {
            return;
        }
    }
}

const STATUS: &[&[u8]] = &[
    b"status",
    b"status_code",
    b"statuscode",
    b"http_status",
    b"http_status_code",
    b"response_code",
    b"response_status",
    b"responsestatus",
    b"downstreamstatus",
    b"response.status",
    b"response.status_code",
    b"http.status_code",
    b"http.response.status_code",
    b"sc-status",
];

const METHOD: &[&[u8]] = &[
    b"method",
    b"verb",
    b"request",
    b"request_method",
    b"requestmethod",
    b"http_method",
    b"http.method",
    b"http.request.method",
    b"request.method",
    b"cs-method",
    b"uri",
    b"request_uri",
    b"requesturi",
    b"requestpath",
    b"request_path",
    b"requesturl",
    b"cs-uri-stem",
];

/// Three digits, as a number or as a string.
fn status(text: &[u8], value: &Value) -> Option<Level> {
    let bytes = text.get(value.from..value.to)?;
    let [b'1'..=b'5', rest @ ..] = bytes else { return None };
    (rest.len() == 2 && rest.iter().all(u8::is_ascii_digit)).then(|| status_level(bytes))
}
