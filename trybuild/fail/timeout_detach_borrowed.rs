// A detached body may outlive the call, and all that the call borrows.

use resilience::timeout;

use std::borrow::Cow;

struct Client;

impl Client {
    #[timeout("2s", mode = "detach")]
    fn by_reference(&self) -> Result<(), String> {
        Ok(())
    }

    #[timeout("2s", mode = "detach")]
    fn by_mutable_reference(self: &mut Self, _count: u32) -> Result<(), String> {
        Ok(())
    }
}

#[timeout("2s", mode = "detach")]
fn arguments<'a>(_id: &str, _owned: String, _text: Option<&'a str>, _cow: Cow<'_, str>) -> Result<(), String> {
    Ok(())
}

fn main() {}
