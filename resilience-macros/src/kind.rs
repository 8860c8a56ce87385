//! What the attributes have in common: each is one row of this table, and one file under `attributes`.

use proc_macro2::{Span, TokenStream};

use crate::{
    args::Values,
    attributes::{bulkhead, circuit_breaker, detect_contention, retry, timeout},
    errors::Errors,
    function::Function,
    key::Key,
    model::{Inner, Layer},
    paths::Paths,
};

/// One attribute.
pub(crate) struct Kind {
    /// As written by the user.
    pub(crate) name: &'static str,
    /// The runtime type behind it, and the type of its settings.
    pub(crate) policy: &'static str,
    pub(crate) settings: &'static str,
    pub(crate) keys: &'static [Key],
    /// The key of a value that is given without one, as in `#[timeout("2s")]`.
    pub(crate) positional: Option<&'static str>,
    /// Whether the layer may refuse or stop a call, so that the function's error must be able to hold that.
    pub(crate) rejects: bool,
    /// Whether the layer may run what is inside more than once, so that each run needs arguments of its own.
    pub(crate) repeats: bool,
    /// Checks between keys, and against the function; `span` is the attribute's own.
    pub(crate) check: fn(values: &Values, function: &Function, span: Span, errors: &mut Errors),
    /// Wraps the layer around the code inside it.
    pub(crate) wrap: fn(layer: &Layer, function: &Function, inner: Inner, paths: &Paths) -> TokenStream,
}

pub(crate) const ALL: &[&Kind] =
    &[&circuit_breaker::KIND, &retry::KIND, &bulkhead::KIND, &timeout::KIND, &detect_contention::KIND];

/// The attribute of that name.
pub(crate) fn named(name: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.name == name)
}
