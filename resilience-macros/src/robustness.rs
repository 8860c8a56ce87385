//! A macro that panics hides every fault behind one of its own.

use crate::{attribute, kind};

#[test]
fn no_input_brings_a_panic() {
    let arguments = [
        "",
        ",",
        "=",
        "= 3",
        "3",
        "name",
        "name =",
        "name = ,",
        "name = \"\"",
        "limit",
        "r#crate = x",
        "crate = ::a::<u8>",
        "limit = -\"2s\"",
        "max_attempts = -0",
        "multiplier = -0.0",
        "multiplier = 1e400",
        "multiplier = - - 1",
        "jitter_factor = -0.0, jitter = \"proportional\"",
        "jitter = \"\", jitter",
        "when = ||",
        "when = |a, b| c",
        "when = |_| {}",
        "max_queue = 3u8, max_queue = 3u8",
        "name = \"a\" \"b\" = c",
        "\"\\u{1F600}s\"",
        "\"1\u{b5}s\"",
        "\"999999999999999999999d\"",
        "mode = \"detach\", \"2s\"",
        "a::b = 3",
        "self = 3",
        "_ = 3",
        "'a",
        "{}",
        "([",
        "max_wait = \"0.0000000000000000000000001s\"",
    ];
    let items = [
        "",
        "fn",
        "fn f",
        "fn f()",
        "fn f();",
        "fn f() {}",
        "fn f() -> {}",
        "fn f() -> ! {}",
        "fn f(self, _: (), r#fn: u8) -> R {}",
        "fn f(mut self: Box<Self>, (a, _b): (u8, u8), &c: &u8, ..) -> Result<impl A, impl B> { self }",
        "async fn f<'a, T>(_a: &'a mut T, mut b: &T, ref c: u8, d @ _: u8) -> T { #![allow(x)] }",
        "#[retry] #[timeout()] struct S;",
        "#[retry = 3] #[retry] #[timeout[2]] #[bulkhead{}] const unsafe extern \"C\" fn f() -> () {}",
        "#[cfg_attr] #[retry(] fn f() {}",
        "pub(in) fn f() {}",
        "impl S {}",
        "macro_rules! m {}",
        "let x = 3;",
        "default fn f() {}",
        "#![a] fn f() {}",
    ];
    for (kind, arguments) in kind::ALL.iter().flat_map(|kind| arguments.map(|arguments| (kind, arguments))) {
        for item in items {
            if let (Ok(arguments), Ok(item)) = (arguments.parse(), item.parse()) {
                attribute(kind, arguments, item);
            }
        }
    }
}
