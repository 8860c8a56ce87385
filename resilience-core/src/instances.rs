//! The table of the kinds of policy. Adding a kind adds one line to it.

use std::sync::Mutex;

use crate::{
    Bulkhead, CircuitBreaker, Conflict, Resource, Retry, Timeout, bulkhead, circuit_breaker, contention,
    registry::{self, Policy, Registry},
    retry::{self, Budget},
    site::Site,
    timeout,
};

macro_rules! kinds {
    ($( $(#[$doc:meta])* $field:ident: $policy:ident => $snapshot:ty, )*) => {
        /// One registry of each kind. Not covered by semver.
        #[doc(hidden)]
        pub struct Registries {
            $( pub(crate) $field: Registry<$policy>, )*
            conflicts: Mutex<Vec<Conflict>>,
        }

        impl Registries {
            const fn new() -> Self {
                Self { $( $field: Registry::new(), )* conflicts: Mutex::new(Vec::new()) }
            }

            pub(crate) fn resolve_all(&self) {
                $( self.$field.all(self); )*
            }
        }

        /// One attribute on one function, of whatever kind. Not covered by semver.
        #[doc(hidden)]
        pub enum AnySite {
            $( $policy(&'static Site<$policy>), )*
        }

        /// A snapshot of every instance, kind by kind, each sorted by name.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub struct Instances {
            $( $(#[$doc])* pub $field: Vec<$snapshot>, )*
        }

        /// Lists every instance: those of annotated functions, called or not, and those made by hand.
        ///
        /// # Examples
        ///
        /// ```
        /// for circuit in resilience_core::instances().circuit_breakers {
        ///     println!("{}: {}", circuit.name, circuit.state);
        /// }
        /// ```
        #[must_use]
        pub fn instances() -> Instances {
            Instances { $( $field: registry::all::<$policy>().iter().map($policy::snapshot).collect(), )* }
        }

        $(
            impl $policy {
                /// Every instance of this kind: those of annotated functions, called or not, and those made by hand.
                #[must_use]
                pub fn all() -> Vec<Self> {
                    registry::all()
                }

                /// The instance of that name: the one that annotated functions use, or one that was built by hand.
                /// A name that nothing defines gets default settings.
                #[must_use]
                pub fn named(name: &str) -> Self {
                    registry::named(name)
                }
            }

            #[doc(hidden)]
            impl From<&'static Site<$policy>> for AnySite {
                fn from(site: &'static Site<$policy>) -> Self {
                    Self::$policy(site)
                }
            }
        )*
    };
}

/// What ties a policy to its line in the table.
macro_rules! policy {
    ($policy:ident, $kind:literal, $settings:ident, $field:ident $(, $members:ident)?) => {
        impl $crate::registry::Policy for $policy {
            const KIND: &'static str = $kind;
            type Settings = $settings;

            fn create(name: $crate::Name, settings: $settings) -> Self {
                Self::create(name, settings)
            }

            $(fn $members(&self) -> Vec<Self> {
                Self::$members(self)
            })?

            fn registry(all: &$crate::instances::Registries) -> &$crate::registry::Registry<Self> {
                &all.$field
            }

            fn site(any: &$crate::instances::AnySite) -> Option<&'static $crate::site::Site<Self>> {
                match any {
                    $crate::instances::AnySite::$policy(site) => Some(site),
                    _ => None,
                }
            }
        }

        $($crate::instances::policy!(@keyed $policy, $members);)?
    };
    (@keyed $policy:ident, members) => {
        impl $crate::keyed::Keyed for $policy {
            fn for_key(&self, key: impl std::fmt::Display) -> Self {
                Self::for_key(self, key)
            }
        }
    };
}
pub(crate) use policy;

kinds! {
    /// Circuit breakers.
    circuit_breakers: CircuitBreaker => circuit_breaker::Snapshot,
    /// Retries.
    retries: Retry => retry::Snapshot,
    /// Retry budgets that have a name of their own.
    budgets: Budget => retry::BudgetSnapshot,
    /// Bulkheads.
    bulkheads: Bulkhead => bulkhead::Snapshot,
    /// Timeouts.
    timeouts: Timeout => timeout::Snapshot,
    /// Resources under contention detection.
    resources: Resource => contention::Snapshot,
}

impl Registries {
    pub(crate) fn global() -> &'static Self {
        static GLOBAL: Registries = Registries::new();
        &GLOBAL
    }

    pub(crate) fn of<P: Policy>(&self) -> &Registry<P> {
        P::registry(self)
    }

    pub(crate) fn report(&self, conflict: Conflict) {
        registry::report(&self.conflicts, conflict);
    }

    pub(crate) fn conflicts(&self) -> Vec<Conflict> {
        crate::sync::lock(&self.conflicts).clone()
    }
}

impl Default for Registries {
    fn default() -> Self {
        Self::new()
    }
}

/// The sites of one function.
#[doc(hidden)]
pub struct Sites(pub &'static [AnySite]);

inventory::collect!(Sites);

impl AnySite {
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        inventory::iter::<Sites>.into_iter().flat_map(|sites| sites.0)
    }
}
