//! What defines a timeout.

use std::time::Duration;

use super::Timeout;
use crate::settings::settings;

settings! {
    /// What defines a [`Timeout`].
    ///
    /// - [`limit`](Self::limit): 30 s
    /// - [`max_detached`](Self::max_detached): 64
    TimeoutSettings, TimeoutBuilder for Timeout {
        /// How long a call may take; longer than zero. Default: 30 s.
        limit: Duration = Duration::from_secs(30);
        /// How many detached runs may still go on after their callers left; at least 1. While there are that many, further
        /// detached calls are refused. Calls that wait for their result at that moment can still exceed it. Default: 64.
        max_detached: u32 = 64;
    }
}

impl TimeoutSettings {
    fn fault(&self) -> Option<(&'static str, &'static str)> {
        if self.limit.is_zero() {
            Some(("limit", "must be longer than zero"))
        } else if self.max_detached == 0 {
            Some(("max_detached", "must be at least 1"))
        } else {
            None
        }
    }
}
