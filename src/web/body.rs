//! Answer bodies: bytes at hand, or chunks as a scrape produces them.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Bytes, Frame, SizeHint};
use tokio::sync::mpsc;

use super::guests::Guest;

/// A piece of a streamed body. Only `End` ends it well: a producer that dies must not leave a cut answer that
/// looks whole.
pub(super) enum Piece {
    Bytes(Bytes),
    End,
}

/// The body of an answer. When it is dropped, its guest is idle again.
pub(super) struct Body {
    kind: Kind,
    guest: Option<Arc<Guest>>,
}

enum Kind {
    Whole(Option<Bytes>),
    Stream(mpsc::Receiver<Piece>),
    Ended,
}

impl Body {
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Body {
        Body { kind: Kind::Whole(Some(bytes.into()).filter(|b| !b.is_empty())), guest: None }
    }

    pub(super) fn stream(pieces: mpsc::Receiver<Piece>) -> Body {
        Body { kind: Kind::Stream(pieces), guest: None }
    }

    /// The same body, telling `guest` of its end.
    pub(super) fn of(mut self, guest: Arc<Guest>) -> Body {
        self.guest = Some(guest);
        self
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(guest) = &self.guest {
            guest.end();
        }
    }
}

/// The producer of a streamed body died on the way.
#[derive(Debug)]
pub(super) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer broke off")
    }
}

impl std::error::Error for Broken {}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let next = match &mut self.kind {
            Kind::Whole(bytes) => bytes.take(),
            Kind::Ended => None,
            Kind::Stream(pieces) => match std::task::ready!(pieces.poll_recv(cx)) {
                Some(Piece::Bytes(bytes)) => Some(bytes),
                Some(Piece::End) => {
                    self.kind = Kind::Ended;
                    None
                }
                None => {
                    self.kind = Kind::Ended;
                    return Poll::Ready(Some(Err(Broken)));
                }
            },
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.kind, Kind::Whole(None) | Kind::Ended)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Kind::Ended => SizeHint::with_exact(0),
            Kind::Stream(_) => SizeHint::default(),
        }
    }
}
