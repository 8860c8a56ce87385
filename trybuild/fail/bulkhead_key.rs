//! A key is shown as text, and sees the arguments.

use resilience::bulkhead;

struct Tenant;

#[bulkhead(key = tenant)]
fn not_shown(tenant: Tenant) -> Result<(), String> {
    drop(tenant);
    Ok(())
}

#[bulkhead(key = tenant_id)]
async fn unknown(tenant: &str) -> Result<(), String> {
    drop(tenant.to_owned());
    Ok(())
}

fn main() {}
