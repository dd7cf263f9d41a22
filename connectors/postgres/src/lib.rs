//! The Postgres connector.
