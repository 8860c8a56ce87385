// `retry_on` and `abort_on` take an ordinary pattern over the function's own error.

use resilience::retry;

enum ApiError {
    Timeout,
    Status(u16),
}

impl ApiError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Timeout)
    }
}

#[retry(retry_on = |error| error.is_transient())]
fn closure() -> Result<(), ApiError> {
    Ok(())
}

#[retry(abort_on = ApiError::Status(400..=499) && true)]
fn expression() -> Result<(), ApiError> {
    Ok(())
}

#[retry(retry_on)]
fn nothing() -> Result<(), ApiError> {
    Ok(())
}

#[retry(retry_on = ApiError::Timeout | ApiError::Gone)]
fn unknown_variant() -> Result<(), ApiError> {
    Ok(())
}

#[retry(retry_on = "busy")]
fn of_another_type() -> Result<(), ApiError> {
    Err(ApiError::Status(1))
}

fn main() {}
