//! How long to wait between attempts: pure functions from the number of the wait, and a random number, to a delay.

use std::time::Duration;

use super::settings::RetrySettings;

/// How delays grow from one wait to the next, before jitter. `n` is the number of the wait, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backoff {
    /// `base_delay * multiplier^(n-1)`: 2 s gives 2, 4, 8, 16 s. `multiplier` is 2 by default.
    #[default]
    Exponential,
    /// `base_delay * n * multiplier`: 2 s gives 2, 4, 6, 8 s. `multiplier` is 1 by default.
    Linear,
    /// `base_delay` every time.
    Fixed,
    /// `base_delay` times 1, 1, 2, 3, 5, 8: each factor is the sum of the two before it.
    Fibonacci,
}

/// How a delay `d` is spread, so that callers that failed together do not come back together. `U(a, b)` is a number
/// drawn uniformly from `a` to `b`.
///
/// Full and equal jitter are those of Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015;
/// proportional jitter is resilience4j's randomized interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Jitter {
    /// `U(0, d)`.
    #[default]
    Full,
    /// `d/2 + U(0, d/2)`.
    Equal,
    /// `d * U(1-f, 1+f)`, with `f` the `jitter_factor`.
    Proportional,
    /// `d`.
    None,
}

impl RetrySettings {
    /// The delay before jitter of the `wait`-th wait, counted from 1; never above `max_delay`.
    pub(super) fn delay(&self, wait: u32) -> Duration {
        let factor = match self.backoff {
            Backoff::Fixed => 1.0,
            Backoff::Linear => f64::from(wait) * self.multiplier.unwrap_or(1.0),
            Backoff::Exponential => self.multiplier.unwrap_or(2.0).powf(f64::from(wait.saturating_sub(1))),
            Backoff::Fibonacci => fibonacci(wait),
        };
        scale(self.base_delay, factor, self.max_delay)
    }

    /// The delay with jitter; `unit` is drawn uniformly from [0, 1). Never above `max_delay`.
    pub(super) fn jittered(&self, delay: Duration, unit: f64) -> Duration {
        let factor = match self.jitter {
            Jitter::None => return delay.min(self.max_delay),
            Jitter::Full => unit,
            Jitter::Equal => 0.5 + 0.5 * unit,
            Jitter::Proportional => 1.0 + self.jitter_factor * (2.0 * unit - 1.0),
        };
        scale(delay, factor, self.max_delay)
    }
}

/// `base * factor`, at most `cap`: what is too long for a [`Duration`], or no number at all, is the cap too.
fn scale(base: Duration, factor: f64, cap: Duration) -> Duration {
    if base.is_zero() {
        return Duration::ZERO; // Also where the factor is infinite.
    }
    Duration::try_from_secs_f64(base.as_secs_f64() * factor).map_or(cap, |delay| delay.min(cap))
}

/// The `n`-th Fibonacci number from 1, 1, 2; infinite where f64 ends.
fn fibonacci(n: u32) -> f64 {
    let (mut current, mut next) = (1.0_f64, 1.0_f64);
    for _ in 1..n {
        (current, next) = (next, current + next);
        if current.is_infinite() {
            break;
        }
    }
    current
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(settings: &RetrySettings, waits: u32) -> Vec<f64> {
        (1..=waits).map(|wait| settings.delay(wait).as_secs_f64()).collect()
    }

    fn from_two_seconds(backoff: Backoff) -> RetrySettings {
        RetrySettings::default().backoff(backoff).base_delay(Duration::from_secs(2))
    }

    #[test]
    fn each_backoff_grows_as_documented() {
        assert_eq!(seconds(&from_two_seconds(Backoff::Exponential), 5), [2.0, 4.0, 8.0, 16.0, 30.0]);
        let uncapped = from_two_seconds(Backoff::Exponential).max_delay(Duration::MAX);
        assert_eq!(seconds(&uncapped, 5), [2.0, 4.0, 8.0, 16.0, 32.0]);
        let capped = from_two_seconds(Backoff::Exponential).max_delay(Duration::from_secs(10));
        assert_eq!(seconds(&capped, 5), [2.0, 4.0, 8.0, 10.0, 10.0]);
        assert_eq!(seconds(&from_two_seconds(Backoff::Linear), 4), [2.0, 4.0, 6.0, 8.0]);
        assert_eq!(seconds(&from_two_seconds(Backoff::Linear).multiplier(1.5), 3), [3.0, 6.0, 9.0]);
        assert_eq!(seconds(&from_two_seconds(Backoff::Fixed), 3), [2.0, 2.0, 2.0]);
        let fibonacci = from_two_seconds(Backoff::Fibonacci).max_delay(Duration::MAX);
        assert_eq!(seconds(&fibonacci, 6), [2.0, 2.0, 4.0, 6.0, 10.0, 16.0]);
    }

    #[test]
    fn a_delay_too_long_for_any_clock_is_the_longest_delay() {
        for backoff in [Backoff::Exponential, Backoff::Linear, Backoff::Fibonacci] {
            let settings = RetrySettings::default().backoff(backoff).multiplier(1e300);
            assert_eq!(settings.delay(u32::MAX), settings.max_delay, "{backoff:?}");
            let zero = settings.base_delay(Duration::ZERO);
            assert_eq!(zero.delay(u32::MAX), Duration::ZERO, "{backoff:?} from a base of zero");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_jitter_leads_past_the_longest_delay(
            base in 0_u64..1 << 60,
            cap in 0_u64..1 << 60,
            wait in 1_u32..200,
            unit in 0.0..1.0_f64,
            factor in 0.0..=1.0_f64,
        ) {
            for jitter in [Jitter::Full, Jitter::Equal, Jitter::Proportional, Jitter::None] {
                let settings = RetrySettings::default()
                    .base_delay(Duration::from_nanos(base))
                    .max_delay(Duration::from_nanos(cap))
                    .jitter(jitter)
                    .jitter_factor(factor);
                let plain = settings.delay(wait);
                let spread = settings.jittered(plain, unit);
                assert!(spread <= settings.max_delay);
                // A nanosecond, and the precision of f64, for rounding.
                let slack = plain.as_secs_f64() * 1e-12 + 1e-9;
                let (least, most) = match jitter {
                    Jitter::Full => (0.0, 1.0),
                    Jitter::Equal => (0.5, 1.0),
                    Jitter::Proportional => (1.0 - factor, 1.0 + factor),
                    Jitter::None => (1.0, 1.0),
                };
                assert!(spread.as_secs_f64() <= plain.as_secs_f64() * most + slack);
                let least = (plain.as_secs_f64() * least).min(settings.max_delay.as_secs_f64());
                assert!(spread.as_secs_f64() >= least - slack);
            }
        }
    }
}
