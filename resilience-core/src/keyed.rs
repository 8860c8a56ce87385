//! One instance per value: per host, per tenant, per tool. Bounded in number, so that values that come from outside
//! cannot fill the memory.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    fmt::{Display, Write},
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{Name, registry::Policy, sync::unpoisoned};

/// How many members are looked at to make room for a new one.
const LOOKED_AT: usize = 128;

/// A policy with one instance per value. Not covered by semver.
pub trait Keyed: Policy {
    /// The instance for one value.
    #[must_use]
    fn for_key(&self, key: impl Display) -> Self;
}

/// The instances of one name, by value.
pub(crate) struct Family<P> {
    members: RwLock<Members<P>>,
}

struct Members<P> {
    by_key: HashMap<Arc<str>, Member<P>>,
    /// Candidates for eviction, oldest first.
    queue: VecDeque<Arc<str>>,
}

struct Member<P> {
    policy: P,
    /// Used since it was last looked at for eviction: it then gets a second chance.
    used: AtomicBool,
}

impl<P> Default for Family<P> {
    fn default() -> Self {
        Self { members: RwLock::new(Members { by_key: HashMap::new(), queue: VecDeque::new() }) }
    }
}

impl<P: Clone> Family<P> {
    /// The member for that value, made by the name `name[key]` if there is none; `None` if there is no room for it.
    pub(crate) fn for_key(
        &self,
        name: &Name,
        key: impl Display,
        max_keys: u32,
        may_go: impl Fn(&P) -> bool,
        make: impl FnOnce(Name) -> P,
    ) -> Option<P> {
        let most = usize::try_from(max_keys).unwrap_or(usize::MAX);
        with_text(key, |key| self.get(key, most, may_go, || make(format!("{name}[{key}]").into())))
    }

    fn get(&self, key: &str, most: usize, may_go: impl Fn(&P) -> bool, make: impl FnOnce() -> P) -> Option<P> {
        {
            let members = unpoisoned(self.members.read());
            if let Some(member) = members.by_key.get(key) {
                // Relaxed: a hint.
                member.used.store(true, Ordering::Relaxed);
                return Some(member.policy.clone());
            }
        }
        let mut members = unpoisoned(self.members.write());
        if let Some(member) = members.by_key.get(key) {
            return Some(member.policy.clone());
        }
        if members.by_key.len() >= most && !members.make_room(may_go) {
            return None;
        }
        let (key, policy): (Arc<str>, _) = (key.into(), make());
        members.queue.push_back(key.clone());
        members.by_key.insert(key, Member { policy: policy.clone(), used: AtomicBool::new(false) });
        Some(policy)
    }

    /// Every member, sorted by value.
    pub(crate) fn all(&self) -> Vec<P> {
        let members = unpoisoned(self.members.read());
        let mut all: Vec<_> = members.by_key.iter().collect();
        all.sort_by_key(|(key, _)| *key);
        all.into_iter().map(|(_, member)| member.policy.clone()).collect()
    }
}

impl<P> Members<P> {
    /// Evicts the first that may go and was not used lately.
    fn make_room(&mut self, may_go: impl Fn(&P) -> bool) -> bool {
        for _ in 0..LOOKED_AT.min(2 * self.queue.len()) {
            let Some(key) = self.queue.pop_front() else { return false };
            let Some(member) = self.by_key.get(&key) else { continue };
            // Relaxed: a hint.
            if !member.used.swap(false, Ordering::Relaxed) && may_go(&member.policy) {
                self.by_key.remove(&key);
                return true;
            }
            self.queue.push_back(key);
        }
        false
    }
}

/// Shows a value in a buffer of the thread, so that a known one is found without allocating.
fn with_text<T>(key: impl Display, work: impl FnOnce(&str) -> T) -> T {
    thread_local!(static TEXT: RefCell<String> = const { RefCell::new(String::new()) });
    // Taken out, since showing a value is user code and may come back here.
    // A thread that is being torn down has none, and gets a new one.
    let mut text = TEXT.try_with(RefCell::take).unwrap_or_default();
    text.clear();
    // A value that fails to show itself has the text that it wrote so far.
    let _ = write!(text, "{key}");
    let out = work(&text);
    let _ = TEXT.try_with(|place| place.replace(text));
    out
}
