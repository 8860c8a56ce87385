// A predicate is a function or closure from a reference to the error to `bool`.

use resilience::retry;

enum ApiError {
    Refused,
}

impl ApiError {
    fn is_transient(self) -> bool {
        true
    }
}

#[retry(when = ApiError::is_transient)]
async fn by_value() -> Result<(), ApiError> {
    Ok(())
}

#[retry(when = |error: &String| error.is_empty())]
fn of_another_error() -> Result<(), ApiError> {
    Ok(())
}

#[retry(when = |error| Some(error))]
fn without_verdict() -> Result<(), ApiError> {
    Err(ApiError::Refused)
}

const ALWAYS: bool = true;

#[retry(when = ALWAYS)]
fn no_function() -> Result<(), ApiError> {
    Ok(())
}

#[retry(when = || true)]
fn without_parameter() -> Result<(), ApiError> {
    Ok(())
}

fn main() {}
