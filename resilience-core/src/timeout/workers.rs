//! The threads that run detached work. An idle worker is used again; after ten seconds without work it ends.
//!
//! There is no bound on their number here: each runs for a caller that waits for it, except for those that were left, and
//! these are bounded by their timeout's `max_detached`.

use std::{
    collections::VecDeque,
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Condvar, Mutex},
    thread,
    time::Duration,
};

use crate::sync::{lock, unpoisoned};

/// What a worker does; it drops its [`Busy`] when it is as good as done.
pub(super) type Job = Box<dyn FnOnce(Busy) + Send>;

/// How long a worker waits for its next job before it ends.
const IDLE_LIMIT: Duration = Duration::from_secs(10);

static POOL: Pool = Pool::new();

/// Starts a job at once: on an idle worker if there is one, else on a new thread.
pub(super) fn start(job: Job) -> io::Result<()> {
    POOL.start(job)
}

struct Pool {
    state: Mutex<State>,
    job_queued: Condvar,
}

struct State {
    /// Workers that wait for a job or are about to.
    idle: usize,
    /// Never more than there are idle workers, so each has one on its way to it.
    jobs: VecDeque<Job>,
}

impl Pool {
    const fn new() -> Self {
        Self { state: Mutex::new(State { idle: 0, jobs: VecDeque::new() }), job_queued: Condvar::new() }
    }

    fn start(&'static self, job: Job) -> io::Result<()> {
        let mut state = lock(&self.state);
        if state.idle > state.jobs.len() {
            state.jobs.push_back(job);
            drop(state);
            self.job_queued.notify_one();
            return Ok(());
        }
        drop(state);
        thread::Builder::new().name("resilience-worker".into()).spawn(|| self.serve(job)).map(drop)
    }

    /// A worker's life.
    fn serve(&'static self, first: Job) {
        let mut next = Some(first);
        while let Some(job) = next {
            // The work's own panics are caught inside; this one is from dropping a late result, which concerns nobody.
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| job(Busy(self)))) {
                // Dropping the payload might panic once more, and this worker is counted as idle already.
                mem::forget(payload);
            }
            next = self.next_job();
        }
    }

    fn next_job(&self) -> Option<Job> {
        let (mut state, _) = unpoisoned(
            self.job_queued.wait_timeout_while(lock(&self.state), IDLE_LIMIT, |state| state.jobs.is_empty()),
        );
        state.idle -= 1;
        state.jobs.pop_front()
    }
}

/// Held by a job while its worker can take no other.
pub(super) struct Busy(&'static Pool);

impl Drop for Busy {
    fn drop(&mut self) {
        lock(&self.0.state).idle += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_worker_that_is_as_good_as_done_gets_the_next_job() {
        static POOL: Pool = Pool::new();
        let (sender, ids) = mpsc::channel();
        let next_id = || {
            let sender = sender.clone();
            let job = move |busy| {
                drop(busy);
                sender.send(thread::current().id()).expect("the test waits");
            };
            POOL.start(Box::new(job)).expect("there are threads");
            ids.recv().expect("the job runs")
        };
        assert_eq!(next_id(), next_id());
    }

    #[test]
    fn a_job_never_waits_behind_a_busy_worker() {
        static POOL: Pool = Pool::new();
        let (release, released) = mpsc::channel::<()>();
        let (sender, done) = mpsc::channel();
        let first = move |_busy: Busy| {
            let _ = released.recv();
        };
        POOL.start(Box::new(first)).expect("there are threads");
        POOL.start(Box::new(move |_busy| {
            sender.send(()).expect("the test waits");
        }))
        .expect("there are threads");
        done.recv().expect("the second job runs beside the first");
        drop(release);
    }
}
