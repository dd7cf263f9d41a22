//! Engine rounds, free of any runtime, and the tokio driver.
