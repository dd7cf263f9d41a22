//! The HTTP surface: health, readiness, metrics.
