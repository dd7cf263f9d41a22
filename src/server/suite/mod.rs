//! The surface as clients meet it.

mod fixture;
mod tls;
mod ways;
