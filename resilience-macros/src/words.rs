//! The wording of messages.

/// "a, b or c".
pub(crate) fn list(words: impl IntoIterator<Item = String>, last: &str) -> String {
    let words: Vec<String> = words.into_iter().collect();
    match words.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, start)) => format!("{} {last} {end}", start.join(", ")),
        None => String::new(),
    }
}

/// The word that was probably meant: one a few letters away, or the only one that has it as a part, as `threshold` in
/// `failure_threshold`.
pub(crate) fn nearest(word: &str, known: impl IntoIterator<Item = &'static str> + Clone) -> Option<&'static str> {
    let mut holders = known.clone().into_iter().filter(|known| known.split('_').any(|part| part == word));
    if let (Some(only), None) = (holders.next(), holders.next()) {
        return Some(only);
    }
    known
        .into_iter()
        .map(|known| (distance(word, known), known))
        .min()
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .map(|(_, known)| known)
}

/// Levenshtein's edit distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_insertions_removals_and_substitutions() {
        for (a, b, expected) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("ä", "a", 1)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn a_slip_finds_the_word_and_another_word_does_not() {
        const KEYS: [&str; 4] = ["name", "max_attempts", "max_delay", "when"];
        assert_eq!(nearest("max_attempt", KEYS), Some("max_attempts"));
        assert_eq!(nearest("maxattempts", KEYS), Some("max_attempts"));
        assert_eq!(nearest("nane", KEYS), Some("name"));
        assert_eq!(nearest("limit", KEYS), None);
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn lists_read_as_sentences() {
        let list = |words: &[&str]| list(words.iter().map(ToString::to_string), "or");
        assert_eq!(list(&[]), "");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b"]), "a or b");
        assert_eq!(list(&["a", "b", "c"]), "a, b or c");
    }
}
