//! A key is shown as text, and sees the arguments.

use resilience::circuit_breaker;

struct Tenant;

#[circuit_breaker(key = tenant)]
fn not_shown(tenant: Tenant) -> Result<(), String> {
    drop(tenant);
    Ok(())
}

#[circuit_breaker(key = tenant_id)]
fn unknown(tenant: &str) -> Result<(), String> {
    drop(tenant.to_owned());
    Ok(())
}

fn main() {}
