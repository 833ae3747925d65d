//! A stream on which a handler can let the network misbehave.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use crate::relay::WebSocketFault;

/// What is to be done when a fault strikes.
pub(super) type Struck = Box<dyn FnOnce() + Send>;

/// The handler's end: stands in the extensions of each request. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct StreamControl(Arc<Order>);

#[derive(Default)]
struct Order {
    given: AtomicBool,
    /// Whether the stream has taken nothing more when something was written last.
    blocked: AtomicBool,
    fault: Mutex<Option<(WebSocketFault, Struck)>>,
}

/// The stream, which does what its control says. Times and bytes count from the next time that it is
/// used after that.
pub(super) struct FaultyStream<S> {
    /// `None` once it was cut.
    inner: Option<S>,
    control: StreamControl,
    fault: Option<WebSocketFault>,
    /// `None` once it has struck.
    struck: Option<Struck>,
    /// The end of its time, where the fault has one.
    timer: Option<Pin<Box<Sleep>>>,
    /// Bytes that may still pass before it is cut.
    allowance: u64,
    half_open: bool,
    kept: Kept,
    /// Shared by all streams that are open.
    _open: Option<Arc<()>>,
}

/// What a buffering proxy has not passed on yet.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    /// How many of them were passed on, since it began to.
    passed: usize,
    passing: bool,
}

impl StreamControl {
    /// Orders a fault. `struck` is called when it strikes: when the stream is cut or falls silent; of a proxy
    /// that buffers, when it begins.
    pub(super) fn misbehave(&self, fault: WebSocketFault, struck: Struck) {
        *self.0.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some((fault, struck));
        self.0.given.store(true, Ordering::Release);
    }

    /// Whether the client has stopped to read, and so nothing more can be written to it now.
    pub(super) fn is_blocked(&self) -> bool {
        self.0.blocked.load(Ordering::Relaxed)
    }

    fn take(&self) -> Option<(WebSocketFault, Struck)> {
        if !self.0.given.swap(false, Ordering::AcqRel) {
            return None;
        }
        self.0.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> FaultyStream<S> {
    pub(super) fn new(inner: S, control: StreamControl, open: Option<Arc<()>>) -> Self {
        Self {
            inner: Some(inner),
            control,
            fault: None,
            struck: None,
            timer: None,
            allowance: u64::MAX,
            half_open: false,
            kept: Kept::default(),
            _open: open,
        }
    }

    pub(super) fn control(&self) -> StreamControl {
        self.control.clone()
    }

    /// Sets what was ordered in motion, and lets time do its part.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some((fault, struck)) = self.control.take() {
            self.fault = Some(fault);
            self.struck = Some(struck);
            match fault {
                WebSocketFault::CutAfter(by) | WebSocketFault::HalfOpenAfter(by) => {
                    self.timer = Some(Box::pin(sleep(by)));
                }
                WebSocketFault::CutAfterBytes(bytes) => self.allowance = bytes,
                WebSocketFault::Buffered { .. } => self.strike(),
                _ => {}
            }
        }
        if self.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready()) {
            self.timer = None;
            match self.fault {
                Some(WebSocketFault::CutAfter(_)) => self.cut(),
                Some(WebSocketFault::HalfOpenAfter(_)) => {
                    self.half_open = true;
                    self.strike();
                }
                Some(WebSocketFault::Buffered { .. }) => self.kept.passing = true,
                _ => {}
            }
        }
    }

    /// So many bytes pass; the last ones that are allowed take the stream with them.
    fn count(&mut self, bytes: usize) {
        self.allowance = self.allowance.saturating_sub(bytes as u64);
        if self.allowance == 0 {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.inner = None;
        self.strike();
    }

    fn strike(&mut self) {
        if let Some(struck) = self.struck.take() {
            struck();
        }
    }

    /// How many of `wanted` bytes may pass.
    fn allowed(&self, wanted: usize) -> usize {
        usize::try_from(self.allowance).map_or(wanted, |allowance| wanted.min(allowance))
    }

    fn is_buffering(&self) -> Option<(usize, Duration)> {
        match self.fault {
            Some(WebSocketFault::Buffered { bytes, within }) => Some((bytes, within)),
            _ => None,
        }
    }

    fn keep(&mut self, data: &[u8], (most, within): (usize, Duration)) {
        if self.kept.bytes.is_empty() {
            self.timer = Some(Box::pin(sleep(within)));
        }
        self.kept.bytes.extend_from_slice(data);
        if self.kept.bytes.len() >= most {
            self.timer = None;
            self.kept.passing = true;
        }
    }

    /// Passes on what was kept, once it is to be passed on.
    fn pass_on(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.kept.passing {
            return Poll::Ready(Ok(()));
        }
        let Some(inner) = &mut self.inner else { return Poll::Ready(Err(cut())) };
        while self.kept.passed < self.kept.bytes.len() {
            let rest = &self.kept.bytes[self.kept.passed..];
            self.kept.passed += ready!(Pin::new(&mut *inner).poll_write(cx, rest))?;
        }
        self.kept = Kept::default();
        Pin::new(inner).poll_flush(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for FaultyStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.drive(cx);
        // Somebody always reads a WebSocket, so this is where the timer of a proxy is heard.
        if let Poll::Ready(Err(error)) = this.pass_on(cx) {
            return Poll::Ready(Err(error));
        }
        if this.half_open {
            return Poll::Pending;
        }
        let allowed = this.allowed(buffer.remaining());
        let Some(inner) = &mut this.inner else { return Poll::Ready(Err(cut())) };
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(allowed));
        ready!(Pin::new(inner).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        buffer.advance(read);
        this.count(read);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for FaultyStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.drive(cx);
        ready!(this.pass_on(cx))?;
        if this.half_open {
            return Poll::Ready(Ok(data.len()));
        }
        if let Some(limits) = this.is_buffering().filter(|_| this.inner.is_some()) {
            this.keep(data, limits);
            // So that the task is woken when its time is over.
            this.drive(cx);
            return Poll::Ready(Ok(data.len()));
        }
        let allowed = this.allowed(data.len());
        let Some(inner) = &mut this.inner else { return Poll::Ready(Err(cut())) };
        let written = Pin::new(inner).poll_write(cx, &data[..allowed]);
        this.control.0.blocked.store(written.is_pending(), Ordering::Relaxed);
        let written = ready!(written)?;
        this.count(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.drive(cx);
        ready!(this.pass_on(cx))?;
        match &mut this.inner {
            Some(inner) if !this.half_open => Pin::new(inner).poll_flush(cx),
            Some(_) => Poll::Ready(Ok(())),
            None => Poll::Ready(Err(cut())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // A proxy passes on the rest before the end.
        this.kept.passing |= !this.kept.bytes.is_empty();
        ready!(this.pass_on(cx))?;
        match &mut this.inner {
            Some(inner) if !this.half_open => Pin::new(inner).poll_shutdown(cx),
            _ => Poll::Ready(Ok(())),
        }
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the connection was cut, as the scenario says")
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
        time::{Instant, timeout},
    };

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn faulty(fault: WebSocketFault) -> (FaultyStream<DuplexStream>, DuplexStream) {
        let (near, far) = duplex(1024);
        let control = StreamControl::default();
        control.misbehave(fault, Box::new(|| {}));
        (FaultyStream::new(near, control, None), far)
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_cut_after_its_bytes_in_both_directions() {
        let (mut near, mut far) = faulty(WebSocketFault::CutAfterBytes(7));
        near.write_all(b"1234").await.unwrap();
        far.write_all(b"56789").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(near.read(&mut buffer).await.unwrap(), 3);
        assert_eq!(near.read(&mut buffer).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert!(near.write(b"x").await.is_err());
        assert_eq!(far.read(&mut buffer).await.unwrap(), 4);
        assert_eq!(far.read(&mut buffer).await.unwrap(), 0, "the end");
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_cut_after_its_time() {
        let (mut near, mut far) = faulty(WebSocketFault::CutAfter(10 * MS));
        let begun = Instant::now();
        assert!(near.read_u8().await.is_err());
        assert_eq!(begun.elapsed(), 10 * MS);
        assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_strikes_is_told_when_it_strikes_and_once() {
        let strikes = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let (near, mut far) = duplex(1024);
        let (control, seen) = (StreamControl::default(), Arc::clone(&strikes));
        let struck = move || {
            seen.fetch_add(1, Ordering::Relaxed);
        };
        control.misbehave(WebSocketFault::CutAfterBytes(3), Box::new(struck));
        let mut near = FaultyStream::new(near, control, None);
        far.write_all(b"1234").await.unwrap();
        assert_eq!(near.read_u16().await.unwrap(), 0x3132);
        assert_eq!(strikes.load(Ordering::Relaxed), 0);
        assert_eq!(near.read_u8().await.unwrap(), b'3');
        assert!(near.read_u8().await.is_err());
        assert_eq!(strikes.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_half_open_stream_takes_everything_and_gives_nothing() {
        let (mut near, mut far) = faulty(WebSocketFault::HalfOpenAfter(10 * MS));
        near.write_all(b"a").await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), b'a');
        far.write_all(b"b").await.unwrap();
        sleep(10 * MS).await;
        near.write_all(&[0; 5000]).await.unwrap();
        near.flush().await.unwrap();
        assert!(timeout(3_600_000 * MS, near.read_u8()).await.is_err());
        assert!(timeout(3_600_000 * MS, far.read_u8()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_buffering_proxy_passes_on_by_bytes_or_by_time() {
        let within = 100 * MS;
        let (mut near, mut far) = faulty(WebSocketFault::Buffered { bytes: 4, within });
        let begun = Instant::now();
        near.write_all(b"abc").await.unwrap();
        near.flush().await.unwrap();
        let mut buffer = [0; 3];
        {
            let mut reading = std::pin::pin!(near.read_u8());
            assert!(timeout(99 * MS, far.read_exact(&mut buffer)).await.is_err());
            assert!(timeout(2 * MS, &mut reading).await.is_err());
        }
        far.read_exact(&mut buffer).await.unwrap();
        assert_eq!((&buffer, begun.elapsed()), (b"abc", 101 * MS));
        near.write_all(b"de").await.unwrap();
        near.write_all(b"fg").await.unwrap();
        near.flush().await.unwrap();
        let mut buffer = [0; 4];
        far.read_exact(&mut buffer).await.unwrap();
        assert_eq!((&buffer, begun.elapsed()), (b"defg", 101 * MS));
        near.write_all(b"h").await.unwrap();
        near.shutdown().await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), b'h');
    }

    #[tokio::test(start_paused = true)]
    async fn without_an_order_it_does_nothing() {
        let (near, mut far) = duplex(1024);
        let mut near = FaultyStream::new(near, StreamControl::default(), None);
        near.write_all(b"ab").await.unwrap();
        assert_eq!(far.read_u16().await.unwrap(), 0x6162);
        drop(far);
        assert_eq!(near.read(&mut [0]).await.unwrap(), 0, "the end");
    }
}
