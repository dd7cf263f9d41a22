//! The ledger: the trait, Postgres and memory.
