//! Cuts that wait for their receiver, oldest first, bounded in bytes.

use super::record::Cut;
use std::collections::VecDeque;
use std::sync::Arc;

/// The queue of one receiver.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    most: usize,
    next: u64,
}

#[derive(Debug)]
struct Waiting {
    id: u64,
    cut: Arc<Cut>,
    /// Points that have been dealt with.
    done: usize,
    bytes: usize,
}

/// The oldest cut and how far it has come.
#[derive(Clone, Debug)]
pub(super) struct Front {
    /// Tells it from others.
    pub(super) id: u64,
    /// The cut.
    pub(super) cut: Arc<Cut>,
    /// Points of it that have been dealt with.
    pub(super) done: usize,
}

impl Queue {
    /// A queue that holds this many bytes.
    pub(super) fn new(most: usize) -> Queue {
        Queue { waiting: VecDeque::new(), bytes: 0, most, next: 0 }
    }

    /// Appends a cut. The oldest make room where it does not fit; gives how many samples were dropped. A cut that is
    /// larger than the queue goes through alone.
    pub(super) fn push(&mut self, cut: Cut) -> usize {
        if cut.points.is_empty() {
            return 0;
        }
        let bytes = cut.bytes();
        let mut dropped = 0;
        while self.bytes + bytes > self.most
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.bytes -= oldest.bytes;
            let left = oldest.cut.points.iter().skip(oldest.done);
            dropped += left.map(|(series, point)| point.samples(series)).sum::<usize>();
        }
        self.bytes += bytes;
        self.waiting.push_back(Waiting { id: self.next, cut: Arc::new(cut), done: 0, bytes });
        self.next += 1;
        dropped
    }

    /// The oldest cut.
    pub(super) fn front(&self) -> Option<Front> {
        let front = self.waiting.front()?;
        Some(Front { id: front.id, cut: front.cut.clone(), done: front.done })
    }

    /// So many more points of a cut have been dealt with; it may have been dropped meanwhile.
    pub(super) fn advance(&mut self, id: u64, points: usize) {
        let Some(front) = self.waiting.front_mut().filter(|front| front.id == id) else { return };
        front.done += points;
        if front.done >= front.cut.points.len() {
            self.bytes -= front.bytes;
            self.waiting.pop_front();
        }
    }

    /// Bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
