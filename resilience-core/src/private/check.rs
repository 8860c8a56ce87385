//! Checks of constants, evaluated at compile time. A fault is shown where the constant is used.

/// # Panics
///
/// At compile time, where the constant is out of range.
#[track_caller]
pub const fn count(value: u32, least: u32, most: u32, fault: &'static str) {
    assert!(value >= least && value <= most, "{}", fault);
}

/// # Panics
///
/// At compile time, where the constant is not finite or not above 0.
#[track_caller]
pub const fn multiplier(value: f64, fault: &'static str) {
    assert!(value.is_finite() && value > 0.0, "{}", fault);
}

/// # Panics
///
/// At compile time, where the constant is not from 0 to 1.
#[track_caller]
pub const fn fraction(value: f64, fault: &'static str) {
    assert!(value >= 0.0 && value <= 1.0, "{}", fault);
}

/// # Panics
///
/// At compile time, where the constant is not finite or below 1.
#[track_caller]
pub const fn growth(value: f64, fault: &'static str) {
    assert!(value.is_finite() && value >= 1.0, "{}", fault);
}

/// # Panics
///
/// At compile time, where the constant is not above 0 or above 1.
#[track_caller]
pub const fn share(value: f64, fault: &'static str) {
    assert!(value > 0.0 && value <= 1.0, "{}", fault);
}
