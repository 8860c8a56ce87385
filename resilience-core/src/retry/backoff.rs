//! How long to wait between attempts: pure functions from the number of the wait, and a random number, to a delay.

use std::{fmt, ptr, time::Duration};

use super::settings::RetrySettings;
use crate::random;

/// How delays grow from one wait to the next, before jitter. `n` is the number of the wait, from 1. No delay is longer
/// than `max_delay`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backoff {
    /// `base_delay * multiplier^(n-1)`: 2 s gives 2, 4, 8, 16 s. `multiplier` is 2 by default.
    ///
    /// It is that of Metcalfe and Boggs, "Ethernet: Distributed Packet Switching for Local Computer Networks", 1976.
    #[default]
    Exponential,
    /// `base_delay * n * multiplier`: 2 s gives 2, 4, 6, 8 s. `multiplier` is 1 by default.
    Linear,
    /// `base_delay` every time.
    Fixed,
    /// `base_delay` times 1, 1, 2, 3, 5, 8: each factor is the sum of the two before it.
    Fibonacci,
    /// `min(max_delay, U(base_delay, 3 * previous))`, where `previous` is the delay before, and `base_delay` at first. `U(a, b)`
    /// is a number drawn uniformly from `a` to `b`: it is spread by itself, and takes no jitter.
    ///
    /// It is that of Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    Decorrelated,
    /// What a function says; see [`Backoff::custom`].
    Custom(CustomBackoff),
}

impl Backoff {
    /// Delays by a function of yours, from the number of the attempt that failed (from 1) to the delay before jitter.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use resilience_core::{Retry, retry::Backoff};
    ///
    /// let squares = Backoff::custom(|attempt| Duration::from_millis(100) * attempt * attempt);
    /// let retry = Retry::builder("squares").max_attempts(4).backoff(squares).build()?;
    /// let delays: Vec<_> = retry.planned_delays().map(|delay| delay.as_millis()).collect();
    /// assert_eq!(delays, [100, 400, 900]);
    /// # Ok::<(), resilience_core::InvalidSetting>(())
    /// ```
    #[must_use]
    pub const fn custom(delay: fn(attempt: u32) -> Duration) -> Self {
        Self::Custom(CustomBackoff(delay))
    }
}

/// A function that says how long to wait; made by [`Backoff::custom`].
#[derive(Clone, Copy)]
pub struct CustomBackoff(fn(u32) -> Duration);

impl fmt::Debug for CustomBackoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:p}", self.0)
    }
}

impl PartialEq for CustomBackoff {
    fn eq(&self, other: &Self) -> bool {
        ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for CustomBackoff {}

/// How a delay `d` is spread, so that callers that failed together do not come back together. `U(a, b)` is a number
/// drawn uniformly from `a` to `b`. Whatever comes of it, no delay is longer than `max_delay`.
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
    /// `-d * ln(U(0, 1))`: exponentially distributed with the mean `d`, so that retries arrive as a Poisson process does.
    ///
    /// By inversion: Knuth, *The Art of Computer Programming*, volume 2, section 3.4.1 D.
    Exponential,
    /// `d`.
    None,
}

impl RetrySettings {
    /// The delay after the attempt of that number failed, with jitter; `previous` is the one before. Never above `max_delay`.
    pub(super) fn wait(&self, attempt: u32, previous: Duration) -> Duration {
        match self.backoff {
            Backoff::Decorrelated if self.base_delay.is_zero() => Duration::ZERO,
            Backoff::Decorrelated => self.decorrelated(previous, random::unit()),
            _ => self.spread(self.delay(attempt)),
        }
    }

    /// A delay with jitter by a random number.
    pub(super) fn spread(&self, delay: Duration) -> Duration {
        if delay.is_zero() || self.jitter == Jitter::None { delay } else { self.jittered(delay, random::unit()) }
    }

    /// The delay before jitter of the `wait`-th wait, counted from 1; never above `max_delay`. For decorrelated backoff the
    /// longest that it may be.
    pub(super) fn delay(&self, wait: u32) -> Duration {
        let earlier = f64::from(wait.saturating_sub(1));
        let factor = match self.backoff {
            Backoff::Fixed => 1.0,
            Backoff::Linear => f64::from(wait) * self.multiplier.unwrap_or(1.0),
            Backoff::Exponential => self.multiplier.unwrap_or(2.0).powf(earlier),
            Backoff::Fibonacci => fibonacci(wait),
            Backoff::Decorrelated => 3_f64.powf(f64::from(wait)),
            Backoff::Custom(CustomBackoff(delay)) => return delay(wait).min(self.max_delay),
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
            // Of 1 - u, which is never zero, so that the logarithm is finite.
            Jitter::Exponential => -(-unit).ln_1p(),
        };
        scale(delay, factor, self.max_delay)
    }

    /// A delay of decorrelated backoff; `unit` is drawn uniformly from [0, 1). Never above `max_delay`.
    fn decorrelated(&self, previous: Duration, unit: f64) -> Duration {
        let base = self.base_delay.as_secs_f64();
        let most = 3.0 * previous.as_secs_f64().max(base);
        Duration::try_from_secs_f64(base + unit * (most - base))
            .map_or(self.max_delay, |delay| delay.min(self.max_delay))
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
    use proptest::strategy::Strategy;
    use rand::{RngExt, SeedableRng, rngs::SmallRng};

    use super::*;
    use crate::testing::TestScope;

    fn seconds(settings: &RetrySettings, waits: u32) -> Vec<f64> {
        (1..=waits).map(|wait| settings.delay(wait).as_secs_f64()).collect()
    }

    fn from_two_seconds(backoff: Backoff) -> RetrySettings {
        RetrySettings::default().backoff(backoff).base_delay(Duration::from_secs(2))
    }

    #[test]
    fn each_backoff_grows_as_documented() {
        let squares = from_two_seconds(Backoff::custom(|attempt| Duration::from_secs(2) * attempt * attempt));
        assert_eq!(seconds(&squares, 5), [2.0, 8.0, 18.0, 30.0, 30.0]);
        let decorrelated = from_two_seconds(Backoff::Decorrelated);
        assert_eq!(seconds(&decorrelated, 4), [6.0, 18.0, 30.0, 30.0], "the longest that they may be");
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
        for backoff in [Backoff::Exponential, Backoff::Linear, Backoff::Fibonacci, Backoff::Decorrelated] {
            let settings = RetrySettings::default().backoff(backoff).multiplier(1e300);
            assert_eq!(settings.delay(u32::MAX), settings.max_delay, "{backoff:?}");
            let zero = settings.base_delay(Duration::ZERO);
            assert_eq!(zero.delay(u32::MAX), Duration::ZERO, "{backoff:?} from a base of zero");
        }
    }

    const JITTERS: [Jitter; 5] = [Jitter::Full, Jitter::Equal, Jitter::Proportional, Jitter::Exponential, Jitter::None];

    #[test]
    fn decorrelated_delays_lie_between_the_base_and_three_times_the_one_before() {
        let settings = from_two_seconds(Backoff::Decorrelated);
        let second = Duration::from_secs(1);
        assert_eq!(settings.decorrelated(Duration::ZERO, 0.0), 2 * second, "at first the base is the one before");
        assert_eq!(settings.decorrelated(Duration::ZERO, 0.5), 4 * second);
        assert_eq!(settings.decorrelated(4 * second, 0.5), 7 * second);
        assert_eq!(settings.decorrelated(20 * second, 0.9), settings.max_delay);
        assert_eq!(settings.base_delay(Duration::ZERO).wait(1, Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn each_jitter_has_the_mean_and_the_spread_it_is_named_for() {
        let mut random = SmallRng::seed_from_u64(1);
        let delay = Duration::from_secs(1);
        // Share of the delay: mean and standard deviation, by the formulas of the distributions.
        let proportional = 0.5 / 3_f64.sqrt();
        let expected =
            [(0.5, 1.0 / 12_f64.sqrt()), (0.75, 0.5 / 12_f64.sqrt()), (1.0, proportional), (1.0, 1.0), (1.0, 0.0)];
        for (jitter, (mean, deviation)) in JITTERS.into_iter().zip(expected) {
            let settings = RetrySettings::default().jitter(jitter).max_delay(Duration::MAX);
            let drawn: Vec<f64> =
                (0..100_000).map(|_| settings.jittered(delay, random.random()).as_secs_f64()).collect();
            let measured = drawn.iter().sum::<f64>() / 1e5;
            let variance = drawn.iter().map(|one| (one - measured).powi(2)).sum::<f64>() / 1e5;
            // Five standard errors of a mean of 100 000.
            assert!((measured - mean).abs() <= 5.0 * deviation / 1e5_f64.sqrt() + 1e-9, "{jitter:?}: mean {measured}");
            assert!((variance.sqrt() - deviation).abs() < 0.02, "{jitter:?}: deviation {}", variance.sqrt());
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
            for jitter in JITTERS {
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
                    Jitter::Exponential => (0.0, f64::INFINITY),
                    Jitter::None => (1.0, 1.0),
                };
                assert!(most.is_infinite() || spread.as_secs_f64() <= plain.as_secs_f64() * most + slack);
                let least = (plain.as_secs_f64() * least).min(settings.max_delay.as_secs_f64());
                assert!(spread.as_secs_f64() >= least - slack);
            }
        }

        #[test]
        fn whatever_the_settings_a_wait_is_from_zero_to_the_longest_delay(
            backoff in proptest::sample::select(vec![
                Backoff::Exponential,
                Backoff::Linear,
                Backoff::Fixed,
                Backoff::Fibonacci,
                Backoff::Decorrelated,
                Backoff::custom(|attempt| Duration::from_nanos(u64::from(attempt)).saturating_mul(attempt)),
                Backoff::custom(|_| Duration::MAX),
            ]),
            jitter in proptest::sample::select(JITTERS.to_vec()),
            base in proptest::prop_oneof![
                proptest::strategy::Just(Duration::ZERO),
                proptest::strategy::Just(Duration::from_nanos(1)),
                proptest::strategy::Just(Duration::MAX),
                (0_u64..1 << 50).prop_map(Duration::from_nanos),
            ],
            cap in proptest::prop_oneof![
                proptest::strategy::Just(Duration::ZERO),
                proptest::strategy::Just(Duration::MAX),
                (0_u64..1 << 50).prop_map(Duration::from_nanos),
            ],
            multiplier in proptest::prop_oneof![
                proptest::strategy::Just(f64::MIN_POSITIVE),
                proptest::strategy::Just(f64::MAX),
                1e-3..1e3_f64,
            ],
            attempt in proptest::prop_oneof![proptest::strategy::Just(u32::MAX), 1_u32..100],
            previous in (0_u64..1 << 50).prop_map(Duration::from_nanos),
            seed: u64,
        ) {
            let settings = RetrySettings::default()
                .backoff(backoff)
                .jitter(jitter)
                .jitter_factor(1.0)
                .base_delay(base)
                .max_delay(cap)
                .multiplier(multiplier);
            assert!(settings.delay(attempt) <= cap);
            let wait = || TestScope::new().seeded(seed).call(|| settings.wait(attempt, previous));
            assert!(wait() <= cap);
            assert_eq!(wait(), wait(), "it repeats for a seed");
            if base.is_zero() && !matches!(backoff, Backoff::Custom(_)) {
                assert_eq!(wait(), Duration::ZERO);
            }
            let unit = random::unit();
            let decorrelated = settings.decorrelated(previous, unit);
            assert!(decorrelated >= base.min(cap).saturating_sub(Duration::from_micros(1)) || base == Duration::MAX);
        }

        #[test]
        fn delays_grow_by_their_formula(base in 1_u64..1 << 40, wait in 1_u32..30) {
            let settings = RetrySettings::default().base_delay(Duration::from_nanos(base)).max_delay(Duration::MAX);
            let nanos = |backoff| settings.clone().backoff(backoff).delay(wait).as_nanos();
            let close = |delay: u128, exact: u128| delay.abs_diff(exact) <= exact / 1_000_000_000 + 1;
            let base = u128::from(base);
            assert!(close(nanos(Backoff::Fixed), base));
            assert!(close(nanos(Backoff::Linear), base * u128::from(wait)));
            assert!(close(nanos(Backoff::Exponential), base << (wait - 1)));
            let mut pair = (1, 1);
            (1..wait).for_each(|_| pair = (pair.1, pair.0 + pair.1));
            assert!(close(nanos(Backoff::Fibonacci), base * pair.0));
        }
    }
}
