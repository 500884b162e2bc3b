//! What a client accepts: its `Accept` and `Accept-Encoding` headers, by RFC 9110 with its q-values.
//!
//! Nothing is an error here. What cannot be read is passed over, and who accepts nothing we have gets plain text.

/// The format of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// Length-delimited `io.prometheus.client.MetricFamily` messages.
    Protobuf,
}

impl Format {
    /// All three, in the order in which we would choose.
    const ALL: [Format; 3] = [Format::Text, Format::OpenMetrics, Format::Protobuf];

    /// The `Content-Type` of an answer in this format. Prometheus 3 refuses a scrape without one.
    pub const fn content_type(self) -> &'static str {
        match self {
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }
}

/// The compression of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Encoding {
    /// The `Content-Encoding` of an answer; `None` for identity, which is not written.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Encoding::Identity => None,
            Encoding::Gzip => Some("gzip"),
            Encoding::Zstd => Some("zstd"),
        }
    }
}

/// One clause of a header: what it names, its parameters and its weight.
struct Clause<'a> {
    name: &'a str,
    params: Vec<(&'a str, &'a str)>,
    q: f32,
    position: usize,
}

impl Clause<'_> {
    fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| *v)
    }

    /// How exactly this clause means `format`: 3 by name, 2 by its major type, 1 by `*/*`; `None` if it does not.
    /// An `escaping=` parameter changes nothing: all our names are plain ASCII, so every scheme leaves them alone.
    fn fits(&self, format: Format) -> Option<u8> {
        let is = |name: &str| self.name.eq_ignore_ascii_case(name);
        if is("*/*") || is("*") {
            return Some(1);
        }
        let exact = match format {
            Format::Text if is("text/*") => return Some(2),
            Format::OpenMetrics | Format::Protobuf if is("application/*") => return Some(2),
            Format::Text => is("text/plain") && matches!(self.param("version"), None | Some("0.0.4")),
            Format::OpenMetrics => {
                is("application/openmetrics-text")
                    && matches!(self.param("version"), None | Some("1.0.0" | "0.0.1"))
            }
            Format::Protobuf => {
                is("application/vnd.google.protobuf")
                    && self.param("encoding") == Some("delimited")
                    && matches!(self.param("proto"), None | Some("io.prometheus.client.MetricFamily"))
            }
        };
        exact.then_some(3)
    }
}

/// The clauses of a header; those with an unreadable weight are passed over.
fn clauses(header: &str) -> impl Iterator<Item = Clause<'_>> {
    header.split(',').enumerate().filter_map(|(position, clause)| {
        let mut parts = clause.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        let mut q = 1.0;
        let mut params = Vec::new();
        for part in parts {
            let Some((key, value)) = part.split_once('=') else { continue };
            let (key, value) = (key.trim(), value.trim().trim_matches('"'));
            if key.eq_ignore_ascii_case("q") {
                q = value.parse::<f32>().ok().filter(|q| (0.0..=1.0).contains(q))?;
            } else {
                params.push((key, value));
            }
        }
        Some(Clause { name, params, q, position })
    })
}

/// The format that a client with this `Accept` header wants most. Between equal weights the more exact clause
/// wins, then the earlier one, then our own order. Without a header, or when nothing fits: text.
pub fn negotiate(accept: Option<&str>) -> Format {
    let clauses: Vec<Clause<'_>> = clauses(accept.unwrap_or("*/*")).collect();
    let mut best: Option<(f32, u8, std::cmp::Reverse<usize>, Format)> = None;
    for format in Format::ALL {
        // The most exact clause speaks for a format; among equally exact ones, the weightiest.
        let speaks = clauses
            .iter()
            .filter_map(|c| c.fits(format).map(|exact| (exact, c.q, std::cmp::Reverse(c.position))))
            .max_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        let Some((exact, q, position)) = speaks.filter(|(_, q, _)| *q > 0.0) else { continue };
        if best.is_none_or(|b| (q, exact, position) > (b.0, b.1, b.2)) {
            best = Some((q, exact, position, format));
        }
    }
    best.map_or(Format::Text, |(.., format)| format)
}

/// The compression that a client with this `Accept-Encoding` header wants most; zstd before gzip before none where
/// the weights are equal. `*` alone asks for nothing we would have to guess, so it means gzip.
pub fn encoding(accept_encoding: Option<&str>) -> Encoding {
    let clauses: Vec<Clause<'_>> = clauses(accept_encoding.unwrap_or("")).collect();
    let weight = |names: &[&str]| {
        clauses.iter().filter(|c| names.iter().any(|n| c.name.eq_ignore_ascii_case(n))).map(|c| c.q).next()
    };
    let zstd = weight(&["zstd"]).unwrap_or(0.0);
    let gzip = weight(&["gzip", "x-gzip"]).or(weight(&["*"])).unwrap_or(0.0);
    let identity = weight(&["identity"]).unwrap_or(0.0);
    if zstd > 0.0 && zstd >= gzip && zstd >= identity {
        Encoding::Zstd
    } else if gzip > 0.0 && gzip >= identity {
        Encoding::Gzip
    } else {
        Encoding::Identity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OM: &str = "application/openmetrics-text";
    const PB: &str =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

    #[test]
    fn what_real_clients_send() {
        let prometheus_2 =
            format!("{OM};version=1.0.0,{OM};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
        assert_eq!(negotiate(Some(&prometheus_2)), Format::OpenMetrics);
        let prometheus_3 = format!(
            "{OM};version=1.0.0;escaping=allow-utf-8;q=0.6,{OM};version=0.0.1;q=0.5,\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
        );
        assert_eq!(negotiate(Some(&prometheus_3)), Format::OpenMetrics);
        let native = format!("{PB},{OM};version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
        assert_eq!(negotiate(Some(&native)), Format::Protobuf);
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert_eq!(negotiate(Some(browser)), Format::Text);
        assert_eq!(negotiate(Some("*/*")), Format::Text);
        assert_eq!(negotiate(None), Format::Text);
    }

    #[test]
    fn weights_and_exactness_decide() {
        for (accept, want) in [
            ("text/plain;q=0.5, application/openmetrics-text;q=0.4", Format::Text),
            ("application/openmetrics-text, text/plain", Format::OpenMetrics),
            ("text/plain, application/openmetrics-text", Format::Text),
            ("*/*, application/openmetrics-text", Format::OpenMetrics),
            ("text/plain;q=0, */*", Format::OpenMetrics),
            ("application/*", Format::OpenMetrics),
            ("text/*, application/openmetrics-text;q=0.9", Format::Text),
            ("APPLICATION/OpenMetrics-Text; Version=1.0.0; charset=utf-8", Format::OpenMetrics),
            ("application/openmetrics-text; version=\"1.0.0\"", Format::OpenMetrics),
            ("application/openmetrics-text; version=2.0.0", Format::Text),
            (
                "application/vnd.google.protobuf;encoding=text;proto=io.prometheus.client.MetricFamily",
                Format::Text,
            ),
            ("application/vnd.google.protobuf; encoding=delimited; proto=other.Message", Format::Text),
            ("text/plain;version=1.0.0;q=0.9, application/openmetrics-text;q=0.1", Format::OpenMetrics),
        ] {
            assert_eq!(negotiate(Some(accept)), want, "{accept}");
        }
    }

    #[test]
    fn garbage_gets_text() {
        for accept in
            ["", ",,,", ";;;=", "q=1", "text/plain;q=nan", "foo/bar", "*;q=-1", "a;q=1e99, b", "\u{fffd}"]
        {
            assert_eq!(negotiate(Some(accept)), Format::Text, "{accept}");
        }
        assert_eq!(
            negotiate(Some("text/plain;q=x, application/openmetrics-text;q=0.1")),
            Format::OpenMetrics
        );
    }

    #[test]
    fn encodings_by_weight() {
        for (accept, want) in [
            (None, Encoding::Identity),
            (Some(""), Encoding::Identity),
            (Some("gzip"), Encoding::Gzip),
            (Some("GZIP;q=0.1"), Encoding::Gzip),
            (Some("gzip;q=0"), Encoding::Identity),
            (Some("gzip;q=0, *;q=1"), Encoding::Identity),
            (Some("gzip, deflate, br, zstd"), Encoding::Zstd),
            (Some("gzip, zstd;q=0.5"), Encoding::Gzip),
            (Some("gzip;q=0.5, identity"), Encoding::Identity),
            (Some("*"), Encoding::Gzip),
            (Some("br"), Encoding::Identity),
            (Some("gzip;q=oops"), Encoding::Identity),
        ] {
            assert_eq!(encoding(accept), want, "{accept:?}");
        }
    }
}
