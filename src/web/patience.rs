//! A connection that loses its patience: with heads that trickle in, and with clients that do not read.
//!
//! hyper's own head timeout also runs between requests, where a scraper may well be silent for minutes. This one
//! starts at a head's first byte, so slow heads are cut early and kept-alive connections are not.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::guests::Guest;

/// Less than this read by the client within the write timeout counts as nothing.
const PROGRESS: usize = 16 * 1024;

/// A stream with the timeouts of [`Options`](super::Options).
pub(super) struct Patient<S> {
    inner: S,
    guest: Arc<Guest>,
    head: Duration,
    write: Duration,
    /// Runs while a head is due: with the number of requests at its start, which grows when the head is complete.
    due: Option<(u32, Pin<Box<Sleep>>)>,
    /// Runs while the client does not read; with the request it began in, and the bytes that were read since.
    stuck: Option<(u32, usize, Pin<Box<Sleep>>)>,
}

impl<S> Patient<S> {
    /// The first head is due from now on.
    pub(super) fn new(inner: S, guest: Arc<Guest>, head: Duration, write: Duration) -> Patient<S> {
        let due = Some((guest.requests(), Box::pin(sleep(head))));
        Patient { inner, guest, head, write, due, stuck: None }
    }

    fn written(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(n)) => {
                if let Some((_, progress, _)) = &mut self.stuck {
                    *progress += n;
                    if *progress >= PROGRESS {
                        self.stuck = None;
                    }
                }
                Poll::Ready(Ok(n))
            }
            Poll::Pending => {
                let (write, requests) = (self.write, self.guest.requests());
                // What an earlier answer left behind is no reason to cut this one.
                self.stuck.take_if(|(request, ..)| *request != requests);
                let (.., timer) = self.stuck.get_or_insert_with(|| (requests, 0, Box::pin(sleep(write))));
                ready!(timer.as_mut().poll(cx));
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read")))
            }
            other => other,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = &mut *self;
        let before = buf.filled().len();
        let requests = me.guest.requests();
        if me.due.as_ref().is_some_and(|(at, _)| *at != requests) {
            me.due = None;
        }
        match Pin::new(&mut me.inner).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                if buf.filled().len() > before && me.due.is_none() {
                    me.due = Some((requests, Box::pin(sleep(me.head))));
                }
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                let Some((_, timer)) = &mut me.due else { return Poll::Pending };
                ready!(timer.as_mut().poll(cx));
                if me.guest.busy() {
                    // The next head may wait in our buffer until this answer has left.
                    me.due = None;
                    return Poll::Pending;
                }
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the request's head is overdue")))
            }
            failed => failed,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.written(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
