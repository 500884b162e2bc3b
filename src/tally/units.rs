//! Values with units, as people and programs write them: `12ms`, `1h2m3.5s`, `3.4KiB`, `10MB`, `45%`.
//!
//! Text goes in, a number in Prometheus' base units (seconds, bytes, ratio) comes out, never NaN or infinite.
//! A unit in the text wins over the unit that the metric states for bare numbers.

use std::fmt;

/// What a unit measures; its name is the suffix that Prometheus wants in the metric's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Base {
    /// Time, in seconds.
    Seconds,
    /// Sizes, in bytes.
    Bytes,
    /// Parts of a whole, 1 being all of it.
    Ratio,
}

impl Base {
    /// `seconds`, `bytes` or `ratio`.
    pub const fn name(self) -> &'static str {
        match self {
            Base::Seconds => "seconds",
            Base::Bytes => "bytes",
            Base::Ratio => "ratio",
        }
    }

    /// Upper bounds for a histogram that names none: latencies of 1 ms to 1 min, sizes of 64 B to 1 GiB, tenths.
    pub fn buckets(base: Option<Base>) -> Vec<f64> {
        match base {
            Some(Base::Seconds) => {
                vec![0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0]
            }
            Some(Base::Bytes) => (0..13).map(|i| f64::from(1_u32 << (6 + 2 * i))).collect(),
            Some(Base::Ratio) => vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0],
            None => {
                vec![1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0]
            }
        }
    }
}

/// A unit and how to get from it to its base. Multiplication and division are kept apart since `12 / 1000` is
/// rounded once where `12 * 0.001` is rounded twice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// What it measures.
    pub base: Base,
    times: f64,
    over: f64,
}

const fn seconds(times: f64, over: f64) -> Unit {
    Unit { base: Base::Seconds, times, over }
}

const fn bytes(times: f64) -> Unit {
    Unit { base: Base::Bytes, times, over: 1.0 }
}

impl Unit {
    /// Seconds.
    pub const SECONDS: Unit = seconds(1.0, 1.0);
    /// Bytes.
    pub const BYTES: Unit = bytes(1.0);
    /// A ratio.
    pub const RATIO: Unit = Unit { base: Base::Ratio, times: 1.0, over: 1.0 };

    /// The unit of a name as written in `unit:` or after a number; `None` for an unknown one.
    ///
    /// Only the letters that would be ambiguous are told apart by case: `m` is a minute and `M` nothing.
    pub fn from_name(name: &str) -> Option<Unit> {
        Some(match name {
            "s" => Unit::SECONDS,
            "m" => seconds(60.0, 1.0),
            "h" => seconds(3600.0, 1.0),
            "d" => seconds(86_400.0, 1.0),
            "w" => seconds(604_800.0, 1.0),
            "B" => Unit::BYTES,
            "%" => Unit { base: Base::Ratio, times: 1.0, over: 100.0 },
            "\u{b5}s" | "\u{3bc}s" => seconds(1.0, 1e6),
            name if name.len() > 1 && name.len() <= 16 && name.is_ascii() => {
                return Unit::from_word(&name.to_ascii_lowercase());
            }
            _ => return None,
        })
    }

    fn from_word(word: &str) -> Option<Unit> {
        Some(match word {
            "ns" | "nanosecond" | "nanoseconds" => seconds(1.0, 1e9),
            "us" | "usec" | "usecs" | "microsecond" | "microseconds" => seconds(1.0, 1e6),
            "ms" | "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => seconds(1.0, 1e3),
            "sec" | "secs" | "second" | "seconds" => Unit::SECONDS,
            "min" | "mins" | "minute" | "minutes" => seconds(60.0, 1.0),
            "hr" | "hrs" | "hour" | "hours" => seconds(3600.0, 1.0),
            "day" | "days" => seconds(86_400.0, 1.0),
            "week" | "weeks" => seconds(604_800.0, 1.0),
            "byte" | "bytes" => Unit::BYTES,
            "kb" => bytes(1e3),
            "mb" => bytes(1e6),
            "gb" => bytes(1e9),
            "tb" => bytes(1e12),
            "pb" => bytes(1e15),
            "ki" | "kib" => bytes(1024.0),
            "mi" | "mib" => bytes(1_048_576.0),
            "gi" | "gib" => bytes(1_073_741_824.0),
            "ti" | "tib" => bytes(1_099_511_627_776.0),
            "pi" | "pib" => bytes(1_125_899_906_842_624.0),
            "percent" => Unit { base: Base::Ratio, times: 1.0, over: 100.0 },
            "ratio" => Unit::RATIO,
            _ => return None,
        })
    }

    fn to_base(self, number: f64) -> f64 {
        number * self.times / self.over
    }
}

/// Why a text is no usable value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueError {
    /// The text is empty: the capture took no part in the match, or the field is not there.
    Missing,
    /// It is no number with a known unit.
    NotANumber,
    /// Its unit measures something else than the metric does, such as `12ms` for bytes.
    OtherUnit,
    /// It is NaN, infinite or beyond what a float holds.
    NotFinite,
    /// It is below zero and would make a counter go down.
    Negative,
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ValueError::Missing => "there is no text to read a value from",
            ValueError::NotANumber => "not a number with a known unit",
            ValueError::OtherUnit => "the unit measures something else than the metric does",
            ValueError::NotFinite => "not a finite number",
            ValueError::Negative => "a counter cannot take a negative value",
        })
    }
}

/// Reads a value: a bare number counts in `bare` (as it is without one), a unit in the text wins.
///
/// Accepts `12`, `-1.5e3`, `12ms`, `12 ms`, `1h2m3.5s` (time only), `3.4KiB`, `45%`; anything else is an error.
pub fn parse(text: &str, bare: Option<Unit>) -> Result<f64, ValueError> {
    let text = text.trim();
    let (sign, mut rest) = match text.as_bytes().first() {
        None => return Err(ValueError::Missing),
        Some(b'-') => (-1.0, &text[1..]),
        Some(b'+') => (1.0, &text[1..]),
        Some(_) => (1.0, text),
    };
    let mut sum = 0.0;
    let mut parts = 0;
    while !rest.is_empty() {
        let (number, after) = split_number(rest)?;
        let after = after.trim_start();
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let word = after[..end].trim_end();
        rest = &after[end..];
        let unit = match (word, parts) {
            ("", 0) if rest.is_empty() => bare,
            ("", _) => return Err(ValueError::NotANumber),
            (word, _) => Some(Unit::from_name(word).ok_or(ValueError::NotANumber)?),
        };
        if let (Some(unit), Some(bare)) = (unit, bare)
            && unit.base != bare.base
        {
            return Err(ValueError::OtherUnit);
        }
        let several = parts > 0 || !rest.is_empty();
        if several && unit.is_none_or(|unit| unit.base != Base::Seconds) {
            return Err(ValueError::NotANumber);
        }
        sum += unit.map_or(number, |unit| unit.to_base(number));
        parts += 1;
    }
    match (parts, sign * sum) {
        (0, _) => Err(ValueError::NotANumber),
        (_, value) if value.is_finite() => Ok(value),
        _ => Err(ValueError::NotFinite),
    }
}

/// Splits an unsigned decimal number off the front; `inf` and `nan` are told apart from what is no number at all.
fn split_number(text: &str) -> Result<(f64, &str), ValueError> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(0);
    let mut end = whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        let word = text.to_ascii_lowercase();
        let not_finite = ["nan", "inf", "infinity"].contains(&word.as_str());
        return Err(if not_finite { ValueError::NotFinite } else { ValueError::NotANumber });
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        match bytes.get(end + 1 + sign) {
            Some(b) if b.is_ascii_digit() => end += 1 + sign + digits(end + 1 + sign),
            _ => {}
        }
    }
    let number = text[..end].parse::<f64>().map_err(|_| ValueError::NotANumber)?;
    if number.is_finite() { Ok((number, &text[end..])) } else { Err(ValueError::NotFinite) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(text: &str) -> Result<f64, ValueError> {
        parse(text, None)
    }

    #[test]
    fn the_units_of_the_manual_reach_their_base_exactly() {
        for (text, value) in [
            ("12ms", 0.012),
            ("250us", 0.000_25),
            ("250\u{b5}s", 0.000_25),
            ("250\u{3bc}s", 0.000_25),
            ("1h2m3.5s", 3723.5),
            ("3.4KiB", 3481.6),
            ("10MB", 1e7),
            ("45%", 0.45),
            ("1d", 86_400.0),
            ("7 ns", 7e-9),
            ("  30 seconds ", 30.0),
            ("2 GiB", 2_147_483_648.0),
            ("512 bytes", 512.0),
            ("-1h30m", -5400.0),
            ("1h 30m", 5400.0),
            ("+4", 4.0),
            (".5s", 0.5),
            ("5.", 5.0),
            ("1.5e3", 1500.0),
            ("1E-3s", 0.001),
            ("0", 0.0),
        ] {
            assert_eq!(bare(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn a_bare_number_has_the_unit_of_the_metric_and_a_unit_in_the_text_wins() {
        let ms = Unit::from_name("ms");
        assert_eq!(parse("30", ms), Ok(0.03));
        assert_eq!(parse("30s", ms), Ok(30.0));
        assert_eq!(parse("30", Unit::from_name("KiB")), Ok(30_720.0));
        assert_eq!(parse("45", Unit::from_name("%")), Ok(0.45));
        assert_eq!(parse("30s", Unit::from_name("B")), Err(ValueError::OtherUnit));
    }

    #[test]
    fn what_is_no_usable_number_says_why() {
        for text in
            ["x", "12parsecs", "1 2", "1h2", "1KiB2KiB", "0x10", "-", "12:30", "1,5", ".", "5M", "1s%", "--1"]
        {
            assert_eq!(bare(text), Err(ValueError::NotANumber), "{text}");
        }
        assert_eq!(bare(" "), Err(ValueError::Missing));
        for text in ["NaN", "inf", "-Infinity", "1e999", "1e308w"] {
            assert_eq!(bare(text), Err(ValueError::NotFinite), "{text}");
        }
    }

    #[test]
    fn no_text_panics_or_gives_what_is_not_finite() {
        let alphabet: Vec<char> = "0159.eE+-msuhKiB% \u{b5}\u{1f600}n".chars().collect();
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..state % 9 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push(alphabet[(state >> 33) as usize % alphabet.len()]);
            }
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            if let Ok(value) = bare(&text) {
                assert!(value.is_finite(), "{text}");
            }
        }
    }

    #[test]
    fn default_buckets_ascend() {
        for base in [None, Some(Base::Seconds), Some(Base::Bytes), Some(Base::Ratio)] {
            assert!(Base::buckets(base).windows(2).all(|pair| pair[0] < pair[1]), "{base:?}");
        }
    }
}
