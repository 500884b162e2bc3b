//! What was meant: the allowed word nearest to a mistyped one.

/// The hint for an unknown word: the one that was probably meant, else all that are allowed.
pub fn suggestion<'a>(found: &str, allowed: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(word) = nearest(found, allowed.clone()) {
        return Some(format!("did you mean `{word}`?"));
    }
    let all: Vec<&str> = allowed.into_iter().collect();
    (!all.is_empty()).then(|| format!("allowed: {}", all.join(", ")))
}

/// The allowed word with the fewest edits to `found`, where those are few for its length.
pub fn nearest<'a>(found: &str, allowed: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = found.to_lowercase();
    // No name of ours is long: what is longer is no slip of the finger, and is not worth the square of its length.
    if lower.len() > 64 {
        return None;
    }
    // In words of one or two letters every other word is near.
    let few = (lower.chars().count() / 3).min(3);
    let scored = allowed.into_iter().map(|word| (edits(&lower, &word.to_lowercase()), word));
    scored.filter(|(edits, _)| *edits <= few).min_by_key(|(edits, _)| *edits).map(|(_, word)| word)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = [vec![0; b.len() + 1], (0..=b.len()).collect::<Vec<_>>(), vec![0; b.len() + 1]];
    for i in 1..=a.len() {
        rows[2][0] = i;
        for j in 1..=b.len() {
            let replaced = rows[1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[1][j] + 1).min(rows[2][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[0][j - 2] + 1);
            }
            rows[2][j] = best;
        }
        rows.rotate_left(1);
    }
    rows[1][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted_with_swaps() {
        for (a, b, n) in [("", "", 0), ("match", "match", 0), ("mtach", "match", 1), ("lables", "labels", 1)]
        {
            assert_eq!(edits(a, b), n, "{a} {b}");
        }
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        let keys = ["name", "match", "levels", "labels", "in"];
        assert_eq!(nearest("lables", keys), Some("labels"));
        assert_eq!(nearest("Match", keys), Some("match"));
        assert_eq!(nearest("regex", keys), None);
        assert_eq!(nearest(&"x".repeat(100_000), keys), None);
        assert_eq!(suggestion("zzzz", ["a", "b"]).as_deref(), Some("allowed: a, b"));
    }
}
