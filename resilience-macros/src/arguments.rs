//! How a retry hands the arguments to each attempt.
//!
//! ```text
//! Input:   fn f(&mut self, (a, b): (A, B), mut c: &mut C, d: &D) { BODY }
//! Output:  fn f(&mut self, arg: (A, B), c: &mut C, d: &D) {
//!              let mut slot = Replay::new(arg);            // owned: a clone each, the last attempt gets the value
//!              loop {
//!                  let (a, b) = Repeatable::next(&mut slot, last);
//!                  let mut c = &mut *c;                    // borrowed for one attempt
//!                  BODY                                    // `&mut self` and `d` need nothing
//!              }
//!          }
//! ```

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Attribute, FnArg, Generics, Pat, PatIdent, PatType, ReceiverKind, Type, spanned::Spanned};

use crate::{function::Function, paths::Paths, self_tokens, types};

#[derive(Default)]
pub(crate) struct Replays {
    /// Statements before the first attempt.
    pub(crate) slots: TokenStream,
    /// Statements at the start of each attempt; they use `last`.
    pub(crate) bindings: TokenStream,
}

/// The variable that says whether this attempt is the last one.
pub(crate) fn last() -> Ident {
    Ident::new("__last", Span::mixed_site())
}

impl Function {
    /// Rewrites the signature for retries, and notes what each attempt has to bind.
    /// Gives the name that an owned `self` has inside.
    pub(crate) fn replay_arguments(&mut self, paths: &Paths) -> Option<Ident> {
        let mut replays = Replays::default();
        let mut renamed_self = None;
        let generics = &self.sig.generics;
        for (index, input) in self.sig.inputs.iter_mut().enumerate() {
            match input {
                FnArg::Typed(argument) => replays.add(argument, index, generics, paths),
                FnArg::Receiver(receiver) if is_owned(&receiver.kind) => {
                    let mutability = receiver.mutability.take();
                    let this = Ident::new("__self", Span::mixed_site());
                    let self_token = receiver.self_token;
                    replays.add_owned(
                        Owned {
                            index,
                            cfgs: &[],
                            value: quote!(#self_token),
                            pattern: quote!(#mutability #this),
                            span: self_token.span,
                            next: quote!(Repeatable::next),
                        },
                        paths,
                    );
                    renamed_self = Some(this);
                }
                FnArg::Receiver(_) => {}
            }
        }
        if let Some(this) = &renamed_self {
            self.body = self_tokens::rename(&self.body, this);
        }
        self.replays = replays;
        renamed_self
    }
}

/// Receivers that a call consumes.
fn is_owned(kind: &ReceiverKind) -> bool {
    match kind {
        ReceiverKind::Value => true,
        ReceiverKind::Typed(_, ty) => !matches!(types::ungrouped(ty), Type::Reference(_)),
        _ => false,
    }
}

/// References that can be copied.
fn is_shared(ty: &Type) -> bool {
    matches!(types::ungrouped(ty), Type::Reference(reference) if reference.mutability.is_none())
}

impl Replays {
    fn add(&mut self, argument: &mut PatType, index: usize, generics: &Generics, paths: &Paths) {
        let pattern = (*argument.pat).clone();
        let name = match &pattern {
            Pat::Wild(_) => return,
            Pat::Ident(PatIdent { by_ref: None, subpat: None, mutability: None, .. }) if is_shared(&argument.ty) => {
                return;
            }
            // A name with an underscore says that it is not used, which lints then watch.
            Pat::Ident(PatIdent { by_ref: None, subpat: None, ident, .. }) if !ident.to_string().starts_with('_') => {
                ident.clone()
            }
            _ => {
                let span = Span::mixed_site().located_at(pattern.span());
                Ident::new(&format!("__argument_{index}"), span)
            }
        };
        *argument.pat = syn::parse_quote!(#name);
        let cfgs: Vec<Attribute> = argument.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect();
        match types::ungrouped(&argument.ty) {
            Type::Reference(reference) if reference.mutability.is_some() => {
                self.bindings.extend(quote!(#(#cfgs)* let #pattern = &mut *#name;));
            }
            Type::Reference(_) => self.bindings.extend(quote!(#(#cfgs)* let #pattern = #name;)),
            ty => {
                let next = if types::is_parameter(ty, generics) {
                    quote!(clone_for_each_attempt)
                } else {
                    quote!(Repeatable::next)
                };
                let span = pattern.span();
                self.add_owned(
                    Owned { index, cfgs: &cfgs, value: quote!(#name), pattern: quote!(#pattern), span, next },
                    paths,
                );
            }
        }
    }

    fn add_owned(&mut self, owned: Owned<'_>, paths: &Paths) {
        let Owned { index, cfgs, value, pattern, span, next } = owned;
        let private = &paths.private;
        let slot = format_ident!("__resilience_slot_{index}", span = span);
        let last = last();
        self.slots.extend(quote!(#(#cfgs)* let mut #slot = #private::Replay::new(#value);));
        let next = quote_spanned!(span=> #private::#next(&mut #slot, #last));
        self.bindings.extend(quote!(#(#cfgs)* let #pattern = #next;));
    }
}

/// An owned value, and what each attempt calls its own.
struct Owned<'a> {
    index: usize,
    cfgs: &'a [Attribute],
    value: TokenStream,
    pattern: TokenStream,
    /// Where the error stands if it is not `Clone`.
    span: Span,
    /// What takes it out of its slot.
    next: TokenStream,
}
