//! A listener whose connections can be cut from inside, as a network does, and which takes plain
//! HTTP and TLS on one port.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout_at;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::tls::Tls;
use crate::org::clock::instant;

/// A client that says nothing is dropped after this long.
const GREETING: Duration = Duration::from_secs(10);
/// The first byte of a TLS connection: a handshake record.
const HANDSHAKE: u8 = 0x16;

/// What a request knows of its connection: cutting it writes nothing any more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire {
    cut: Arc<AtomicBool>,
    /// It is a TLS connection.
    pub(crate) secure: bool,
}

impl Wire {
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }
}

/// A TCP listener with cuttable connections.
#[derive(Debug)]
pub(crate) struct CuttableListener {
    listener: TcpListener,
    tls: Option<Tls>,
    /// Connections that have not shown yet what they speak.
    greeting: JoinSet<io::Result<(CuttableStream, SocketAddr)>>,
}

impl CuttableListener {
    pub(crate) fn new(listener: TcpListener, tls: Option<Tls>) -> Self {
        Self { listener, tls, greeting: JoinSet::new() }
    }
}

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                (stream, address) = <TcpListener as Listener>::accept(&mut self.listener) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "TCP_NODELAY was refused");
                    }
                    match &self.tls {
                        None => return (CuttableStream::new(Speech::Plain(stream)), address),
                        Some(tls) => {
                            let acceptor = tls.acceptor.clone();
                            self.greeting.spawn(greet(stream, address, acceptor));
                        }
                    }
                }
                Some(greeted) = self.greeting.join_next() => match greeted {
                    Ok(Ok(ready)) => return ready,
                    Ok(Err(error)) => tracing::debug!(%error, "a connection said nothing fit"),
                    Err(error) => tracing::debug!(%error, "a greeting was stopped"),
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// Tells TLS from plain HTTP by the first byte.
async fn greet(
    stream: TcpStream,
    address: SocketAddr,
    acceptor: TlsAcceptor,
) -> io::Result<(CuttableStream, SocketAddr)> {
    let speech = timeout_at(instant() + GREETING, async {
        let mut first = [0_u8; 1];
        stream.peek(&mut first).await?;
        if first == [HANDSHAKE] {
            Ok(Speech::Tls(Box::new(acceptor.accept(stream).await?)))
        } else {
            Ok::<_, io::Error>(Speech::Plain(stream))
        }
    });
    let speech = speech.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok((CuttableStream::new(speech), address))
}

impl Connected<IncomingStream<'_, CuttableListener>> for Wire {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().wire.clone()
    }
}

/// What a connection speaks.
#[derive(Debug)]
enum Speech {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A stream that fails once it is cut.
#[derive(Debug)]
pub(crate) struct CuttableStream {
    speech: Speech,
    wire: Wire,
}

impl CuttableStream {
    fn new(speech: Speech) -> Self {
        let secure = matches!(speech, Speech::Tls(_));
        Self { speech, wire: Wire { secure, ..Wire::default() } }
    }

    fn check(&self) -> io::Result<()> {
        if self.wire.is_cut() { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

/// Hands a call on to whichever stream it is.
macro_rules! spoken {
    ($stream:expr, $inner:ident => $call:expr) => {
        match &mut $stream.speech {
            Speech::Plain($inner) => {
                let $inner = Pin::new($inner);
                $call
            }
            Speech::Tls($inner) => {
                let $inner = Pin::new($inner.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        spoken!(self, inner => inner.poll_read(cx, buffer))
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        spoken!(self, inner => inner.poll_write(cx, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        spoken!(self, inner => inner.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        spoken!(self, inner => inner.poll_shutdown(cx))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.speech {
            Speech::Plain(stream) => stream.is_write_vectored(),
            Speech::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        spoken!(self, inner => inner.poll_write_vectored(cx, bytes))
    }
}
