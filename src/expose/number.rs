//! Numbers as bytes: counts exact to the last digit, floats in their shortest form that reads back the same.

use std::io::Write;

/// Digits of the largest `u64`.
const DIGITS: usize = 20;

/// Appends a count in decimal.
pub(super) fn push_u64(out: &mut Vec<u8>, mut n: u64) {
    if n < 10 {
        return out.push(b'0' + n as u8);
    }
    let from = out.len();
    let len = n.ilog10() as usize + 1;
    // Room first, then digits from the last to the first where they belong: what is written byte by byte and copied
    // at once after that makes the processor wait.
    out.extend_from_slice(&[0; DIGITS]);
    for digit in out[from..from + len].iter_mut().rev() {
        *digit = b'0' + (n % 10) as u8;
        n /= 10;
    }
    out.truncate(from + len);
}

/// Appends what comes after the labels of a line: the brace, a count, and the line's end.
pub(super) fn push_end(out: &mut Vec<u8>, n: u64) {
    if n < 10 {
        return out.extend_from_slice(&[b'}', b' ', b'0' + n as u8, b'\n']);
    }
    out.extend_from_slice(b"} ");
    push_u64(out, n);
    out.push(b'\n');
}

/// Appends a float as both text formats read it: `+Inf`, `-Inf`, `NaN`, else the shortest decimal that reads back
/// the same, with an exponent only where the plain form would be a row of zeros.
pub(super) fn push_f64(out: &mut Vec<u8>, x: f64) {
    if special(out, x) {
        return;
    }
    let size = x.abs();
    if size == 0.0 || (1e-5..1e17).contains(&size) {
        plain(out, x);
    } else {
        exponent(out, x);
    }
}

/// Appends a float as OpenMetrics wants it in an `le` label: always with a point or an exponent, the exponent from
/// 1e6 up and below 1e-4 and with two digits, so that every client names a bucket alike.
pub(super) fn push_canonical(out: &mut Vec<u8>, x: f64) {
    if special(out, x) {
        return;
    }
    let size = x.abs();
    if size != 0.0 && !(1e-4..1e6).contains(&size) {
        exponent(out, x);
        return;
    }
    plain(out, x);
    if x.fract() == 0.0 {
        out.extend_from_slice(b".0");
    }
}

fn special(out: &mut Vec<u8>, x: f64) -> bool {
    let word: &[u8] = if x.is_nan() {
        b"NaN"
    } else if x == f64::INFINITY {
        b"+Inf"
    } else if x == f64::NEG_INFINITY {
        b"-Inf"
    } else {
        return false;
    };
    out.extend_from_slice(word);
    true
}

fn plain(out: &mut Vec<u8>, x: f64) {
    // Whole numbers are the common case by far, and these are exact.
    if (0.0..9_007_199_254_740_992.0).contains(&x) && x.fract() == 0.0 && !(x == 0.0 && x.is_sign_negative())
    {
        push_u64(out, x as u64);
    } else {
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{x}");
    }
}

/// `1.5e+06`: Rust's shortest digits with a signed exponent of at least two digits.
fn exponent(out: &mut Vec<u8>, x: f64) {
    let text = format!("{x:e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, power) = power.strip_prefix('-').map_or(('+', power), |p| ('-', p));
    let _ = write!(out, "{digits}e{sign}{power:0>2}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(push: fn(&mut Vec<u8>, f64), x: f64) -> String {
        let mut out = Vec::new();
        push(&mut out, x);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn counts_are_exact() {
        for n in [0, 7, 9, 10, 99, 100, 9_007_199_254_740_993, u64::MAX] {
            let mut out = b"a".to_vec();
            push_u64(&mut out, n);
            push_end(&mut out, n);
            assert_eq!(String::from_utf8(out).unwrap(), format!("a{n}}} {n}\n"));
        }
    }

    #[test]
    fn floats_read_back_the_same() {
        let mut bits = 0x1234_5678_9abc_def0_u64;
        for _ in 0..20_000 {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            let x = f64::from_bits(bits);
            if x.is_finite() {
                for push in [push_f64, push_canonical] {
                    let text = text(push, x);
                    assert_eq!(text.parse::<f64>().unwrap().to_bits(), x.to_bits(), "{text}");
                    assert!(text.len() <= 24 + 2, "{text}");
                }
            }
        }
    }

    #[test]
    fn floats_look_as_people_write_them() {
        for (x, want) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.1, "0.1"),
            (1_700_000_000.123, "1700000000.123"),
            (1e300, "1e+300"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(text(push_f64, x), want);
        }
    }

    #[test]
    fn bucket_bounds_are_canonical() {
        for (x, want) in [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (-2.5, "-2.5"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (100_000.0, "100000.0"),
            (1e6, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (1e10, "1e+10"),
            (1e100, "1e+100"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(text(push_canonical, x), want);
        }
    }
}
