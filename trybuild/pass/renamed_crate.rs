//! A crate that re-exports the library lets its users do without a dependency of their own.

#![deny(warnings)]

mod prelude {
    pub mod faults {
        pub use resilience::*;
    }
}

use prelude::faults::{circuit_breaker, retry, timeout};

const ATTEMPTS: u32 = 2;

#[circuit_breaker(crate = crate::prelude::faults)]
#[retry(max_attempts = ATTEMPTS)]
#[timeout("1s")]
async fn first(id: String) -> Result<String, String> {
    Ok(id)
}

mod inner {
    use super::prelude;

    #[prelude::faults::bulkhead]
    #[prelude::faults::timeout("1s", mode = "cooperative", crate = prelude::faults)]
    pub(super) fn below() -> Result<(), String> {
        prelude::faults::checkpoint()?;
        Ok(())
    }
}

macro_rules! protected {
    ($name:ident, $limit:expr, $when:expr, $body:block) => {
        #[retry(crate = $crate::prelude::faults, when = $when)]
        #[timeout($limit, mode = "cooperative")]
        fn $name() -> Result<(), String> $body
    };
}

protected!(by_macro, "1s", |error: &String| error.is_empty(), { Ok(()) });

fn main() {
    let _ = first(String::new());
    inner::below().expect("there is time");
    by_macro().expect("there is time");
}
