//! Comparisons with numbers as expressions over digits.

/// Digits whose number is at least `least`. Of `width` digits, where a width is given; else leading zeros are read over.
pub(super) fn at_least(least: u64, width: Option<usize>) -> String {
    if least == 0 {
        return width.map_or("[0-9]+".to_owned(), any);
    }
    let written = width.map_or(least.to_string(), |width| format!("{least:0width$}"));
    let count = written.len();
    if width.is_some_and(|width| count > width) {
        // No number of that width is as large.
        return "[^\\x00-\\xff]".to_owned();
    }
    let power = written.starts_with('1') && written[1..].bytes().all(|digit| digit == b'0');
    if power && width.is_none() {
        let more = if count == 1 { "*".to_owned() } else { format!("{{{},}}", count - 1) };
        return format!("0*[1-9][0-9]{more}");
    }
    let mut branches = vec![written.clone()];
    for (at, digit) in written.bytes().enumerate().rev().filter(|(_, digit)| *digit < b'9') {
        let next = match digit - b'0' + 1 {
            9 => "9".to_owned(),
            from => format!("[{from}-9]"),
        };
        branches.push(format!("{}{next}{}", &written[..at], any(count - at - 1)));
    }
    match width {
        Some(_) => format!("(?:{})", branches.join("|")),
        None => format!("0*(?:{}|[1-9][0-9]{{{count},}})", branches.join("|")),
    }
}

/// Digits whose number is `number`.
pub(super) fn exactly(number: u64, width: Option<usize>) -> String {
    match width {
        Some(width) => format!("{number:0width$}"),
        None => format!("0*{number}"),
    }
}

fn any(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => "[0-9]".to_owned(),
        count => format!("[0-9]{{{count}}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_hold_for_every_number_nearby() {
        for least in [0, 1, 2, 9, 10, 11, 99, 100, 400, 499, 500, 1009, 9999] {
            let free = regex::bytes::Regex::new(&format!("^(?:{})$", at_least(least, None))).unwrap();
            let wide = regex::bytes::Regex::new(&format!("(?-u)^(?:{})$", at_least(least, Some(3)))).unwrap();
            for number in (0..=12_000u64).filter(|number| number % 7 == 0 || number.abs_diff(least) < 120) {
                let text = number.to_string();
                assert_eq!(free.is_match(text.as_bytes()), number >= least, "{number} >= {least}");
                assert_eq!(free.is_match(format!("00{text}").as_bytes()), number >= least);
                if number < 1000 {
                    let text = format!("{number:03}");
                    assert_eq!(wide.is_match(text.as_bytes()), number >= least, "{text} >= {least}");
                }
            }
        }
    }

    #[test]
    fn one_number_is_itself() {
        assert_eq!((exactly(7, None).as_str(), exactly(7, Some(3)).as_str()), ("0*7", "007"));
    }
}
