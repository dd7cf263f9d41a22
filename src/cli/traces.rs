//! Traces over OTLP/HTTP, where the binary was built with them: rounds, sends, and what is said
//! within them, with the ids of links and writes and never a value.

use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use reqwest::Url;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

/// Sends what is still to be sent when it goes.
pub struct Traces(SdkTracerProvider);

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// A layer that sends traces to a collector, from a thread of its own.
///
/// # Errors
/// When the exporter cannot be made.
pub fn layer<S>(collector: &Url) -> anyhow::Result<(impl Layer<S>, Traces)>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    let endpoint = format!("{}/v1/traces", collector.as_str().trim_end_matches('/'));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .build()
        .context("the exporter of traces")?;
    let resource = Resource::builder().with_service_name("syncline").build();
    let provider =
        SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let tracer: SdkTracer = provider.tracer("syncline");
    Ok((OpenTelemetryLayer::new(tracer), Traces(provider)))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// A collector that takes one request, and gives all of it.
    fn collector() -> (Url, std::thread::JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let taken = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut request, mut chunk) = (Vec::new(), [0; 4_096]);
            loop {
                let read = stream.read(&mut chunk).unwrap();
                request.extend_from_slice(&chunk[..read]);
                let text = String::from_utf8_lossy(&request).to_lowercase();
                let length = text.split("content-length: ").nth(1).and_then(|rest| {
                    rest.split("\r\n").next().and_then(|length| length.parse::<usize>().ok())
                });
                let head = request.windows(4).position(|four| four == b"\r\n\r\n");
                if let (Some(length), Some(head)) = (length, head)
                    && request.len() >= head + 4 + length
                {
                    break;
                }
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            request
        });
        (format!("http://{address}").parse().unwrap(), taken)
    }

    /// Run it with `cargo nextest run --package syncline --features otlp traces`.
    #[test]
    fn a_round_goes_to_the_collector_with_the_ids_in_it() {
        let (url, taken) = collector();
        let (layer, traces) = layer(&url).unwrap();
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let round = tracing::debug_span!(target: "syncline_engine", "round", commit = 17);
            round.in_scope(|| {
                tracing::debug!(target: "syncline_engine", link = "link-4711", "decided");
            });
        });
        drop(traces);
        let request = taken.join().unwrap();
        let text = String::from_utf8_lossy(&request);
        assert!(text.starts_with("POST /v1/traces HTTP/1.1"), "{text}");
        for told in ["application/x-protobuf", "round", "commit", "link-4711", "service.name"] {
            assert!(text.contains(told), "{told}: {text}");
        }
    }
}
