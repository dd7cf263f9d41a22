//! Runs measurements and prints each beside its target.

use clap::Parser;

use syncline_bench::{BENCHES, Settings, report};

/// Measures Syncline, beside the targets it is built for.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    /// Which measurements; all where none is named.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(names()))]
    names: Vec<String>,
    /// A superuser's address on a cluster of this machine that is used for nothing else.
    #[arg(long, env = "SYNCLINE_TEST_POSTGRES_URL", hide_env_values = true)]
    postgres: String,
    /// One JSON document in place of a table.
    #[arg(long)]
    json: bool,
    /// A tenth of the work: figures are rougher.
    #[arg(long)]
    quick: bool,
}

fn names() -> Vec<&'static str> {
    BENCHES.iter().map(|bench| bench.name).collect()
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let settings = Settings { postgres: arguments.postgres, quick: arguments.quick };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut measured = Vec::new();
    for bench in BENCHES {
        if arguments.names.is_empty() || arguments.names.iter().any(|name| name == bench.name) {
            measured.extend(runtime.block_on((bench.run)(&settings))?);
        }
    }
    report::print(&measured, arguments.json)
}
