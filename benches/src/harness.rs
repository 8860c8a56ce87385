//! Rounds and medians: every round runs every contender once, and the next round starts with the next contender, so that
//! whatever else the machine does hits all of them alike.

use std::time::Duration;

use crate::{
    batch::{Batch, runtime},
    case::{Case, Role},
    target::{Target, Verdict},
};

/// How long a contender runs in one round.
const ROUND: Duration = Duration::from_millis(7);
/// Calls over which allocations are counted.
const COUNTED: u32 = 1000;

/// What came out of a case.
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    pub(crate) measured: Vec<Measured>,
    pub(crate) verdicts: Vec<Verdict>,
}

/// What came out for one contender.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    /// Nanoseconds per call, the median of all rounds.
    pub(crate) ns: f64,
    /// Allocations per call, where the case asks for them.
    pub(crate) allocations: Option<f64>,
}

pub(crate) fn measure(mut case: Case, rounds: usize) -> Outcome {
    let _inside = case.in_runtime.then(|| runtime().enter());
    let contenders = &mut case.contenders;
    let calls: Vec<u64> = contenders.iter_mut().map(|contender| calibrate(&mut contender.batch)).collect();
    let mut samples = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..rounds {
        for turn in 0..contenders.len() {
            let who = (round + turn) % contenders.len();
            samples[who].push(per_call((contenders[who].batch)(calls[who]), calls[who]));
        }
    }
    let counts = case.targets.iter().any(|target| matches!(target, Target::NoAllocation));
    let measured: Vec<Measured> = contenders
        .iter_mut()
        .zip(samples)
        .map(|(contender, samples)| Measured {
            name: contender.name,
            role: contender.role,
            ns: median(samples),
            allocations: counts.then(|| allocations(&mut contender.batch)),
        })
        .collect();
    let verdicts = case.targets.iter().map(|target| target.verdict(&measured)).collect();
    Outcome { name: case.name, measured, verdicts }
}

/// How many calls make a round. Its first batches also warm up.
fn calibrate(batch: &mut Batch) -> u64 {
    let mut calls = 1024;
    loop {
        let took = batch(calls);
        if took >= ROUND / 4 {
            let wanted = ROUND.as_secs_f64() * 1e9 / per_call(took, calls);
            #[expect(clippy::cast_possible_truncation, reason = "a fraction of a call does not matter")]
            return (wanted as u64).max(1);
        }
        calls *= 2;
    }
}

fn per_call(took: Duration, calls: u64) -> f64 {
    took.as_secs_f64() * 1e9 / calls as f64
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    let (low, high) = (samples[(samples.len() - 1) / 2], samples[samples.len() / 2]);
    f64::midpoint(low, high)
}

fn allocations(batch: &mut Batch) -> f64 {
    let info = allocation_counter::measure(|| {
        batch(COUNTED.into());
    });
    info.count_total as f64 / f64::from(COUNTED)
}
