//! A report stream over the general HTTP/2 server: a response body that polls its own request body.
//!
//! Reading in the response keeps a stream in one task: a row that arrives wakes it once, and nothing is handed over. It
//! also gives the right back-pressure, because a response that cannot be sent is not polled, and then nothing is read.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tonic::Status;

use super::exchange::Exchange;

/// One stream.
pub(super) struct Stream<B> {
    incoming: B,
    exchange: Exchange,
    /// With what the stream ends, once that is known; what waits to be sent goes first.
    ending: Option<Status>,
    finished: bool,
}

impl<B> Stream<B> {
    pub(super) fn new(exchange: Exchange, incoming: B) -> Self {
        Self { incoming, exchange, ending: None, finished: false }
    }

    /// Answers that wait, if there are any.
    fn outgoing(&mut self) -> Option<Bytes> {
        let waiting = std::mem::take(&mut self.exchange.outgoing);
        (!waiting.is_empty()).then(|| Bytes::from(waiting))
    }
}

impl<B> Stream<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    /// Goes on until there is something to send, or nothing to do; an error ends the stream with that status.
    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Result<Bytes, Status>> {
        self.exchange.take_news(context)?;
        loop {
            if let Some(data) = self.outgoing() {
                return Poll::Ready(Ok(data));
            }
            match Pin::new(&mut self.incoming).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers of a request mean nothing to gRPC.
                    if let Ok(data) = frame.into_data() {
                        self.exchange.take(&data, Instant::now())?;
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Err(Status::cancelled(error.to_string())));
                }
                Poll::Ready(None) => return Poll::Ready(Err(Status::ok(""))),
                Poll::Pending => return self.exchange.poll_deadline(context).map(Err),
            }
        }
    }
}

impl<B> Body for Stream<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.finished {
            return Poll::Ready(None);
        }
        if self.ending.is_none() {
            match ready!(self.poll_step(context)) {
                Ok(data) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Err(status) => {
                    self.exchange.end(status.message());
                    self.ending = Some(status);
                }
            }
        }
        if let Some(data) = self.outgoing() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        self.finished = true;
        Poll::Ready(self.ending.take().map(|status| Ok(Frame::trailers(trailers(&status)))))
    }
}

/// The status as the end of a stream tells it.
pub(super) fn trailers(status: &Status) -> http::HeaderMap {
    let mut trailers = http::HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        trailers.insert(Status::GRPC_STATUS, (status.code() as i32).into());
    }
    trailers
}
