//! The `Retry-After` header of HTTP in both its forms: RFC 9110, section 10.2.3.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reads the value of an HTTP `Retry-After` header: a number of seconds, as in `120`, or a date, as in
/// `Fri, 31 Dec 1999 23:59:59 GMT`. For use with [`retry_after`](crate::Retry::retry_after).
///
/// A date counts from the system's clock, and is zero if it has passed. `None` if the value is neither, or a date in one of
/// the two forms that senders must not use any more.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use resilience_core::retry::parse_retry_after;
///
/// assert_eq!(parse_retry_after("120"), Some(Duration::from_secs(120)));
/// assert_eq!(parse_retry_after("Fri, 31 Dec 1999 23:59:59 GMT"), Some(Duration::ZERO));
/// assert_eq!(parse_retry_after("soon"), None);
/// ```
#[must_use]
pub fn parse_retry_after(value: &str) -> Option<Duration> {
    parse_retry_after_at(value, SystemTime::now())
}

/// As [`parse_retry_after`], with a date counted from `now`: for instance from the `Date` of the response, so that it does
/// not matter whether the clocks of client and server agree.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use resilience_core::retry::parse_retry_after_at;
///
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_700);
/// assert_eq!(parse_retry_after_at("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(77)));
/// ```
#[must_use]
pub fn parse_retry_after_at(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a u64 holds are still a number of seconds.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(seconds_of_date(value)?))?;
    Some(at.duration_since(now).unwrap_or(Duration::ZERO))
}

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Seconds since 1970 of an `IMF-fixdate` (RFC 9110, section 5.6.7), as in `Sun, 06 Nov 1994 08:49:37 GMT`.
fn seconds_of_date(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.parse::<u64>().ok()
    };
    let separators = [(3, ", "), (7, " "), (11, " "), (16, " "), (19, ":"), (22, ":"), (25, " GMT")];
    if text.len() != 29 || !separators.iter().all(|(at, token)| text.get(*at..at + token.len()) == Some(token)) {
        return None;
    }
    let month = (1..).zip(MONTHS).find(|(_, name)| text.get(8..11) == Some(name))?.0;
    let (day, year) = (number(5, 7)?, number(12, 16)?);
    let (hour, minute, second) = (number(17, 19)?, number(20, 22)?, number(23, 25)?);
    // A leap second counts as the first of the next minute.
    if year < 1970 || day == 0 || day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let before_year = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    let days = before_year + (1..month).map(|month| days_in_month(year, month)).sum::<u64>() + day - 1;
    let names_its_day =
        DAYS.iter().position(|name| text.get(0..3) == Some(name)).is_some_and(|at| days % 7 == at as u64);
    names_its_day.then_some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Day by day, as a calendar on the wall: year, month, day.
    fn date_of(days: u64) -> (u64, u64, u64) {
        let (mut year, mut month, mut left) = (1970, 1, days);
        while left >= days_in_month(year, month) {
            left -= days_in_month(year, month);
            (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        }
        (year, month, left + 1)
    }

    fn written(seconds: u64) -> String {
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = date_of(days);
        let nth = |names: &[&'static str], n: u64| names[usize::try_from(n).expect("a small number")];
        let (weekday, month) = (nth(&DAYS, days % 7), nth(&MONTHS, month - 1));
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
    }

    proptest::proptest! {
        #[test]
        fn a_date_is_read_as_it_is_written(seconds in 0_u64..200_000 * 86_400, now in 0_u64..200_000 * 86_400) {
            let text = written(seconds);
            assert_eq!(seconds_of_date(&text), Some(seconds), "{text}");
            let left = parse_retry_after_at(&text, UNIX_EPOCH + Duration::from_secs(now));
            assert_eq!(left, Some(Duration::from_secs(seconds.saturating_sub(now))));
        }

        #[test]
        fn seconds_are_read_as_they_are_written(seconds: u64) {
            assert_eq!(parse_retry_after(&format!(" {seconds} ")), Some(Duration::from_secs(seconds)));
        }

        #[test]
        fn nothing_makes_it_panic(text: String, seconds in 0_u64..1 << 33, at in 0_usize..29, instead: char) {
            let _ = parse_retry_after(&text);
            let mut date: Vec<char> = written(seconds).chars().collect();
            date[at] = instead;
            let _ = parse_retry_after(&date.into_iter().collect::<String>());
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "-1",
            "1.5",
            "Mon, 06 Nov 1994 08:49:37 GMT", // It was a Sunday.
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT", // The form of RFC 850.
            "Sun Nov  6 08:49:37 1994",       // The form of asctime.
        ] {
            assert_eq!(parse_retry_after(text), None, "{text}");
        }
        assert_eq!(parse_retry_after("99999999999999999999999"), Some(Duration::from_secs(u64::MAX)));
    }
}
