//! How a retry hands the arguments to each attempt.
//!
//! ```text
//! Input:   fn f(&mut self, (a, b): (A, B), mut c: &mut C, d: &D) { BODY }
//! Output:  fn f(&mut self, arg: (A, B), c: &mut C, d: &D) {
//!              let mut slot = Replay::new(arg);            // owned: a clone each, the last attempt gets the value
//!              loop {
//!                  let (a, b) = slot.next(last);
//!                  let mut c = &mut *c;                    // borrowed for one attempt
//!                  BODY                                    // `&mut self` and `d` need nothing
//!              }
//!          }
//! ```

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Attribute, FnArg, Pat, PatIdent, PatType, ReceiverKind, Type, spanned::Spanned};

use crate::{function::Function, paths::Paths, self_tokens};

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
    pub(crate) fn replay_arguments(&mut self, paths: &Paths) {
        let mut replays = Replays::default();
        let mut renamed_self = None;
        for (index, input) in self.sig.inputs.iter_mut().enumerate() {
            match input {
                FnArg::Typed(argument) => replays.add(argument, index, paths),
                FnArg::Receiver(receiver) if is_owned(&receiver.kind) => {
                    let mutability = receiver.mutability.take();
                    let this = Ident::new("__self", Span::mixed_site());
                    let self_token = receiver.self_token;
                    replays.add_slot(
                        &[],
                        index,
                        &quote!(#self_token),
                        &quote!(#mutability #this),
                        receiver.span(),
                        paths,
                    );
                    renamed_self = Some(this);
                }
                FnArg::Receiver(_) => {}
            }
        }
        if let Some(this) = renamed_self {
            self.body = self_tokens::rename(&self.body, &this);
        }
        self.replays = replays;
    }
}

/// Receivers that a call consumes.
fn is_owned(kind: &ReceiverKind) -> bool {
    match kind {
        ReceiverKind::Value => true,
        ReceiverKind::Typed(_, ty) => !matches!(**ty, Type::Reference(_)),
        _ => false,
    }
}

impl Replays {
    fn add(&mut self, argument: &mut PatType, index: usize, paths: &Paths) {
        let pattern = (*argument.pat).clone();
        let simple = match &pattern {
            Pat::Wild(_) => return,
            Pat::Ident(PatIdent { by_ref: None, subpat: None, ident, mutability, .. }) => {
                Some((ident.clone(), mutability.is_some()))
            }
            _ => None,
        };
        let (name, is_mut) = match &simple {
            Some((ident, is_mut)) => (ident.clone(), *is_mut),
            None => (Ident::new(&format!("__argument_{index}"), Span::mixed_site()), false),
        };
        *argument.pat = syn::parse_quote!(#name);
        let cfgs: Vec<Attribute> = argument.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect();
        match &*argument.ty {
            Type::Reference(reference) if reference.mutability.is_some() => {
                self.bindings.extend(quote!(#(#cfgs)* let #pattern = &mut *#name;));
            }
            Type::Reference(_) if simple.is_some() && !is_mut => {}
            Type::Reference(_) => self.bindings.extend(quote!(#(#cfgs)* let #pattern = #name;)),
            _ => self.add_slot(&cfgs, index, &quote!(#name), &quote!(#pattern), pattern.span(), paths),
        }
    }

    /// An owned value: `span` is where the error stands if it is not `Clone`.
    fn add_slot(
        &mut self,
        cfgs: &[Attribute],
        index: usize,
        value: &TokenStream,
        pattern: &TokenStream,
        span: Span,
        paths: &Paths,
    ) {
        let private = &paths.private;
        let slot = format_ident!("__slot_{index}", span = Span::mixed_site());
        let last = last();
        let new = quote_spanned!(span.resolved_at(Span::mixed_site())=> #private::Replay::new);
        self.slots.extend(quote!(#(#cfgs)* let mut #slot = #new(#value);));
        self.bindings.extend(quote!(#(#cfgs)* let #pattern = #slot.next(#last);));
    }
}
