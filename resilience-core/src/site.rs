//! A site is one attribute on one function: its settings, its place, and the instance it resolves to.
//!
//! Sites are collected at link time, so that instances can be listed, and conflicts found, before the first call.

use std::{fmt, ops::Deref, panic::Location};

use once_cell::race::OnceBox;

use crate::{
    Name,
    registry::{Policy, Registries},
    scope,
};

/// A place in source code, shown as `file:line`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Place {
    /// The file, as the compiler was given it.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
}

impl Place {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(file: &'static str, line: u32) -> Self {
        Self { file, line }
    }

    #[track_caller]
    pub(crate) fn caller() -> Self {
        let location = Location::caller();
        Self { file: location.file(), line: location.line() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One attribute on one function. Not covered by semver.
#[doc(hidden)]
pub struct Site<P: Policy> {
    name: Option<&'static str>,
    settings: Option<fn() -> P::Settings>,
    place: Place,
    function: fn() -> &'static str,
    instance: OnceBox<P>,
}

impl<P: Policy> Site<P> {
    /// `settings` is `None` where the attribute sets no option: then the site joins whatever defines the name.
    #[must_use]
    pub const fn new(
        name: Option<&'static str>,
        settings: Option<fn() -> P::Settings>,
        place: Place,
        function: fn() -> &'static str,
    ) -> Self {
        Self { name, settings, place, function, instance: OnceBox::new() }
    }

    /// The instance; looked up once, and from then on one load away.
    #[inline]
    pub fn get(&'static self) -> Handle<'static, P> {
        match self.instance.get() {
            Some(instance) if !scope::is_entered() => Handle::Ref(instance),
            _ => self.look_up(),
        }
    }

    #[cold]
    #[inline(never)]
    fn look_up(&'static self) -> Handle<'static, P> {
        match scope::current() {
            None => Handle::Ref(self.instance.get_or_init(|| Box::new(self.resolve(Registries::global())))),
            Some(scope) => Handle::Owned(self.resolve(&scope.registries)),
        }
    }

    pub(crate) fn resolve(&'static self, registries: &Registries) -> P {
        match self.name {
            Some(name) => registries.of::<P>().join(registries, &Name::from_static(name)),
            None => registries.of::<P>().own(self),
        }
    }

    pub(crate) fn name(&self) -> Option<&'static str> {
        self.name
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// The function's path, as in `shop::Checkout::pay`.
    #[must_use]
    pub fn function(&self) -> Name {
        Name::from_static((self.function)())
    }

    pub(crate) fn settings(&self) -> Option<P::Settings> {
        self.settings.map(|settings| settings())
    }
}

/// The path of the function that contains the marker type `T`.
#[doc(hidden)]
#[must_use]
pub fn function_of<T>() -> &'static str {
    let path = std::any::type_name::<T>();
    let function = path.rsplit_once("::").map_or(path, |(function, _marker)| function);
    // An async body is a closure of its function.
    function.trim_end_matches("::{{closure}}")
}

/// An instance: borrowed from its site or from the caller, or owned inside a test's scope.
#[doc(hidden)]
pub enum Handle<'a, P> {
    Ref(&'a P),
    Owned(P),
}

impl<P: Clone> Clone for Handle<'_, P> {
    #[inline]
    fn clone(&self) -> Self {
        match self {
            Self::Ref(policy) => Self::Ref(policy),
            Self::Owned(policy) => Self::Owned(policy.clone()),
        }
    }
}

impl<P> Deref for Handle<'_, P> {
    type Target = P;

    #[inline]
    fn deref(&self) -> &P {
        match self {
            Self::Ref(policy) => policy,
            Self::Owned(policy) => policy,
        }
    }
}
