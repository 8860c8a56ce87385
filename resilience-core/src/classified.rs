//! A policy with a say in which errors count.

/// A policy together with a function over the error of the work: made by
/// [`CircuitBreaker::failure_when`](crate::CircuitBreaker::failure_when),
/// [`CircuitBreaker::judge`](crate::CircuitBreaker::judge) and [`Retry::when`](crate::Retry::when), and used like the policy
/// itself.
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing until it calls or runs something"]
pub struct Classified<'a, Policy, P> {
    pub(crate) policy: &'a Policy,
    pub(crate) predicate: P,
}
