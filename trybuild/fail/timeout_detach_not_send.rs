// A detached body runs on another thread, so what it uses has to get there.

use resilience::timeout;

use std::rc::Rc;

#[timeout("2s", mode = "detach")]
fn a(count: Rc<u32>) -> Result<u32, String> {
    Ok(*count)
}

fn main() {}
