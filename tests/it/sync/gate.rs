//! A way to a system that can be shut: the system is out of reach then, as far as a service can
//! tell.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of who comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Connections are led to the system.
    Open,
    /// Connections are closed.
    Shut,
    /// Connections are taken and never answered.
    Silent,
}

/// The way to one system.
pub struct Gate {
    /// Where it is.
    pub address: SocketAddr,
    way: watch::Sender<Way>,
    task: JoinHandle<()>,
}

impl Gate {
    /// A gate before a system.
    pub async fn before(system: SocketAddr, way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (way, watched) = watch::channel(way);
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(lead(connection, system, watched.clone()));
            }
        });
        Self { address, way, task }
    }

    /// Makes it another way. Connections that were led are closed, or held where it is silent now.
    pub fn becomes(&self, way: Way) {
        self.way.send_replace(way);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn lead(mut connection: TcpStream, system: SocketAddr, mut watched: watch::Receiver<Way>) {
    let way = *watched.borrow_and_update();
    let led = async {
        match way {
            Way::Open => {
                let Ok(mut there) = TcpStream::connect(system).await else { return };
                let _ = copy_bidirectional(&mut connection, &mut there).await;
            }
            Way::Shut => {}
            Way::Silent => std::future::pending().await,
        }
    };
    tokio::select! {
        () = led => return,
        _ = watched.changed() => {}
    }
    if *watched.borrow_and_update() == Way::Silent {
        let _ = watched.changed().await;
    }
}
