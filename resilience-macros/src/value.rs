//! The values of keys: checked where they are written, and turned into what the expansion needs.

use std::fmt::Display;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Expr, ExprLit, ExprUnary, Lit, LitFloat, LitInt, LitStr, UnOp};

use crate::{
    duration,
    key::{Count, Key, Number, ValueKind},
    paths::{Paths, located_at},
    words::{list, nearest},
};

/// A value that passed its checks.
#[derive(Clone)]
pub(crate) enum Value {
    Name(LitStr),
    /// Read before the others are checked, since their code depends on it.
    CratePath,
    /// An expression of the setting's type, without anything of the call in it.
    Setting(TokenStream),
    /// An expression to be evaluated at each call.
    PerCall(TokenStream),
    Choice(&'static str, TokenStream),
    /// A function or closure, from a reference to the error to something unless its key says otherwise.
    Function(Expr),
    Pattern(TokenStream),
}

const OF_ERROR: &[&str] = &["a reference to your error"];

impl Key {
    /// Checks a value and turns it into what the expansion needs.
    pub(crate) fn accept(&self, value: &Expr, paths: &Paths) -> syn::Result<Value> {
        let value = ungrouped(value);
        match self.kind {
            ValueKind::Name => self.accept_name(value),
            ValueKind::CratePath => match value {
                Expr::Path(path) if path.qself.is_none() => Ok(Value::CratePath),
                _ => Err(self.mismatch(value, "a path")),
            },
            ValueKind::Duration | ValueKind::PositiveDuration | ValueKind::Limit => self.accept_duration(value, paths),
            ValueKind::Count(count) => self.accept_count(value, count, paths),
            ValueKind::Number(number) => self.accept_number(value, number, paths),
            ValueKind::Flag => match value {
                Expr::Lit(ExprLit { lit: Lit::Bool(_), .. }) => Ok(Value::Setting(value.to_token_stream())),
                _ => Err(self.mismatch(value, "`true` or `false`")),
            },
            ValueKind::Window => self.accept_window(value, paths),
            ValueKind::CallKey => Ok(Value::PerCall(value.to_token_stream())),
            ValueKind::Choice(choices) => self.accept_choice(value, choices, paths),
            ValueKind::Predicate => self.accept_function(value, OF_ERROR, "`bool`"),
            ValueKind::Classifier => self.accept_function(value, OF_ERROR, "`FailureKind`"),
            ValueKind::Callback(callback) => self.accept_function(value, callback.takes, callback.returns),
            ValueKind::Pattern => match value {
                Expr::Verbatim(pattern) => Ok(Value::Pattern(pattern.clone())),
                _ => Err(self.mismatch(value, "a pattern")),
            },
            ValueKind::Backoff(choices) => self.accept_backoff(value, choices, paths),
            ValueKind::Budget => match self.accept_name(value)? {
                Value::Name(name) if name.value() == "none" => Ok(Value::Choice("none", quote!(#name))),
                Value::Name(name) => Ok(Value::Choice("shared", quote!(#name))),
                other => Ok(other),
            },
        }
    }

    fn accept_function(&self, value: &Expr, takes: &[&str], returns: &str) -> syn::Result<Value> {
        let parameters = list(takes.iter().map(ToString::to_string), "and");
        match value {
            _ if is_literal(value) || matches!(value, Expr::Binary(_) | Expr::Unary(_)) => {
                Err(self.mismatch(value, format!("a function or closure from {parameters} to {returns}")))
            }
            Expr::Closure(closure) if closure.inputs.len() != takes.len() => {
                let count = ["no parameter", "one parameter", "two parameters", "three parameters"][takes.len()];
                Err(self.mismatch(value, format!("a closure with {count}, {parameters}")))
            }
            _ => Ok(Value::Function(value.clone())),
        }
    }

    fn accept_backoff(
        &self,
        value: &Expr,
        choices: &[(&'static str, &'static str)],
        paths: &Paths,
    ) -> syn::Result<Value> {
        if is_literal(value) {
            return self.accept_choice(value, choices, paths);
        }
        let Value::Function(function) = self.accept_function(value, &["the attempt's number"], "a `Duration`")? else {
            return Err(self.mismatch(value, "a word or a function"));
        };
        let private = &paths.private;
        let function = typed(&function, &quote!(fn(#private::primitive::u32) -> #private::Duration));
        Ok(Value::Choice("custom", quote!(#private::Backoff::custom(#function))))
    }

    fn accept_window(&self, value: &Expr, paths: &Paths) -> syn::Result<Value> {
        const CALLS: Count = Count { ty: "u32", least: 1, most: 1_000_000 };
        match value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. })
                if duration::parse(&text.value()).is_ok_and(|window| window.as_millis() < 100) =>
            {
                Err(fault(value, format!("a `{}` of time must be at least \"100ms\"", self.name)))
            }
            Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => self.accept_duration(value, paths),
            Expr::Lit(ExprLit { lit: Lit::Int(_), .. }) => self.accept_count(value, CALLS, paths),
            _ if is_literal(value) => Err(self.mismatch(value, "a number of calls or a duration")),
            // Of either type, which the compiler knows.
            _ => Ok(Value::Setting(value.to_token_stream())),
        }
    }

    fn accept_name(&self, value: &Expr) -> syn::Result<Value> {
        match value {
            Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) if name.value().trim().is_empty() => {
                Err(fault(value, format!("a name cannot be empty; write what it protects, as in {}", self.usage())))
            }
            Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) => Ok(Value::Name(name.clone())),
            _ => Err(self.mismatch(value, "a string literal")),
        }
    }

    fn accept_choice(
        &self,
        value: &Expr,
        choices: &[(&'static str, &'static str)],
        paths: &Paths,
    ) -> syn::Result<Value> {
        let known = || list(choices.iter().map(|(word, _)| format!("\"{word}\"")), "or");
        let Expr::Lit(ExprLit { lit: Lit::Str(word), .. }) = value else { return Err(self.mismatch(value, known())) };
        let word = word.value();
        let Some((word, path)) = choices.iter().find(|(known, _)| *known == word) else {
            let name = self.name;
            return Err(fault(
                value,
                match nearest(&word, choices.iter().map(|(known, _)| *known)) {
                    Some(meant) => format!("`{name}` cannot be \"{word}\"; did you mean \"{meant}\"?"),
                    None => format!("`{name}` cannot be \"{word}\"; it takes {}", known()),
                },
            ));
        };
        let (private, path) = (&paths.private, path.parse::<TokenStream>()?);
        Ok(Value::Choice(word, quote!(#private::#path)))
    }

    fn accept_duration(&self, value: &Expr, paths: &Paths) -> syn::Result<Value> {
        let private = &paths.private;
        if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = value {
            let duration = duration::parse(&text.value()).map_err(|message| fault(value, message))?;
            if duration.is_zero() && !matches!(self.kind, ValueKind::Duration) {
                return Err(fault(value, format!("`{}` must be longer than zero", self.name)));
            }
            let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
            return Ok(Value::Setting(quote!(#private::Duration::new(#seconds, #nanos))));
        }
        if is_literal(value) {
            let written = value.to_token_stream().to_string();
            return Err(match duration::parse(&written) {
                Ok(_) => fault(value, format!("a duration stands in quotes: `{} = \"{written}\"`", self.name)),
                Err(_) => self.mismatch(value, "a duration with its unit, or an expression of type `Duration`"),
            });
        }
        let value = typed(value, &quote!(#private::Duration));
        Ok(if matches!(self.kind, ValueKind::Limit) { Value::PerCall(value) } else { Value::Setting(value) })
    }

    fn accept_count(&self, value: &Expr, count: Count, paths: &Paths) -> syn::Result<Value> {
        let Count { ty, least, most } = count;
        let below = || Err(fault(value, format!("`{}` must be at least {least}", self.name)));
        match value {
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) if is_plain(number) => {
                match number.base10_parse::<u128>() {
                    Ok(number) if number < u128::from(least) => below(),
                    Ok(number) if number <= u128::from(most) => {
                        let number: Literal = format!("{number}{ty}").parse()?;
                        Ok(Value::Setting(quote!(#number)))
                    }
                    _ => Err(fault(value, format!("`{}` must be at most {most}", self.name))),
                }
            }
            Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) if is_literal(expr) => below(),
            _ if is_literal(value) => Err(self.mismatch(value, "a whole number")),
            _ => {
                let rule = match most {
                    u32::MAX => format!("must be at least {least}"),
                    _ => format!("must be from {least} to {most}"),
                };
                let check = |value: &TokenStream, rule: &str| {
                    let private = &paths.private;
                    quote!(#private::check::count(#value as #private::primitive::u32, #least, #most, #rule))
                };
                Ok(self.checked_constant(value, ty, &rule, paths, check))
            }
        }
    }

    fn accept_number(&self, value: &Expr, range: Number, paths: &Paths) -> syn::Result<Value> {
        let (sign, magnitude) = match value {
            Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => (-1.0, ungrouped(expr)),
            _ => (1.0, value),
        };
        let number = match magnitude {
            Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) if matches!(number.suffix(), "" | "f64") => {
                LitFloat::base10_parse::<f64>(number)
            }
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) if is_plain(number) => number.base10_parse::<f64>(),
            _ if is_literal(value) => return Err(self.mismatch(value, "a number")),
            _ => {
                let check = |value: &TokenStream, rule: &str| {
                    let (private, check) = (&paths.private, Ident::new(range.check(), Span::call_site()));
                    quote!(#private::check::#check(#value, #rule))
                };
                return Ok(self.checked_constant(value, "f64", range.rule(), paths, check));
            }
        };
        match number {
            Ok(number) if range.contains(sign * number) => {
                let number = sign * number;
                Ok(Value::Setting(quote!(#number)))
            }
            _ => Err(fault(value, format!("`{}` {}", self.name, range.rule()))),
        }
    }

    /// A constant whose value only the compiler knows, which therefore checks it: as an item, since those are evaluated
    /// even where they are not reached.
    fn checked_constant(
        &self,
        value: &Expr,
        ty: &str,
        rule: &str,
        paths: &Paths,
        check: impl Fn(&TokenStream, &str) -> TokenStream,
    ) -> Value {
        let (private, ty) = (&paths.private, Ident::new(ty, Span::call_site()));
        let ty = quote!(#private::primitive::#ty);
        let typed = typed(value, &ty);
        let check = located_at(value, check(&quote!(__RESILIENCE_VALUE), &format!("`{}` {rule}", self.name)));
        Value::Setting(quote!({
            const __RESILIENCE_VALUE: #ty = #typed;
            const _: () = #check;
            __RESILIENCE_VALUE
        }))
    }

    fn mismatch(&self, value: &Expr, expected: impl Display) -> syn::Error {
        fault(value, format!("`{}` takes {expected}, as in {}", self.name, self.usage()))
    }
}

/// The value with its type beside it, so that a type error is about these two and about nothing generated.
fn typed(value: &Expr, ty: &TokenStream) -> TokenStream {
    let name = Ident::new("value", Span::mixed_site());
    let ty = located_at(value, ty.clone());
    quote!({ let #name: #ty = #value; #name })
}

fn fault(value: &Expr, message: impl Display) -> syn::Error {
    syn::Error::new_spanned(value, message)
}

/// Whether this is a number without a suffix, or with that of an integer type.
fn is_plain(number: &LitInt) -> bool {
    matches!(
        number.suffix(),
        "" | "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i64" | "i128" | "isize"
    )
}

/// The expression, out of parentheses, and of the invisible group that a `macro_rules!` fragment puts around it.
fn ungrouped(value: &Expr) -> &Expr {
    match value {
        Expr::Group(group) => ungrouped(&group.expr),
        Expr::Paren(paren) => ungrouped(&paren.expr),
        _ => value,
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
