// Each attempt needs the arguments, so all but the last get clones of them.

use resilience::retry;

struct Order;

#[retry]
async fn charge(order: Order, amount: u32) -> Result<u32, String> {
    let Order = order;
    Ok(amount)
}

#[retry]
fn destructured((order, _): (Order, u32)) -> Result<(), String> {
    let Order = order;
    Ok(())
}

#[retry]
fn generic<T>(value: T, how: impl FnOnce(T)) -> Result<(), String> {
    how(value);
    Ok(())
}

#[retry]
fn borrowed(_: &Order, _: &mut Order, _unused: u8) -> Result<(), String> {
    Ok(())
}

fn main() {
    drop(charge(Order, 3));
    destructured((Order, 3)).unwrap();
    generic(Order, drop).unwrap();
    borrowed(&Order, &mut Order, 3).unwrap();
}
