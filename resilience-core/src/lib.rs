//! The runtime of `resilience-rs`: policies, registries, errors, time and events.
//!
//! Applications depend on the facade crate `resilience-rs`, which re-exports all of this beside the attributes.

pub mod bulkhead;
pub mod circuit_breaker;
mod classified;
mod clock;
pub mod contention;
mod error;
pub mod events;
mod gate;
mod histogram;
mod instances;
mod keyed;
mod name;
#[doc(hidden)]
pub mod private;
mod random;
mod registry;
pub mod retry;
mod scope;
mod semaphore;
mod settings;
mod site;
mod stats;
mod sync;
pub mod testing;
pub mod timeout;

pub use bulkhead::Bulkhead;
pub use circuit_breaker::CircuitBreaker;
pub use classified::Classified;
pub use contention::Resource;
pub use error::{Error, Failure, Holder};
pub use histogram::Durations;
pub use instances::{Instances, instances};
pub use name::Name;
pub use registry::{Conflict, Conflicts, verify};
pub use retry::{Retry, attempt};
pub use settings::InvalidSetting;
pub use site::Place;
pub use timeout::{Timeout, checkpoint, deadline};
