//! Syncline keeps records in two systems in agreement, both ways, field by field.

use std::process::ExitCode;

use clap::Parser;
use syncline::cli::Cli;

fn main() -> ExitCode {
    // Two providers are compiled in; whoever connects first without this would panic. A second
    // installation is the only way in which it fails, and nothing ran before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Cli::parse().run()
}
