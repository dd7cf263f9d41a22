//! The server around an org.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body as AxumBody, to_bytes};
use axum::extract::{ConnectInfo, Request, State as AxumState};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tower_http::decompression::RequestDecompressionLayer;

use super::http::{Body, Http, Reply};
use super::service::answer;
use super::socket::{CuttableListener, Wire};
use super::tls::Tls;
use crate::org::Org;
use crate::outbound;

/// REST bodies may have about 50 MB, once unpacked.
const BODY_BYTES_MAX: usize = 50 * 1024 * 1024;
/// A longer path with its query is 414.
const URI_BYTES_MAX: usize = 16_384;

/// Answers below this are sent as they are, whatever the client accepts: packing gains nothing.
const PACKED_FROM_BYTES: u64 = 1024;

/// A running server. Dropping it stops it too, without waiting for the end.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    secure: bool,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Serves an org on an address, for example `127.0.0.1:0` for any free port.
    pub async fn start(org: Org, address: &str) -> io::Result<Self> {
        Self::begin(org, address, None).await
    }

    /// Serves an org over TLS and, on the same port, over plain HTTP.
    pub async fn start_with_tls(org: Org, address: &str, tls: Tls) -> io::Result<Self> {
        Self::begin(org, address, Some(tls)).await
    }

    async fn begin(org: Org, address: &str, tls: Option<Tls>) -> io::Result<Self> {
        let secure = tls.is_some();
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(serve_until(org, CuttableListener::new(listener, tls), async {
            // An error means the sender is gone; either way it is time to stop.
            stopped.await.unwrap_or_default();
        }));
        Ok(Self { address, secure, stop: Some(stop), task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:port`, login host and instance in one.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `https://localhost:port` of a server with TLS.
    pub fn secure_url(&self) -> Option<String> {
        self.secure.then(|| format!("https://localhost:{}", self.address.port()))
    }

    /// Stops accepting, answers what is open, and ends.
    pub async fn shutdown(mut self) -> io::Result<()> {
        if let Some(stop) = self.stop.take() {
            // A failed send means that the server has ended already.
            stop.send(()).unwrap_or_default();
        }
        self.task.await.map_err(io::Error::other)?
    }
}

/// Serves an org on a listener until the future is dropped.
pub fn serve(org: Org, listener: TcpListener) -> impl Future<Output = io::Result<()>> {
    serve_until(org, CuttableListener::new(listener, None), std::future::pending())
}

async fn serve_until(
    org: Org,
    listener: CuttableListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    // What cannot be unpacked goes through as it came, and is refused with words of ours.
    let unpack = RequestDecompressionLayer::new().pass_through_unaccepted(true);
    let pack = CompressionLayer::new().compress_when(SizeAbove::new(PACKED_FROM_BYTES));
    let router = Router::new().fallback(handle).layer(unpack).layer(pack);
    let router = router.with_state(org.clone());
    let service = router.into_make_service_with_connect_info::<Wire>();
    // Ends with this future, however that ends.
    let mut sender = JoinSet::new();
    sender.spawn(outbound::run(org));
    axum::serve(listener, service).with_graceful_shutdown(stop).await
}

async fn handle(
    AxumState(org): AxumState<Org>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    let http = match read(request, wire.secure).await {
        Ok(http) => http,
        Err(reply) => return response(&org, reply, false),
    };
    let pretty = http.header("x-prettyprint") == Some("1");
    let answering = org.clone();
    // Its own task: a call is applied to its end even when the client has gone.
    let answered = tokio::spawn(async move { answer(&answering, http).await }).await;
    match answered {
        Ok(Some(reply)) => response(&org, reply, pretty),
        Ok(None) => {
            wire.cut();
            response(&org, Reply::empty(500), false)
        }
        Err(error) => {
            tracing::error!(%error, "a request task failed");
            let text = "An unexpected error occurred in the simulator";
            response(&org, Reply::error(500, "UNKNOWN_EXCEPTION", text), false)
        }
    }
}

async fn read(request: Request, secure: bool) -> Result<Http, Reply> {
    let (head, body) = request.into_parts();
    let uri_bytes = head.uri.path_and_query().map_or(0, |it| it.as_str().len());
    if uri_bytes > URI_BYTES_MAX {
        return Err(Reply::error(414, "URI_TOO_LONG", "Request URI too long"));
    }
    let mut headers = BTreeMap::new();
    for (name, value) in &head.headers {
        headers.insert(
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        );
    }
    // A body that was unpacked has lost this header on the way.
    if let Some(encoding) = headers.get("content-encoding").filter(|it| *it != "identity") {
        let text = format!("Content-Encoding '{encoding}' is not supported here. Use gzip.");
        return Err(Reply::error(415, "UNSUPPORTED_MEDIA_TYPE", text));
    }
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|error| {
        tracing::debug!(%error, "a request body could not be read");
        Reply::error(400, "INVALID_REQUEST", "The request body could not be read")
    })?;
    Ok(Http {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        raw_query: head.uri.query().unwrap_or_default().to_owned(),
        headers,
        body,
        secure,
    })
}

/// The usual headers of the service; `Date` is the org's own clock.
fn response(org: &Org, reply: Reply, pretty: bool) -> Response {
    let date = {
        let state = org.state();
        crate::org::clock::http_date(state.clock.now_s())
    };
    let (kind, bytes) = match reply.body {
        Body::None => (None, Vec::new()),
        Body::Json(json) => (Some("application/json;charset=UTF-8"), json.to_bytes(pretty)),
        Body::Text { content_type, text } => (Some(content_type), text.into_bytes()),
    };
    let mut made = Response::new(AxumBody::from(bytes));
    *made.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let fixed = [
        ("date", date.as_str()),
        ("expires", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("set-cookie", "BrowserId=simulated; path=/; HttpOnly"),
    ];
    let named = reply.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in
        fixed.into_iter().chain(kind.map(|kind| ("content-type", kind))).chain(named)
    {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            made.headers_mut().insert(name, value);
        }
    }
    made
}
