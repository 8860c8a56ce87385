//! Durations as people write them: "250ms", "1.5s", "2m", "1h30m".

use std::time::Duration;

const FORM: &str = "write a duration as in \"250ms\", \"1.5s\", \"2m\" or \"1h30m\"";

/// Parses a duration; the error says what to write.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(format!("the duration is empty: {FORM}"));
    }
    if rest.starts_with('-') {
        return Err(format!("a duration cannot be negative: {FORM}"));
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        if number.is_empty() {
            return Err(format!("`{text}` is not a duration: {FORM}"));
        }
        let unit_nanos = match unit {
            "ns" => 1,
            "us" | "µs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" | "min" => 60 * 1_000_000_000,
            "h" => 3_600 * 1_000_000_000,
            "d" => 24 * 3_600 * 1_000_000_000,
            "" if after.is_empty() => return Err(format!("`{text}` has no unit: {FORM}")),
            "" => return Err(format!("`{text}` is not a duration: {FORM}")),
            _ => return Err(format!("`{unit}` is not a unit of time: use ns, us, ms, s, m, h or d")),
        };
        let part = scaled(number, unit_nanos).ok_or_else(|| format!("`{number}` is not a number: {FORM}"))?;
        let part = part.ok_or_else(|| format!("`{text}` is too long: the longest duration is about 584 years"))?;
        total = total
            .checked_add(Duration::from_nanos(part))
            .filter(|total| u64::try_from(total.as_nanos()).is_ok())
            .ok_or_else(|| format!("`{text}` is too long: the longest duration is about 584 years"))?;
        rest = after.trim_start();
    }
    Ok(total)
}

/// A decimal number times a unit, exactly; what is below a nanosecond is cut off. The inner `None` is an overflow.
fn scaled(number: &str, unit_nanos: u64) -> Option<Option<u64>> {
    /// More decimal places than a day has nanoseconds change nothing.
    const PLACES: usize = 15;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let Ok(whole) = whole.parse::<u64>() else { return Some(None) };
    let fraction = &fraction[..fraction.len().min(PLACES)];
    let (mut numerator, mut denominator) = (0_u128, 1_u128);
    for digit in fraction.bytes() {
        numerator = numerator * 10 + u128::from(digit - b'0');
        denominator *= 10;
    }
    let nanos = u64::try_from(numerator * u128::from(unit_nanos) / denominator).ok()?;
    Some(whole.checked_mul(unit_nanos).and_then(|whole| whole.checked_add(nanos)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, millis) in [
            ("250ms", 250),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            ("0.25h", 900_000),
            ("1d", 86_400_000),
            ("0s", 0),
            ("2min", 120_000),
            ("1500us", 1),
        ] {
            let expected =
                Duration::from_millis(millis) + Duration::from_micros(if text == "1500us" { 500 } else { 0 });
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
        assert_eq!(parse("0.1234567891s"), Ok(Duration::from_nanos(123_456_789)));
        assert_eq!(parse("18446744073s"), Ok(Duration::from_secs(18_446_744_073)));
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, part) in [
            ("", "is empty"),
            ("5", "has no unit"),
            ("-5s", "cannot be negative"),
            ("5 parsecs", "not a duration"),
            ("5parsecs", "`parsecs` is not a unit"),
            ("ms", "not a duration"),
            ("1.2.3s", "not a number"),
            (".5s", "not a number"),
            ("99999999999999999999s", "too long"),
            ("300000000000m", "too long"),
            ("18446744073s 1s", "too long"),
        ] {
            let message = parse(text).expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
