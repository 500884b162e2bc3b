//! Long texts that nobody wrote: keys and tokens in base64 and the like, told from paths and long names.

/// Whether a run of letters, digits and `+/_-=` looks like made by chance: too few of its letters and digits stand in
/// words, or letters and digits change too often within a word.
pub(super) fn looks_random(text: &str) -> bool {
    let parts = || text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let (all, wordy) =
        parts().fold((0, 0), |(all, words), part| (all + part.len(), words + wordy(part.as_bytes())));
    wordy * 4 < all * 3 || parts().any(|part| part.len() >= 20 && changes(part.as_bytes()) >= 5)
}

/// Bytes of a part that stand in words: a capital and at least three small letters, three small letters, four
/// capitals, or nothing but digits.
fn wordy(part: &[u8]) -> usize {
    if part.iter().all(u8::is_ascii_digit) {
        return part.len();
    }
    let (mut at, mut sum) = (0, 0);
    while at < part.len() {
        let run = |from: usize, is: fn(&u8) -> bool| part[from..].iter().take_while(|b| is(b)).count();
        let capitals = run(at, u8::is_ascii_uppercase);
        let small = run(at + capitals, u8::is_ascii_lowercase);
        if capitals >= 4 {
            sum += capitals;
        }
        if small >= 3 {
            sum += small + usize::from((1..4).contains(&capitals));
        }
        at += (capitals + small).max(1);
    }
    sum
}

/// How often a letter follows a digit or a digit a letter.
fn changes(part: &[u8]) -> usize {
    part.windows(2).filter(|two| two[0].is_ascii_digit() != two[1].is_ascii_digit()).count()
}
