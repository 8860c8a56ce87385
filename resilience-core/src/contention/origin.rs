//! Who takes a resource, as a small number: a slot in the table of holders can store it in an atomic.
//!
//! Each function and each place of a call gets its number once and keeps it for good; there are only as many as the
//! source code has.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{Mutex, OnceLock},
};

use crate::{Name, Place, sync::lock};

/// A function that takes a resource by attribute. Not covered by semver.
#[doc(hidden)]
pub struct Origin {
    function: fn() -> &'static str,
    id: OnceLock<OriginId>,
}

/// The number of an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OriginId(NonZeroU32);

struct Known {
    names: Vec<Name>,
    places: BTreeMap<Place, OriginId>,
}

static KNOWN: Mutex<Known> = Mutex::new(Known { names: Vec::new(), places: BTreeMap::new() });

impl Origin {
    /// `function` gives the function's path; it is asked once.
    #[must_use]
    pub const fn new(function: fn() -> &'static str) -> Self {
        Self { function, id: OnceLock::new() }
    }

    /// The number; one load away after the first call.
    #[inline]
    pub(crate) fn id(&self) -> OriginId {
        *self.id.get_or_init(|| lock(&KNOWN).add(Name::from_static((self.function)())))
    }
}

impl OriginId {
    /// The number of a place in source code, shown as `file:line`.
    pub(crate) fn of(place: Place) -> Self {
        let mut known = lock(&KNOWN);
        if let Some(id) = known.places.get(&place) {
            return *id;
        }
        let id = known.add(Name::from(place.to_string()));
        known.places.insert(place, id);
        id
    }

    /// For a slot of the table of holders.
    #[inline]
    pub(super) fn number(self) -> u32 {
        self.0.get()
    }

    /// The origin of that number; `None` for 0.
    pub(super) fn from_number(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// The function's path, or the place.
    pub(crate) fn name(self) -> Name {
        lock(&KNOWN).names[self.0.get() as usize - 1].clone()
    }
}

impl Known {
    fn add(&mut self, name: Name) -> OriginId {
        self.names.push(name);
        // A program has fewer functions than that; if it had more, the rest would go under the last name.
        let id = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        OriginId(NonZeroU32::new(id).unwrap_or(NonZeroU32::MAX))
    }
}
