//! The seeded simulator of the engine.
