//! Takes the attributes of ours that stand below the first one off the function.
//!
//! Rust expands the top attribute first, with the others still on the item. One expansion for all of them keeps the
//! order of wrapping the order of writing.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, Meta, Path, Token, parse::Parser, punctuated::Punctuated, spanned::Spanned};

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
        if attr.path().is_ident("cfg_attr") {
            refuse_hidden(attr, &stack, errors);
            return true;
        }
        let Some(kind) = recognise(attr.path()) else { return true };
        let span = attr.path().span();
        if stack.iter().any(|known| known.kind.name == kind.name) {
            errors.at_span(
                span,
                format!("`#[{0}]` is on this function twice; keep one, or put a function between", kind.name),
            );
            return false;
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

/// A `cfg_attr` below ours is not expanded yet, so what it hides would be applied on its own, around the wrong thing.
fn refuse_hidden(attr: &Attribute, above: &[Written], errors: &mut Errors) {
    let Meta::List(list) = &attr.meta else { return };
    let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
    let Ok(metas) = parser.parse2(list.tokens.clone()) else { return };
    for meta in metas.iter().skip(1) {
        let Some(hidden) = recognise(meta.path()) else { continue };
        let above = above.last().map_or(hidden.name, |written| written.kind.name);
        errors.at(
            meta.path(),
            format!(
                "`cfg_attr` hides `{0}` below `#[{above}]`, so their order would be lost; name both in one `cfg_attr` \
                 above the function, as in `#[cfg_attr(condition, {above}(..), {0}(..))]`",
                hidden.name
            ),
        );
    }
}
