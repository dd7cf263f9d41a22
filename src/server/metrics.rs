//! Metrics in the text form of Prometheus.

use ::metrics::{Key, KeyName, Label, Level, Metadata, Recorder as _, SharedString};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::serve::{Sample, Shared};

/// Collects figures and renders them. Not global: two servers in one process stay apart.
#[derive(Clone)]
pub struct Recorder {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
    /// The gauges that were told of: what is not told of any more is none any more.
    gauges: Arc<Mutex<BTreeSet<Key>>>,
}

/// The recorder could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the metrics recorder could not be made")]
pub struct RecorderError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Recorder {
    /// An empty one.
    ///
    /// # Errors
    /// When the exporter refuses its own defaults.
    pub fn new() -> Result<Self, RecorderError> {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        Ok(Self { recorder: Arc::new(recorder), handle, gauges: Arc::default() })
    }
    /// Takes the figures of now. A gauge that is not among them any more is 0.
    fn show(&self, samples: Vec<Sample>) {
        let metadata = Metadata::new(module_path!(), Level::INFO, None);
        let mut shown = BTreeSet::new();
        for sample in samples {
            let labels: Vec<Label> =
                sample.labels.into_iter().map(|(name, value)| Label::new(name, value)).collect();
            let key = Key::from_parts(sample.name, labels);
            if sample.counter {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "counts are whole and not negative"
                )]
                let value = sample.value.max(0.0) as u64;
                self.recorder.register_counter(&key, &metadata).absolute(value);
            } else {
                self.recorder.register_gauge(&key, &metadata).set(sample.value);
                shown.insert(key);
            }
        }
        let mut before = self.gauges.lock().unwrap_or_else(PoisonError::into_inner);
        for gone in before.difference(&shown) {
            self.recorder.register_gauge(gone, &metadata).set(0.0);
        }
        before.extend(shown);
    }
    /// The text as it stands.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.render()
    }
}

/// Names and meanings of all metrics: one list, so that a name is spelt once.
pub fn describe(recorder: &Recorder, list: &[(&'static str, &'static str)]) {
    for (name, meaning) in list {
        let name = KeyName::from_const_str(name);
        recorder.recorder.describe_gauge(name, None, SharedString::const_str(meaning));
    }
}

pub(crate) async fn scrape(State(shared): State<Shared>) -> Response {
    shared.recorder.show(shared.probe.samples().await);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shared.recorder.render()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_that_is_gone_is_none() {
        let recorder = Recorder::new().unwrap();
        let sample = |mapping: &str, value| Sample {
            name: "waiting",
            labels: vec![("mapping", mapping.to_owned())],
            value,
            counter: false,
        };
        recorder.show(vec![sample("a", 3.0), sample("b", 4.0)]);
        recorder.show(vec![sample("a", 5.0)]);
        let text = recorder.render();
        assert!(text.contains("waiting{mapping=\"a\"} 5"), "{text}");
        assert!(text.contains("waiting{mapping=\"b\"} 0"), "{text}");
    }
}
