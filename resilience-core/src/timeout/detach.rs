//! Sync work on a worker thread, which its caller leaves at the limit.
//!
//! Caller and worker meet in a [`Call`]: whoever comes second sees, under its lock, what the first has decided. So a result
//! reaches the caller or is counted as late, never both and never neither.

use std::{
    any::Any,
    mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex},
    task::Waker,
    time::Duration,
};

use super::{
    Timeout,
    cooperative::Frame,
    deadline::{self, Within},
    workers::{self, Busy},
};
use crate::{
    Error, Failure,
    clock::{self, Time},
    retry::Carried,
    scope::{self, Scope},
    site::Handle,
    sync::lock,
};

/// Runs sync work on a worker thread, with a deadline for the caller's wait and for the work's checkpoints.
pub(crate) fn detached<T, E>(
    timeout: Handle<'_, Timeout>,
    limit: Duration,
    work: impl FnOnce() -> Result<T, Failure<E>> + Send + 'static,
) -> Result<T, Failure<E>>
where
    T: Send + 'static,
    E: Send + 'static,
{
    let max_detached = timeout.settings().max_detached;
    if timeout.statistics().detached() >= max_detached {
        return Err(Failure::Rejected(Error::TooManyDetached { name: timeout.name().clone(), max_detached }));
    }
    let deadline = clock::now().after(limit);
    let call = Call::new(&timeout);
    let job = {
        let (call, context, name) = (call.clone(), Context::of_caller(), timeout.name().clone());
        move |busy: Busy| {
            let end = context.enter(|| {
                let frame = Frame::enter(name, limit, deadline);
                // Unwind safe: the work owns all it captures, and the panic goes on in the caller.
                let out = catch_unwind(AssertUnwindSafe(work));
                match (out, frame.leave()) {
                    (Ok(Err(_)), Some(_)) => End::Stopped,
                    (Ok(out), _) => End::Returned(out),
                    (Err(payload), _) => End::Panicked(payload),
                }
            });
            call.end(end, busy);
        }
    };
    if workers::start(Box::new(job)).is_err() {
        return Err(Failure::Rejected(Error::NoWorker { name: timeout.name().clone() }));
    }
    timeout.statistics().calls.increment();
    match call.wait(deadline) {
        Some(End::Returned(out)) => out,
        Some(End::Panicked(payload)) => resume_unwind(payload),
        Some(End::Stopped) | None => Err(Failure::Rejected(timeout.timed_out(limit))),
    }
}

/// How work comes to its end.
enum End<R> {
    Returned(R),
    Panicked(Box<dyn Any + Send>),
    /// At a checkpoint, after the limit.
    Stopped,
}

/// One run of detached work, between its caller and its worker.
struct Call<R> {
    timeout: Timeout,
    stage: Mutex<Stage<R>>,
}

enum Stage<R> {
    /// The caller waits.
    Running(Waker),
    /// The caller has yet to fetch the end.
    Ended(End<R>),
    /// The caller is gone.
    Left,
}

impl<R> Call<R> {
    fn new(timeout: &Timeout) -> Arc<Self> {
        Arc::new(Self { timeout: timeout.clone(), stage: Mutex::new(Stage::Running(clock::thread_waker())) })
    }

    /// The worker's side: hands over the end, or drops it if it comes late.
    fn end(&self, end: End<R>, busy: Busy) {
        let mut stage = lock(&self.stage);
        match mem::replace(&mut *stage, Stage::Left) {
            Stage::Running(caller) => {
                // First the worker is free, then the caller hears: a caller's next call finds this worker again.
                drop(busy);
                *stage = Stage::Ended(end);
                drop(stage);
                caller.wake();
            }
            Stage::Ended(_) | Stage::Left => {
                self.timeout.statistics().came_late();
                drop(stage);
                // Outside of the lock, and while the worker counts as busy: dropping it is user code.
                drop(end);
                drop(busy);
            }
        }
    }

    /// The caller's side: the end, if it comes before the deadline. Otherwise the run is on its own from now on.
    fn wait(&self, deadline: Time) -> Option<End<R>> {
        let mut elapsed = false;
        loop {
            // Known before looking: an end that is there by the deadline wins.
            let mut stage = lock(&self.stage);
            match mem::replace(&mut *stage, Stage::Left) {
                Stage::Ended(end) => return Some(end),
                _ if elapsed => {
                    self.timeout.statistics().left();
                    return None;
                }
                running => *stage = running,
            }
            drop(stage);
            elapsed = clock::park_until(deadline);
        }
    }
}

/// What a thread is inside of, so that work finds the same on its worker.
struct Context {
    scope: Option<Arc<Scope>>,
    runtime: Option<tokio::runtime::Handle>,
    deadline: Time,
    attempt: Carried,
}

impl Context {
    fn of_caller() -> Self {
        Self {
            scope: scope::current(),
            runtime: tokio::runtime::Handle::try_current().ok(),
            deadline: deadline::current(),
            attempt: Carried::of_thread(),
        }
    }

    fn enter<T>(self, work: impl FnOnce() -> T) -> T {
        let _scope = self.scope.map(scope::enter);
        let _runtime = self.runtime.as_ref().map(tokio::runtime::Handle::enter);
        let _deadline = Within::enter(self.deadline);
        let _attempt = self.attempt.enter();
        work()
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, thread};

    use super::*;

    // The only unit test with detached work: another would share, and so take away, the process's workers.
    #[test]
    fn consecutive_calls_run_on_the_same_thread() {
        let timeout = Timeout::named("consecutive");
        let worker = || timeout.call_detached(|| Ok::<_, Infallible>(thread::current().id()));
        let first = worker();
        assert!(first.is_ok());
        for _ in 0..100 {
            assert_eq!(worker(), first);
        }
    }
}
