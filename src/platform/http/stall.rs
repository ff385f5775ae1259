//! Clients that say nothing at first or stop reading: their connection ends, so that they do not hold a slot, a file and
//! memory for ever.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Bytes after which the protocol is known: the preface of HTTP/2 (RFC 9113 section 3.4). Timers of the protocol take
/// over then.
const PREFACE: usize = 24;

/// A connection that fails when the client does not begin in time, or when what is to be sent does not move for so long.
pub(super) struct Impatient<S> {
    stream: S,
    patience: Duration,
    stuck: Option<Pin<Box<Sleep>>>,
    /// Until the client has begun: how much came, and how long it may take.
    beginning: Option<(usize, Pin<Box<Sleep>>)>,
}

impl<S> Impatient<S> {
    /// `to_begin`: for the first bytes; `patience`: for an answer that does not move.
    pub(super) fn new(stream: S, to_begin: Duration, patience: Duration) -> Self {
        Self { stream, patience, stuck: None, beginning: Some((0, Box::pin(sleep(to_begin)))) }
    }

    fn unless_stuck<T>(&mut self, context: &mut Context<'_>, sent: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if sent.is_ready() {
            self.stuck = None;
            self.beginning = None;
            return sent;
        }
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(self.patience)));
        stuck.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let Some((came, deadline)) = &mut self.beginning else { return read };
        *came += buffer.filled().len() - before;
        if *came >= PREFACE {
            self.beginning = None;
        } else if read.is_pending() {
            return deadline.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.unless_stuck(context, sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.unless_stuck(context, sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = Pin::new(&mut self.stream).poll_flush(context);
        self.unless_stuck(context, sent)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = Pin::new(&mut self.stream).poll_shutdown(context);
        self.unless_stuck(context, sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn a_reader_that_stops_is_given_up() {
        let (mut reader, writer) = duplex(8);
        let mut writer = Impatient::new(writer, Duration::from_millis(50), Duration::from_millis(50));
        let mut buffer = [0; 24];
        let (sent, read) = tokio::join!(writer.write_all(&[0; 32]), reader.read_exact(&mut buffer));
        assert!(sent.is_ok() && read.is_ok());
        let stuck = tokio::time::timeout(Duration::from_secs(30), writer.write_all(&[0; 32])).await.unwrap();
        assert_eq!(stuck.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_client_must_begin_in_time_and_may_then_pause() {
        let mut received = Vec::new();
        for begun in [&b""[..], b"PRI * HTTP"] {
            let (mut client, server) = duplex(64);
            let mut server = Impatient::new(server, Duration::from_millis(50), Duration::from_mins(1));
            client.write_all(begun).await.unwrap();
            let read = tokio::time::timeout(Duration::from_secs(30), server.read_to_end(&mut received)).await;
            assert_eq!(read.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut, "{begun:?}");
        }
        let (mut client, server) = duplex(64);
        let mut server = Impatient::new(server, Duration::from_millis(50), Duration::from_mins(1));
        client.write_all(b"GET / HTTP/1.1\r\nHost: here\r\n").await.unwrap();
        let read = tokio::time::timeout(Duration::from_millis(500), server.read_to_end(&mut received)).await;
        assert!(read.is_err(), "who has begun is waited for");
    }
}
