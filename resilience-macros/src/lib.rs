//! The attributes of `resilience-rs`. Use them through that crate, which carries the runtime they expand to.

// parse (`args`, `function`, `stack`) -> validate (`key`, `value`, `outside`, each file of `attributes`) -> `model` ->
// `expand`, which reads a model that cannot be wrong.

mod args;
mod arguments;
mod attributes;
mod duration;
mod errors;
mod expand;
mod function;
mod key;
mod kind;
mod model;
mod outside;
mod paths;
#[cfg(test)]
mod reference;
mod returns;
#[cfg(test)]
mod robustness;
mod self_tokens;
mod stack;
mod types;
mod value;
mod words;

use args::{Args, Values};
use errors::Errors;
use function::{Function, Other};
use kind::Kind;
use model::{Layer, Stack};
use paths::Paths;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use stack::Written;

/// Documents and defines each attribute: the text, then the reference of its keys.
macro_rules! attributes {
    ($( $(#[doc = $doc:literal])* $name:ident; )*) => {$(
        $(#[doc = $doc])*
        ///
        /// # Keys
        ///
        #[doc = include_str!(concat!("attributes/", stringify!($name), ".md"))]
        #[proc_macro_attribute]
        pub fn $name(
            args: proc_macro::TokenStream,
            item: proc_macro::TokenStream,
        ) -> proc_macro::TokenStream {
            attribute(&attributes::$name::KIND, args.into(), item.into()).into()
        }
    )*};
}

attributes! {
    /// Stops calling a service that keeps failing, and finds out gently when it is back.
    ///
    /// The circuit is closed at first: calls go through. It opens after `failure_threshold` failures in a row, or when the share of
    /// failures (`failure_rate`) or of slow calls (`slow_call_rate`) in a sliding `window` reaches its limit: calls are then
    /// refused at once, without reaching the service. After `recovery_timeout` it is half-open: as many probes as
    /// `half_open_max_calls` may be on their way at once; `success_threshold` successes close the circuit, a failure opens it
    /// again. With `key` there is one circuit per value, as per host or tenant. Functions that give the same `name` share one `CircuitBreaker`; without a name the function has its own.
    ///
    /// It works on sync and async functions that return a `Result`. Every error counts as a failure unless `failure_when` says
    /// otherwise, and so does the `TimedOut` of a timeout inside; other refusals by layers of the same stack do not count. A refusal
    /// in a function that the body calls has become that function's error: name it in `failure_when` if it should not count.
    ///
    /// # Order in a stack
    ///
    /// The top attribute is the outermost. Above `#[retry]` the circuit judges the outcome of all attempts; below, each attempt.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped before it is ready counts as nothing, and a probe gives its place back at once. With
    /// `on_cancel = "failure"` it counts as a failure.
    ///
    /// # Errors
    ///
    /// Those of the function, and `Error::CircuitOpen` while the circuit is open, converted by the error type's
    /// `From<resilience::Error>`.
    ///
    /// # Panics
    ///
    /// A panic of the function counts as a failure and goes on.
    ///
    /// # Examples
    ///
    /// ```text
    /// #[circuit_breaker(name = "payments", failure_threshold = 3, recovery_timeout = "10s")]
    /// async fn charge(&self, order: &Order) -> Result<Receipt, ApiError> {
    ///     self.http.post(order).await
    /// }
    /// ```
    circuit_breaker;

    /// Calls again what failed and may work the next time.
    ///
    /// The body runs up to `max_attempts` times, the first call included. Between attempts passes a delay: it grows from
    /// `base_delay` as `backoff` says, is spread by `jitter`, and never exceeds `max_delay`. Statistics are kept by a `Retry`,
    /// which functions that give the same `name` share.
    ///
    /// It works on sync and async functions that return a `Result`; a sync one blocks its thread during delays. Each attempt gets
    /// its own clones of owned arguments, so these must be `Clone`; the last attempt gets the values themselves. References, also
    /// mutable ones, are lent to each attempt. An owned `self` is cloned likewise.
    ///
    /// # Which outcomes
    ///
    /// Every error is tried again unless `when`, or the patterns `retry_on` and `abort_on`, say otherwise, and so is the
    /// `TimedOut` of a timeout inside. An open circuit or a full bulkhead inside ends the attempts, unless `when_open` or
    /// `when_full` says otherwise. An `Ok` that is an error in disguise is tried again by `retry_if_ok`.
    ///
    /// # Limits
    ///
    /// No delay is begun that would end after `max_elapsed`, or at or after the deadline of a timeout around: the error is
    /// returned while there is time to act on it. If the service asks by `retry_after` for more than `max_delay`, the error is
    /// returned at once.
    ///
    /// Retries within ten seconds are at most a fifth of the calls, and ten more per second, whatever `max_attempts` says, so
    /// that a service that is down does not meet several times its load. Give several functions one `budget` to have them share
    /// it (`retry::Budget`), change it by `budget_ratio` and `budget_floor`, or do without by `budget = "none"`. Retries in
    /// several layers multiply; the documentation of `Retry` shows how, and what the budget does about it.
    ///
    /// The body can ask `resilience::attempt()` which attempt it belongs to.
    ///
    /// # Order in a stack
    ///
    /// The top attribute is the outermost. A timeout below limits each attempt, one above all of them together with the delays.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped drops the attempt that runs, and no further one starts.
    ///
    /// # Errors
    ///
    /// Those of the last attempt, or what `exhausted` makes of it where attempts, time or budget are used up. By itself a retry
    /// refuses nothing, so it asks nothing of the error type. A refusal from inside other than `TimedOut` is not mapped: layers
    /// outside must not take it for evidence about the service.
    ///
    /// # Panics
    ///
    /// A panic of the function is not caught.
    ///
    /// # Examples
    ///
    /// ```text
    /// #[retry(max_attempts = 5, base_delay = "50ms", when = ApiError::is_transient)]
    /// async fn fetch(&self, id: OrderId) -> Result<Order, ApiError> {
    ///     self.http.get(id).await
    /// }
    ///
    /// #[retry(
    ///     retry_on = ApiError::Timeout | ApiError::Status(500..=599),
    ///     retry_after = ApiError::retry_after,
    ///     on_retry = |attempt, error, delay| log::warn!("attempt {attempt}: {error}; again in {delay:?}"),
    ///     max_elapsed = "10s",
    ///     budget = "payments",
    /// )]
    /// async fn pay(&self, order: &Order) -> Result<Receipt, ApiError> {
    ///     self.http.post(order).await
    /// }
    /// ```
    retry;

    /// Limits how many calls are inside at once.
    ///
    /// One dependency that hangs then takes `max_concurrent` calls with it, not the whole process. A call without a place is
    /// refused at once, unless there is a queue: then up to `max_queue` calls wait, each no longer than `max_wait`. With
    /// `key` there is one bulkhead per value, as per host or tenant. Functions that give the same `name` share one `Bulkhead`;
    /// without a name the function has its own.
    ///
    /// It works on sync and async functions that return a `Result`; a sync call waits by blocking its thread.
    ///
    /// # Order in a stack
    ///
    /// The top attribute is the outermost. Above `#[retry]` a call holds its place during all attempts and delays; below, it takes
    /// a place for each attempt.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped gives its place back, or leaves the queue.
    ///
    /// # Errors
    ///
    /// Those of the function, and `Error::BulkheadFull` where there is no place, `Error::BulkheadDraining` where nobody is let in
    /// any more, converted by the error type's `From<resilience::Error>`.
    ///
    /// # Panics
    ///
    /// A panic of the function gives the place back and goes on.
    ///
    /// # Examples
    ///
    /// ```text
    /// #[bulkhead(name = "reports", max_concurrent = 4, max_queue = 20, max_wait = "2s")]
    /// async fn render(&self, report: &Report) -> Result<Pdf, ApiError> {
    ///     self.renderer.render(report).await
    /// }
    /// ```
    bulkhead;

    /// Limits how long a call may take.
    ///
    /// An async function is dropped at its limit. A sync function cannot be stopped from outside, so it has to say how it ends:
    ///
    /// - `mode = "detach"`: the body runs on a worker thread. At the limit the caller returns and the body runs on; its result is
    ///   dropped. Arguments must be owned and `Send`. Once `max_detached` bodies run on without their callers, further calls are
    ///   refused; calls that wait at that moment may still go past the bound.
    /// - `mode = "cooperative"`: the body runs on the caller's thread and calls `resilience::checkpoint()?` now and then, which
    ///   fails once the limit has passed.
    ///
    /// The limit may be an expression over the arguments; then it is evaluated at each call. Functions that give the same `name`
    /// share one `Timeout`, with its limit and statistics; without a name the function has its own.
    ///
    /// # Order in a stack
    ///
    /// The top attribute is the outermost. Below `#[retry]` the limit is that of each attempt; above, that of all together.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped drops the function's own. Detached work goes on.
    ///
    /// # Errors
    ///
    /// Those of the function, and `Error::TimedOut` at the limit, converted by the error type's `From<resilience::Error>`. With
    /// `mode = "detach"` also `Error::TooManyDetached` and `Error::NoWorker`.
    ///
    /// # Panics
    ///
    /// A panic of the function goes on, also from a worker thread; one that comes after the limit is dropped.
    ///
    /// # Examples
    ///
    /// ```text
    /// #[timeout("2s")]
    /// async fn quote(&self, item: ItemId) -> Result<Price, ApiError> {
    ///     self.http.get(item).await
    /// }
    ///
    /// #[timeout("30s", mode = "cooperative")]
    /// fn checksum(blocks: &[Block]) -> Result<u64, ApiError> {
    ///     let mut sum = 0;
    ///     for block in blocks {
    ///         resilience::checkpoint()?;
    ///         sum += block.sum();
    ///     }
    ///     Ok(sum)
    /// }
    /// ```
    timeout;

    /// Guards a contended resource, and measures who waits for whom.
    ///
    /// Up to `max_concurrent` calls hold the resource; the others wait, no longer than `max_wait`. A wait longer than
    /// `contention_threshold` is reported as an event. Functions that give the same `name` share one `Resource`, which keeps the
    /// statistics of waits and knows the present holders; without a name the function has its own.
    ///
    /// It works on sync and async functions that return a `Result`; a sync call waits by blocking its thread.
    ///
    /// # Order in a stack
    ///
    /// The top attribute is the outermost. Above `#[retry]` a call holds the resource during all attempts and delays; below, it
    /// waits for the resource at each attempt.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped gives the resource back, or stops waiting for it.
    ///
    /// # Errors
    ///
    /// Those of the function, and `Error::ContentionTimeout` after `max_wait`, converted by the error type's
    /// `From<resilience::Error>`.
    ///
    /// # Panics
    ///
    /// A panic of the function gives the resource back and goes on.
    ///
    /// # Examples
    ///
    /// ```text
    /// #[detect_contention(name = "ledger", max_wait = "5s", contention_threshold = "200ms")]
    /// async fn append(&self, entry: Entry) -> Result<(), ApiError> {
    ///     self.ledger.append(entry).await
    /// }
    /// ```
    detect_contention;
}

/// Expands the topmost attribute of ours on an item, with those below it.
fn attribute(kind: &'static Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let first = Written { kind, args, span: Span::call_site(), path: None };
    let mut function = match Function::parse(item, kind) {
        Ok(function) => function,
        Err(Other { mut attrs, rest, error }) => {
            // Those below would only say the same once more.
            stack::collect(first, &mut attrs, &mut errors);
            errors.add(error);
            let errors = errors.into_tokens();
            return quote!(#(#attrs)* #rest #errors);
        }
    };
    let stack = stack::collect(first, &mut function.attrs, &mut errors);
    function.check(kind, &mut errors);
    let (mut layers, paths) = check(stack, &function, &mut errors);
    if let Some(errors) = errors.into_tokens() {
        // The plain function stands in, so that its callers see no second error.
        let function = function.plain(&expand::imports(&layers));
        return quote!(#function #errors);
    }
    if let Some(repeating) = layers.iter().position(|layer| layer.kind.repeats)
        && let Some(this) = function.replay_arguments(&paths)
    {
        layers[repeating + 1..].iter_mut().for_each(|layer| layer.values.rename_self(&this));
    }
    expand::expand(&Stack { function, layers, paths })
}

/// Checks every layer.
fn check(stack: Vec<Written>, function: &Function, errors: &mut Errors) -> (Vec<Layer>, Paths) {
    let parsed: Vec<_> = stack
        .into_iter()
        .map(|Written { kind, args, span, path }| (kind, Args::parse(kind, args, errors), span, path))
        .collect();
    let paths = Paths::new(parsed.iter().find_map(|(_, args, ..)| args.facade()));
    let layers = parsed
        .into_iter()
        .map(|(kind, args, span, path)| {
            let values = Values::check(kind, args, function, &paths, errors);
            (kind.check)(&values, function, span, errors);
            Layer { kind, values, path }
        })
        .collect();
    (layers, paths)
}
