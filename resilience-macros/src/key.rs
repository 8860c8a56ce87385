//! Keys as data: what each attribute takes, what the values may be, and what they turn into.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ExprLit, ExprUnary, Lit, LitStr, UnOp, spanned::Spanned};

use crate::{duration, paths::Paths};

/// One key of one attribute.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: ValueKind,
    pub(crate) role: Role,
    /// The default, as the reference shows it; also the example in messages.
    pub(crate) default: &'static str,
    #[cfg_attr(not(test), allow(dead_code, reason = "rendered into the reference by a test"))]
    pub(crate) doc: &'static str,
}

/// What a key is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A setting of the instance, shared by all that name it.
    Setting,
    /// Something of this function alone.
    Site,
}

/// What a value may be.
#[derive(Clone, Copy)]
pub(crate) enum ValueKind {
    /// A string literal that is not empty.
    Name,
    /// The path of the facade crate.
    CratePath,
    /// A literal like "1.5s", or an expression of type `Duration`.
    Duration,
    /// As a duration, but zero makes no sense.
    PositiveDuration,
    /// As a positive duration; an expression is evaluated at each call.
    Limit,
    /// A whole number from 1 to the type's maximum.
    Count(CountType),
    /// As a count, or 0.
    CountOrZero,
    /// A finite number above 0.
    Multiplier,
    /// A number from 0 to 1.
    Fraction,
    /// One of these words, each with the path it stands for.
    Choice(&'static [(&'static str, &'static str)]),
    /// A path to a function, or a closure, from `&E` to `bool`.
    Predicate,
}

#[derive(Clone, Copy)]
pub(crate) enum CountType {
    U16,
    U32,
}

/// A value that passed its checks.
#[derive(Clone)]
pub(crate) enum Value {
    Name(LitStr),
    /// Read before the others are checked, since their code depends on it.
    CratePath,
    /// An expression of the setting's type, for use under the settings' function.
    Setting(TokenStream),
    /// An expression to be evaluated at each call.
    PerCall(TokenStream),
    Choice(&'static str, TokenStream),
    Predicate(Expr),
}

impl Key {
    pub(crate) const NAME: Self = Self {
        name: "name",
        kind: ValueKind::Name,
        role: Role::Site,
        default: "\"payments\"",
        doc: "The instance; functions that give the same name share it. Without it the function has its own.",
    };
    pub(crate) const CRATE: Self = Self {
        name: "crate",
        kind: ValueKind::CratePath,
        role: Role::Site,
        default: "::resilience",
        doc: "Where the library is, if it was renamed or re-exported.",
    };

    pub(crate) const fn setting(name: &'static str, kind: ValueKind, default: &'static str, doc: &'static str) -> Self {
        Self { name, kind, role: Role::Setting, default, doc }
    }

    pub(crate) const fn site(name: &'static str, kind: ValueKind, default: &'static str, doc: &'static str) -> Self {
        Self { name, kind, role: Role::Site, default, doc }
    }

    /// Checks a value and turns it into what the expansion needs.
    pub(crate) fn accept(&self, value: &Expr, paths: &Paths) -> syn::Result<Value> {
        let private = &paths.private;
        match self.kind {
            ValueKind::Name => match string(value) {
                Some(name) if name.value().trim().is_empty() => Err(fault(value, "a name cannot be empty")),
                Some(name) => Ok(Value::Name(name.clone())),
                None => Err(self.mismatch(value, "a string literal")),
            },
            ValueKind::CratePath => match value {
                Expr::Path(path) if path.qself.is_none() => Ok(Value::CratePath),
                _ => Err(self.mismatch(value, "a path")),
            },
            ValueKind::Duration | ValueKind::PositiveDuration | ValueKind::Limit => self.accept_duration(value, paths),
            ValueKind::Count(CountType::U16) => self.accept_count(value, u16::MAX.into(), &quote!(u16), paths),
            ValueKind::Count(CountType::U32) => self.accept_count(value, u32::MAX.into(), &quote!(u32), paths),
            ValueKind::CountOrZero => match integer(value, 0, u32::MAX.into()) {
                Number::Literal(number) => {
                    let number = u32::try_from(number).unwrap_or(u32::MAX);
                    Ok(Value::Setting(quote!(#number)))
                }
                Number::OutOfRange(reason) => Err(fault(value, format!("`{}` {reason}", self.name))),
                Number::Expression => Ok(Value::Setting(quote_spanned!(value.span()=> const { #value }))),
                Number::Other => Err(self.mismatch(value, "a whole number")),
            },
            ValueKind::Multiplier => self.accept_float(value, "multiplier", paths, |number| {
                (number.is_finite() && number > 0.0).then_some(()).ok_or("must be a finite number above 0")
            }),
            ValueKind::Fraction => self.accept_float(value, "fraction", paths, |number| {
                (0.0..=1.0).contains(&number).then_some(()).ok_or("must be from 0 to 1")
            }),
            ValueKind::Choice(choices) => {
                let known = || list(choices.iter().map(|(word, _)| format!("\"{word}\"")), "or");
                let Some(word) = string(value) else { return Err(self.mismatch(value, known())) };
                match choices.iter().find(|(known, _)| *known == word.value()) {
                    Some((word, path)) => {
                        let path: TokenStream = path.parse().unwrap_or_default();
                        Ok(Value::Choice(word, quote!(#private::#path)))
                    }
                    None => Err(fault(
                        value,
                        format!("`{}` is not a value of `{}`; it takes {}", word.value(), self.name, known()),
                    )),
                }
            }
            ValueKind::Predicate => match value {
                Expr::Path(_) | Expr::Closure(_) | Expr::Call(_) | Expr::MethodCall(_) | Expr::Paren(_) => {
                    Ok(Value::Predicate(value.clone()))
                }
                _ => Err(self.mismatch(value, "a function or a closure from a reference to your error to `bool`")),
            },
        }
    }

    fn accept_duration(&self, value: &Expr, paths: &Paths) -> syn::Result<Value> {
        let positive = !matches!(self.kind, ValueKind::Duration);
        if let Some(text) = string(value) {
            let duration = duration::parse(&text.value()).map_err(|message| fault(value, message))?;
            if positive && duration.is_zero() {
                return Err(fault(value, format!("`{}` must be longer than zero", self.name)));
            }
            let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
            let private = &paths.private;
            return Ok(Value::Setting(quote!(#private::Duration::new(#seconds, #nanos))));
        }
        if is_literal(value) {
            return Err(self.mismatch(value, "a duration with its unit, or an expression of type `Duration`"));
        }
        let value = value.to_token_stream();
        Ok(if matches!(self.kind, ValueKind::Limit) { Value::PerCall(value) } else { Value::Setting(value) })
    }

    fn accept_count(&self, value: &Expr, most: u128, ty: &TokenStream, paths: &Paths) -> syn::Result<Value> {
        let private = &paths.private;
        match integer(value, 1, most) {
            Number::Literal(number) => {
                let literal = proc_macro2::Literal::u128_unsuffixed(number);
                Ok(Value::Setting(quote!(#literal)))
            }
            Number::OutOfRange(reason) => Err(fault(value, format!("`{}` {reason}", self.name))),
            Number::Expression => {
                Ok(Value::Setting(quote_spanned!(value.span()=> const { #private::check::#ty(#value) })))
            }
            Number::Other => Err(self.mismatch(value, "a whole number")),
        }
    }

    fn accept_float(
        &self,
        value: &Expr,
        check: &str,
        paths: &Paths,
        verdict: impl Fn(f64) -> Result<(), &'static str>,
    ) -> syn::Result<Value> {
        let (negative, magnitude) = match value {
            Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => (true, &**expr),
            _ => (false, value),
        };
        let literal = match magnitude {
            Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => number.base10_parse::<f64>().ok(),
            #[allow(clippy::cast_precision_loss, reason = "the value is shown in no message")]
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse::<u64>().ok().map(|n| n as f64),
            _ if is_literal(value) => return Err(self.mismatch(value, "a number")),
            _ => {
                let private = &paths.private;
                let check = proc_macro2::Ident::new(check, value.span());
                return Ok(Value::Setting(quote_spanned!(value.span()=> const { #private::check::#check(#value) })));
            }
        };
        let number = literal.map_or(f64::INFINITY, |number| if negative { -number } else { number });
        verdict(number).map_err(|reason| fault(value, format!("`{}` {reason}", self.name)))?;
        Ok(Value::Setting(quote!(#number)))
    }

    fn mismatch(&self, value: &Expr, expected: impl Display) -> syn::Error {
        fault(value, format!("`{0}` takes {expected}, as in `{0} = {1}`", self.name, self.default))
    }
}

fn fault(value: &Expr, message: impl Display) -> syn::Error {
    syn::Error::new_spanned(value, message)
}

fn string(value: &Expr) -> Option<&LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        Expr::Group(group) => string(&group.expr),
        _ => None,
    }
}

fn is_literal(value: &Expr) -> bool {
    match value {
        Expr::Lit(_) => true,
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => is_literal(expr),
        Expr::Group(group) => is_literal(&group.expr),
        _ => false,
    }
}

enum Number {
    Literal(u128),
    OutOfRange(String),
    Expression,
    Other,
}

fn integer(value: &Expr, least: u128, most: u128) -> Number {
    match value {
        Expr::Group(group) => integer(&group.expr, least, most),
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => match number.base10_parse::<u128>() {
            Ok(number) if number < least => Number::OutOfRange(format!("must be at least {least}")),
            Ok(number) if number <= most => Number::Literal(number),
            _ => Number::OutOfRange(format!("must be at most {most}")),
        },
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) if is_literal(expr) => {
            Number::OutOfRange(format!("must be at least {least}"))
        }
        value if is_literal(value) => Number::Other,
        _ => Number::Expression,
    }
}

/// "a, b or c".
pub(crate) fn list(words: impl IntoIterator<Item = String>, last: &str) -> String {
    let words: Vec<String> = words.into_iter().collect();
    match words.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, start)) => format!("{} {last} {end}", start.join(", ")),
        None => String::new(),
    }
}
