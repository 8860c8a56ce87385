//! What contention detection can be told, and what cannot be meant.

use std::time::Duration;

use super::Resource;
use crate::settings::settings;

settings! {
    /// How a [`Resource`] is set up.
    ResourceSettings, ResourceBuilder for Resource {
        /// How many calls may hold the resource at the same time, at least 1; default 1.
        max_concurrent: u32 = 1;
        /// How long a call may wait for the resource; default 30 s.
        max_wait: Duration = Duration::from_secs(30);
        /// A wait longer than this that ends with the resource is reported as an event; default 1 s.
        contention_threshold: Duration = Duration::from_secs(1);
    }
}

impl ResourceSettings {
    /// The first setting that cannot be meant, with the reason.
    pub(crate) fn fault(&self) -> Option<(&'static str, &'static str)> {
        (self.max_concurrent == 0).then_some(("max_concurrent", "must be at least 1"))
    }
}
