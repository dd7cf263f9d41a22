//! A line to a server that can go dead: calls are taken and never answered, until it is mended.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Forwards connections to a server of this machine.
pub struct Wire {
    /// Where it listens.
    pub address: SocketAddr,
    dead: watch::Sender<bool>,
    _ended: DropGuard,
}

impl Wire {
    /// One to a server.
    pub async fn new(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (dead, watched) = watch::channel(false);
        let ended = CancellationToken::new();
        let stop = ended.clone();
        tokio::spawn(async move {
            while let Some(Ok((caller, _))) = stop.run_until_cancelled(listener.accept()).await {
                let line = forward(caller, server, watched.clone());
                let stop = stop.clone();
                tokio::spawn(async move { stop.run_until_cancelled(line).await });
            }
        });
        Self { address, dead, _ended: ended.drop_guard() }
    }

    /// From now on nothing passes.
    pub fn cut(&self) {
        self.dead.send_replace(true);
    }

    /// What calls from now on passes; what was cut stays so.
    pub fn mend(&self) {
        self.dead.send_replace(false);
    }
}

async fn forward(mut caller: TcpStream, server: SocketAddr, mut dead: watch::Receiver<bool>) {
    if !*dead.borrow() {
        let Ok(mut server) = TcpStream::connect(server).await else { return };
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut caller, &mut server) => return,
            cut = dead.wait_for(|dead| *dead) => if cut.is_err() { return },
        }
    }
    // Held open, without a word.
    std::future::pending::<()>().await;
}
