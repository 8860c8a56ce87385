#![forbid(unsafe_code)]
#![deny(warnings)]
//! x
use resilience::{CircuitBreaker, circuit_breaker, retry};
use std::time::Duration;
#[derive(Debug)]
enum E {
    Bad,
    R(#[allow(dead_code)] resilience::Error),
}
impl From<resilience::Error> for E {
    fn from(e: resilience::Error) -> E {
        E::R(e)
    }
}
const N: u32 = 4;
#[circuit_breaker(name = "p", failure_threshold = N, recovery_timeout = Duration::from_secs(3), failure_when = |e| matches!(e, E::Bad))]
#[retry(max_attempts = 3, base_delay = "1ms", when = |e: &E| matches!(e, E::Bad))]
async fn f(x: String, (a, mut b): (u8, u8), v: &mut Vec<u8>) -> Result<Box<dyn std::fmt::Debug>, E> {
    b += a;
    v.push(b);
    if v.len() == 3 {
        return Ok(Box::new(x));
    }
    Err(E::Bad)
}
#[retry(max_attempts = 3, base_delay = "1ms", jitter = "none")]
fn plain(x: String) -> std::io::Result<usize> {
    let n: usize = x.parse().map_err(std::io::Error::other)?;
    Ok(n)
}
#[derive(Clone)]
struct S(u32);
impl S {
    #[retry(max_attempts = 2)]
    fn eat(mut self, n: u32) -> Result<String, String> {
        self.0 += n;
        let me = self;
        Ok(format!("{}", me.0))
    }
    #[circuit_breaker(failure_threshold = 1)]
    fn get(&mut self) -> Result<&mut u32, String> {
        Ok(&mut self.0)
    }
    #[circuit_breaker(failure_threshold = 1)]
    async fn aget(&mut self, n: &u32) -> Result<&mut u32, String> {
        let _ = n;
        Ok(&mut self.0)
    }
    #[circuit_breaker]
    #[retry]
    async fn it(
        self: std::sync::Arc<Self>,
        n: impl Fn() -> u32 + Clone,
    ) -> Result<impl Iterator<Item = u32>, Box<dyn std::error::Error + Send + Sync>> {
        let k = n();
        Ok((0..self.0).map(move |x| x + k))
    }
}
#[tokio::test]
async fn t() {
    let mut v = vec![];
    println!("{:?} {v:?}", f("a".into(), (1, 2), &mut v).await.unwrap());
    println!("{:?}", CircuitBreaker::named("p").snapshot());
    println!("{:?}", plain("x".into()));
    println!("{:?}", S(2).eat(3));
    println!("{:?} {:?}", S(2).get(), S(3).aget(&3).await);
    println!("{:?}", std::sync::Arc::new(S(2)).it(|| 3).await.unwrap().collect::<Vec<_>>());
    println!("{:#?}", resilience::instances());
    let c = CircuitBreaker::named("p");
    let r = c.run(async { Ok::<_, String>(3) }).await;
    println!("{r:?}");
}
mod bulkhead_smoke {
    use super::*;
    use resilience::{bulkhead, detect_contention, timeout};
    #[bulkhead(name = "b", max_concurrent = 2, max_queue = 3, max_wait = "1s")]
    #[detect_contention]
    #[circuit_breaker]
    #[retry]
    #[timeout("1s")]
    async fn five(x: String) -> Result<String, E> {
        Ok(x)
    }
    #[bulkhead(name = "b")]
    #[detect_contention]
    #[circuit_breaker]
    #[retry]
    #[timeout("1s", mode = "detach")]
    fn five_sync(x: String) -> Result<String, E> {
        Ok(x)
    }
    #[timeout(limit = Duration::from_millis(n), mode = "cooperative")]
    fn coop(n: u64) -> Result<u64, E> {
        resilience::checkpoint()?;
        Ok(n)
    }
    #[tokio::test]
    async fn t2() {
        println!("{:?}", five("x".into()).await);
        println!("{:?}", five_sync("x".into()));
        println!("{:?}", coop(30));
    }
}
