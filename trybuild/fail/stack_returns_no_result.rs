// `Result` is told by its type, not its spelling, and one that is none brings one error.

use resilience::{bulkhead, circuit_breaker, detect_contention, retry, timeout};

struct User;

type Lookup = Option<User>;
type Answer = std::io::Result<User>;

#[retry]
fn a() -> Option<User> {
    None
}

#[bulkhead]
fn b() -> User {
    return User;
}

#[retry(max_attempts = 2, when = |error| error.is_empty())]
async fn c(id: String) -> Lookup {
    if id.is_empty() {
        return None;
    }
    Some(User)
}

#[circuit_breaker]
#[retry]
#[timeout("2s")]
async fn d() -> Vec<User> {
    Vec::new()
}

#[detect_contention]
#[timeout("2s", mode = "detach")]
fn e() -> u32 {
    3
}

#[circuit_breaker]
async fn f() -> impl Iterator<Item = u32> {
    0..3
}

#[retry]
fn fine() -> Answer {
    Ok(User)
}

fn main() {
    a();
    b();
    e();
    drop(d());
    fine().unwrap();
}
