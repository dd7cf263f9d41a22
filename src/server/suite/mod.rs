//! The surface as clients meet it.

mod api;
mod book;
mod fixture;
mod tls;
mod ways;
