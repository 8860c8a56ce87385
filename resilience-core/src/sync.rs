//! The only door to atomics and locks of the lock-free parts, so that loom can stand behind it.

use std::sync::{LockResult, PoisonError};

#[cfg(loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU32, AtomicU64, Ordering},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

/// The guard of a lock, also after a panic elsewhere: every structure behind our locks is valid between statements.
#[inline]
pub(crate) fn unpoisoned<G>(locked: LockResult<G>) -> G {
    locked.unwrap_or_else(PoisonError::into_inner)
}

/// Locks, and goes on after a panic elsewhere.
///
/// For the locks of registries and the like, which loom does not look at.
#[allow(unused_qualifications, reason = "under loom the unqualified names are loom's")]
pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    unpoisoned(mutex.lock())
}
