//! Takes the attributes of ours that stand below the first one off the function.
//!
//! Rust expands the top attribute first, with the others still on the item. One expansion for all of them keeps the
//! order of wrapping the order of writing. A `cfg_attr` among them hides nothing: Rust resolves those first.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, Meta, Path, spanned::Spanned};

use crate::{
    errors::Errors,
    kind::{self, Kind},
};

/// One attribute as found on the function.
pub(crate) struct Written {
    pub(crate) kind: &'static Kind,
    pub(crate) args: TokenStream,
    pub(crate) span: Span,
    /// As the user named it, where this expansion takes it off the function: the import of that name is in use.
    pub(crate) path: Option<Path>,
}

/// Splits off our attributes, in order; the others stay where they were.
pub(crate) fn collect(first: Written, attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Vec<Written> {
    let mut stack = vec![first];
    attrs.retain(|attr| {
        let Some(kind) = recognise(attr.path()) else { return true };
        let span = attr.path().span();
        if stack.iter().any(|known| known.kind.name == kind.name) {
            errors.at_span(
                span,
                format!("`#[{0}]` is on this function twice; keep one, or put a function between", kind.name),
            );
        }
        let args = match &attr.meta {
            Meta::Path(_) => TokenStream::new(),
            Meta::List(list) => list.tokens.clone(),
            Meta::NameValue(pair) => {
                errors.at(pair, format!("write `#[{}(..)]` with its keys in parentheses", kind.name));
                TokenStream::new()
            }
        };
        stack.push(Written { kind, args, span, path: Some(attr.path().clone()) });
        false
    });
    stack
}

fn recognise(path: &Path) -> Option<&'static Kind> {
    kind::named(&path.segments.last()?.ident.to_string())
}
