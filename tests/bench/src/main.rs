//! Runs measurements and prints each beside its target.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;

use syncline_bench::{BENCHES, Settings, report};

/// Measures Syncline, beside the targets it is built for.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    /// Only these measurements, by name; all where none is named.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(names()))]
    only: Vec<String>,
    /// A superuser's address on a cluster of this machine that is used for nothing else.
    #[arg(long, env = "SYNCLINE_TEST_POSTGRES_URL", hide_env_values = true)]
    #[arg(required_unless_present = "engine", default_value = "")]
    postgres: String,
    /// One JSON document in place of a table.
    #[arg(long)]
    json: bool,
    /// A tenth of the work: figures are rougher.
    #[arg(long)]
    quick: bool,
    /// Runs the engine that is measured, with these settings, until it is told to end.
    #[arg(long, value_name = "FILE", hide = true)]
    engine: Option<PathBuf>,
}

fn names() -> Vec<&'static str> {
    BENCHES.iter().map(|bench| bench.name).collect()
}

fn main() -> anyhow::Result<ExitCode> {
    // Several providers are compiled in; this is the first that is named.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments = Arguments::parse();
    if let Some(settings) = arguments.engine {
        let run = ["syncline".into(), "run".into(), "--config".into(), settings.into_os_string()];
        return Ok(syncline::cli::Cli::parse_from(run).run());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            measured = measure(arguments) => measured.map(|()| ExitCode::SUCCESS),
            pressed = tokio::signal::ctrl_c() => {
                pressed.context("Ctrl-C cannot be listened to")?;
                Ok(ExitCode::from(130))
            }
        }
    })
}

async fn measure(arguments: Arguments) -> anyhow::Result<()> {
    let settings = Settings { postgres: arguments.postgres, quick: arguments.quick };
    let mut measured = Vec::new();
    for bench in BENCHES {
        if arguments.only.is_empty() || arguments.only.iter().any(|name| name == bench.name) {
            let found = (bench.run)(&settings).await.with_context(|| bench.name.to_owned())?;
            if !arguments.json {
                report::print(bench.conditions, &found);
            }
            measured.extend(found);
        }
    }
    if arguments.json {
        report::print_json(&measured)?;
    }
    Ok(())
}
