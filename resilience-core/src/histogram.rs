//! Durations in a histogram, for means and percentiles: the one mechanism for all policies.
//!
//! Buckets are log-linear, eight to each power of two, as in Gil Tene's `HdrHistogram`: a percentile is at
//! most an eighth too high and never too low.

use std::time::Duration;

use crate::{
    clock,
    stats::{Counter, Maximum},
};

/// Buckets to each power of two.
const FINE_BITS: u32 = 3;
const FINE: usize = 1 << FINE_BITS;
/// Up to 2^42 ns, more than an hour; what is longer goes into the last one.
const BUCKETS: usize = (42 - FINE_BITS as usize + 1) * FINE;

/// Counts of durations.
pub(crate) struct Histogram {
    buckets: Box<[Counter]>,
    sum: Counter,
    longest: Maximum,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| Counter::default()).collect(),
            sum: Counter::default(),
            longest: Maximum::default(),
        }
    }

    pub(crate) fn record(&self, duration: Duration) {
        let nanos = clock::nanos(duration);
        self.buckets[bucket(nanos)].increment();
        self.sum.add(nanos);
        self.longest.record(nanos);
    }

    pub(crate) fn reset(&self) {
        self.buckets.iter().for_each(Counter::reset);
        self.sum.reset();
        self.longest.reset();
    }

    pub(crate) fn durations(&self) -> Durations {
        let counts: Vec<u64> = self.buckets.iter().map(Counter::get).collect();
        let count: u64 = counts.iter().sum();
        let longest = Duration::from_nanos(self.longest.get());
        let percentile = |share: f64| {
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let rank = ((count as f64 * share).ceil() as u64).max(1);
            let mut seen = 0;
            let found = counts.iter().position(|in_bucket| {
                seen += in_bucket;
                seen >= rank
            });
            found.map_or(Duration::ZERO, |bucket| Duration::from_nanos(upper_end(bucket)).min(longest))
        };
        Durations {
            count,
            mean: Duration::from_nanos(self.sum.get().checked_div(count).unwrap_or(0)),
            p50: percentile(0.5),
            p95: percentile(0.95),
            p99: percentile(0.99),
            longest,
        }
    }
}

/// How long things took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Durations {
    /// How many were measured.
    pub count: u64,
    /// The mean.
    pub mean: Duration,
    /// Half took at most this long; at most an eighth too high, as the other percentiles.
    pub p50: Duration,
    /// 95 of 100 took at most this long.
    pub p95: Duration,
    /// 99 of 100 took at most this long.
    pub p99: Duration,
    /// The longest, exactly.
    pub longest: Duration,
}

/// The bucket of a value: its highest bit, and the three bits below.
fn bucket(nanos: u64) -> usize {
    if nanos < FINE as u64 {
        return usize::try_from(nanos).unwrap_or(0);
    }
    let power = nanos.ilog2();
    let fine = usize::try_from(nanos >> (power - FINE_BITS)).unwrap_or(FINE) - FINE;
    ((power - FINE_BITS + 1) as usize * FINE + fine).min(BUCKETS - 1)
}

/// The largest value in a bucket.
fn upper_end(bucket: usize) -> u64 {
    let (power, fine) = (bucket / FINE, (bucket % FINE) as u64);
    match power {
        0 => fine,
        _ => ((FINE as u64 + fine + 1) << (power - 1)) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_value_lies_in_its_bucket_and_near_the_upper_end(nanos in 0_u64..1 << 42) {
            let upper = upper_end(bucket(nanos));
            assert!(upper >= nanos);
            assert!(upper - nanos <= nanos / 8);
            if bucket(nanos) > 0 {
                assert!(upper_end(bucket(nanos) - 1) < nanos);
            }
        }
    }

    #[test]
    fn percentiles_and_mean_of_known_durations() {
        let histogram = Histogram::new();
        assert_eq!(histogram.durations(), Durations::default());
        (1..=100).for_each(|ms| histogram.record(Duration::from_millis(ms)));
        let durations = histogram.durations();
        assert_eq!(durations.count, 100);
        assert_eq!(durations.mean, Duration::from_micros(50_500));
        assert_eq!(durations.longest, Duration::from_millis(100));
        for (measured, exact) in [(durations.p50, 50), (durations.p95, 95), (durations.p99, 99)] {
            let exact = Duration::from_millis(exact);
            assert!(measured >= exact && measured <= exact * 9 / 8, "{measured:?} for {exact:?}");
        }
        histogram.record(Duration::from_secs(100_000));
        assert_eq!(histogram.durations().longest, Duration::from_secs(100_000));
    }
}
