//! The surface as clients meet it.

mod api;
mod book;
mod connections;
mod fixture;
mod tls;
mod ways;
