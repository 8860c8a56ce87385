//! One registry per kind of policy, keyed by name. The first definition of a name counts; others are conflicts that
//! are joined, logged once and listed.

use std::{collections::BTreeMap, fmt, sync::Mutex};

use crate::{
    InvalidSetting, Name, Place,
    events::{self, Event},
    instances::AnySite,
    scope,
    settings::Settings,
    site::Site,
    sync::lock,
};

pub(crate) use crate::instances::Registries;

/// A kind of instance that registries hold. Not covered by semver.
pub trait Policy: Clone + Send + Sync + Sized + 'static {
    /// What messages call it.
    const KIND: &'static str;
    /// What defines it.
    type Settings: Settings;

    #[doc(hidden)]
    fn create(name: Name, settings: Self::Settings) -> Self;
    /// Instances for single values that belong to this one.
    #[doc(hidden)]
    fn members(&self) -> Vec<Self> {
        Vec::new()
    }
    #[doc(hidden)]
    fn registry(all: &Registries) -> &Registry<Self>;
    #[doc(hidden)]
    fn site(any: &AnySite) -> Option<&'static Site<Self>>;
}

/// All instances of one kind.
#[doc(hidden)]
pub struct Registry<P: Policy> {
    entries: Mutex<BTreeMap<Key, Entry<P>>>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Named(Name),
    /// An instance of one function alone: its path, and the address of its site, since paths may read the same.
    Own(Name, usize),
}

struct Entry<P: Policy> {
    policy: P,
    /// What it was made with; it may have been given other settings since, which is no conflict.
    settings: P::Settings,
    /// Where it was defined; `None` where it was used before anything defined it.
    place: Option<Place>,
}

/// What one definition asks for.
#[derive(Clone)]
struct Definition<P: Policy> {
    settings: P::Settings,
    place: Place,
}

impl<P: Policy> Registry<P> {
    pub(crate) const fn new() -> Self {
        Self { entries: Mutex::new(BTreeMap::new()) }
    }

    /// The instance of that name, defined by the program's sites, by default settings if there are none.
    pub(crate) fn join(&self, all: &Registries, name: &Name) -> P {
        if let Some(policy) = self.find(name) {
            return policy;
        }
        // Evaluated without the lock: settings may be expressions that use the library themselves.
        let mut definitions = definitions_in_program::<P>(name).into_iter();
        let policy = self.insert(name, definitions.next());
        for other in definitions {
            self.compare(all, name, &other);
        }
        policy
    }

    fn find(&self, name: &Name) -> Option<P> {
        lock(&self.entries).get(&Key::Named(name.clone())).map(|entry| entry.policy.clone())
    }

    /// Adds an instance, unless another thread was faster.
    fn insert(&self, name: &Name, definition: Option<Definition<P>>) -> P {
        let (settings, place) = definition
            .map_or_else(|| (P::Settings::default(), None), |definition| (definition.settings, Some(definition.place)));
        let policy = P::create(name.clone(), settings.clone());
        let entry = Entry { policy, settings, place };
        lock(&self.entries).entry(Key::Named(name.clone())).or_insert(entry).policy.clone()
    }

    /// The instance that belongs to one site alone.
    pub(crate) fn own(&self, site: &'static Site<P>) -> P {
        let name = site.function();
        let key = Key::Own(name.clone(), std::ptr::from_ref(site).addr());
        if let Some(entry) = lock(&self.entries).get(&key) {
            return entry.policy.clone();
        }
        let settings = site.settings().unwrap_or_default();
        let policy = P::create(name, settings.clone());
        lock(&self.entries).entry(key).or_insert(Entry { policy, settings, place: Some(site.place()) }).policy.clone()
    }

    fn compare(&self, all: &Registries, name: &Name, wanted: &Definition<P>) {
        let entries = lock(&self.entries);
        let Some(entry) = entries.get(&Key::Named(name.clone())) else { return };
        let settings = &entry.settings;
        if *settings == wanted.settings {
            return;
        }
        let differences = settings
            .fields()
            .into_iter()
            .zip(wanted.settings.fields())
            .filter(|(in_force, ignored)| in_force != ignored)
            .map(|((key, in_force), (_, ignored))| format!("{key} = {in_force}, not {ignored}"))
            .collect::<Vec<_>>()
            .join("; ");
        let conflict =
            Conflict { kind: P::KIND, name: name.clone(), in_force: entry.place, ignored: wanted.place, differences };
        drop(entries);
        all.report(conflict);
    }

    /// Every instance, those of functions that were never called included.
    pub(crate) fn all(&self, all: &Registries) -> Vec<P> {
        for site in sites_in_program::<P>() {
            site.resolve(all);
        }
        let own: Vec<P> = lock(&self.entries).values().map(|entry| entry.policy.clone()).collect();
        own.into_iter().flat_map(|policy| [policy.clone()].into_iter().chain(policy.members())).collect()
    }
}

fn sites_in_program<P: Policy>() -> impl Iterator<Item = &'static Site<P>> {
    AnySite::all().filter_map(P::site)
}

/// The definitions of a name by attributes, in the order of their places and, where a macro wrote them at one place, of
/// their functions: so every run of a program agrees.
fn definitions_in_program<P: Policy>(name: &str) -> Vec<Definition<P>> {
    let mut sites: Vec<_> = sites_in_program::<P>().filter(|site| site.name() == Some(name)).collect();
    sites.sort_by_key(|site| (site.place(), site.function()));
    sites.into_iter().filter_map(|site| Some(Definition { settings: site.settings()?, place: site.place() })).collect()
}

/// Defines a name by hand.
#[track_caller]
pub(crate) fn define<P: Policy>(name: Name, settings: P::Settings) -> Result<P, InvalidSetting> {
    let fault = if name.is_empty() { Some(("name", "must not be empty")) } else { settings.fault() };
    if let Some((setting, reason)) = fault {
        return Err(InvalidSetting { kind: P::KIND, name, setting, reason });
    }
    let wanted = Definition::<P> { settings, place: Place::caller() };
    Ok(with_registries(|all| {
        let registry = all.of::<P>();
        if registry.find(&name).is_none() && definitions_in_program::<P>(&name).is_empty() {
            registry.insert(&name, Some(wanted.clone()));
        }
        let policy = registry.join(all, &name);
        registry.compare(all, &name, &wanted);
        policy
    }))
}

/// The instance of that name in the registries in force.
pub(crate) fn named<P: Policy>(name: &str) -> P {
    with_registries(|all| all.of::<P>().join(all, &Name::interned(name)))
}

/// Every instance of a kind in the registries in force.
pub(crate) fn all<P: Policy>() -> Vec<P> {
    with_registries(|all| all.of::<P>().all(all))
}

pub(crate) fn with_registries<T>(work: impl FnOnce(&Registries) -> T) -> T {
    match scope::current() {
        None => work(Registries::global()),
        Some(scope) => work(&scope.registries),
    }
}

/// Two definitions of one name that differ. The first, in the order of file and line, is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict {
    /// The kind of instance, as in "circuit breaker".
    pub kind: &'static str,
    /// The name both define.
    pub name: Name,
    /// The definition in force; `None` where the name was used with default settings before it was defined.
    pub in_force: Option<Place>,
    /// The definition that is ignored.
    pub ignored: Place,
    /// Where they differ, as in "`max_attempts` = 3, not 5".
    pub differences: String,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, in_force, ignored, differences } = self;
        write!(f, "{kind} `{name}` is defined twice: ")?;
        match in_force {
            Some(place) => write!(f, "{place} is in force")?,
            None => f.write_str("its first use, with default settings, is in force")?,
        }
        write!(f, ", {ignored} is ignored ({differences})")
    }
}

/// Every conflict that [`verify`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflicts(pub Vec<Conflict>);

impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, conflict) in self.0.iter().enumerate() {
            write!(f, "{}{conflict}", if n == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Conflicts {}

/// Checks that no name is defined twice with different settings, whether its functions were called yet or not.
///
/// Call it when the program starts, and assert on it in a test. A conflict never fails a call: the first definition is
/// in force for everyone.
///
/// # Errors
///
/// Every conflict, each with both places.
///
/// # Examples
///
/// ```
/// resilience_core::verify().expect("every name is defined once");
/// ```
pub fn verify() -> Result<(), Conflicts> {
    with_registries(|all| {
        all.resolve_all();
        let conflicts = all.conflicts();
        if conflicts.is_empty() { Ok(()) } else { Err(Conflicts(conflicts)) }
    })
}

/// Logs a conflict and tells subscribers, the first time only.
pub(crate) fn report(known: &Mutex<Vec<Conflict>>, conflict: Conflict) {
    {
        let mut known = lock(known);
        if known.contains(&conflict) {
            return;
        }
        known.push(conflict.clone());
    }
    log::warn!(target: "resilience", "{conflict}");
    events::emit(|| Event::Conflict(conflict));
}
