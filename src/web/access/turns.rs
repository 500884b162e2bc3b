//! One at a time, the latest first.
//!
//! Guessers who wait for their answers fill the queue, and then the latest is the one who has not guessed yet: a good
//! client is through in the time of one or two guesses, however many there are.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

/// As many may wait, more than connections are allowed by default; then the one who has waited longest is sent away.
const WAITING: usize = 1024;

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    taken: bool,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

impl Queue {
    /// Whose turn it is.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        self.waiting.retain(|waiting| !waiting.is_closed());
        let next = self.waiting.pop_back();
        self.taken = next.is_some();
        next
    }
}

/// The right to go; passed on when it is dropped.
#[derive(Debug)]
pub(super) struct Turn(Option<Arc<Turns>>);

impl Turns {
    /// Waits for a turn. `None`: too many came later.
    pub(super) async fn take(self: &Arc<Turns>) -> Option<Turn> {
        let called = {
            let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !queue.taken {
                queue.taken = true;
                return Some(Turn(Some(Arc::clone(self))));
            }
            queue.waiting.retain(|waiting| !waiting.is_closed());
            if queue.waiting.len() >= WAITING {
                queue.waiting.pop_front();
            }
            let (call, called) = oneshot::channel();
            queue.waiting.push_back(call);
            called
        };
        called.await.ok()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(turns) = self.0.take() else { return };
        let mut next = {
            let mut queue = turns.0.lock().unwrap_or_else(PoisonError::into_inner);
            queue.next()
        };
        // Whoever has gone meanwhile is passed over.
        while let Some(call) = next {
            let Err(mut turn) = call.send(Turn(Some(Arc::clone(&turns)))) else { return };
            turn.0 = None;
            let mut queue = turns.0.lock().unwrap_or_else(PoisonError::into_inner);
            next = queue.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn the_latest_is_next_and_the_gone_are_passed_over() {
        let turns = Arc::new(Turns::default());
        let Poll::Ready(Some(first)) = poll(pin!(turns.take())) else { panic!("the first waits") };
        let (mut old, mut middle, mut new) = (pin!(turns.take()), pin!(turns.take()), pin!(turns.take()));
        assert!(poll(old.as_mut()).is_pending() && poll(middle.as_mut()).is_pending());
        assert!(poll(new.as_mut()).is_pending());
        {
            let mut gone = pin!(turns.take());
            assert!(poll(gone.as_mut()).is_pending());
        }
        drop(first);
        assert!(poll(old.as_mut()).is_pending() && poll(middle.as_mut()).is_pending());
        let Poll::Ready(Some(second)) = poll(new.as_mut()) else { panic!("the latest waits") };
        drop(second);
        let Poll::Ready(Some(third)) = poll(middle.as_mut()) else { panic!("the middle waits") };
        drop(third);
        let Poll::Ready(Some(last)) = poll(old.as_mut()) else { panic!("the last waits") };
        drop(last);
        assert!(!turns.0.lock().unwrap().taken);
    }

    #[test]
    fn the_queue_has_an_end() {
        let turns = Arc::new(Turns::default());
        let Poll::Ready(Some(_first)) = poll(pin!(turns.take())) else { panic!("the first waits") };
        let mut waiting: Vec<_> = (0..=WAITING).map(|_| Box::pin(turns.take())).collect();
        assert!(waiting.iter_mut().all(|turn| poll(turn.as_mut()).is_pending()));
        assert!(matches!(poll(waiting[0].as_mut()), Poll::Ready(None)));
        assert!(poll(waiting[1].as_mut()).is_pending());
    }
}
