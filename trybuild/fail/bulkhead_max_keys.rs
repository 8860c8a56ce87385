//! A bound on keys needs a key, and room for one at least.

use resilience::bulkhead;

#[bulkhead(max_keys = 10)]
fn without_key(tenant: &str) -> Result<(), String> {
    drop(tenant.to_owned());
    Ok(())
}

#[bulkhead(key = tenant, max_keys = 0)]
fn no_room(tenant: &str) -> Result<(), String> {
    drop(tenant.to_owned());
    Ok(())
}

fn main() {}
