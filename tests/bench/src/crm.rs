//! The simulated CRM of the latency measurements: an org with a thread of its own, reached over
//! HTTP, and watched from inside the process.

use anyhow::Context as _;
use salesforce_sim::{Id, Org, Server};
use serde_json::{Map, Value, json};

/// An org that is served until the value is dropped.
pub(crate) struct Crm {
    /// The org.
    pub org: Org,
    /// Its address.
    pub url: String,
    /// The accounts, by their place.
    pub accounts: Vec<Id>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Crm {
    /// Starts an org with so many accounts.
    pub(crate) fn start(accounts: usize) -> anyhow::Result<Self> {
        let org = Org::new(7);
        let records: Vec<Map<String, Value>> = (0..accounts).map(record).collect();
        let accounts = org.seed("admin@example.com", "Account", &records)?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (address, told) = std::sync::mpsc::sync_channel(1);
        let served = org.clone();
        let thread = std::thread::spawn(move || {
            let serving = serve(served, address, stopped);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(serving);
            }
        });
        let url = told.recv().context("the org could not be served")?;
        Ok(Self { org, url, accounts, stop: Some(stop), thread: Some(thread) })
    }

    /// The part of the engine's settings that names the org.
    pub(crate) fn settings(&self, lag: &str) -> String {
        let login = self.org.credentials();
        format!(
            "  crm: {{ kind: salesforce, url: {:?}, client_id: {:?}, client_secret: {:?}, \
             lag: {lag} }}\n",
            self.url, login.client_id, login.client_secret
        )
    }

    /// The phone number of an account now.
    pub(crate) fn phone(&self, at: usize) -> Option<String> {
        let record = self.org.record(self.accounts[at])?;
        record.get("Phone").and_then(Value::as_str).map(str::to_owned)
    }
}

async fn serve(
    org: Org,
    address: std::sync::mpsc::SyncSender<String>,
    stopped: tokio::sync::oneshot::Receiver<()>,
) {
    if let Ok(server) = Server::start(org, "127.0.0.1:0").await
        && address.send(server.url()).is_ok()
    {
        // An error means that the other end is gone; either way it is time to end.
        let _ = stopped.await;
        let _ = server.shutdown().await;
    }
}

fn record(at: usize) -> Map<String, Value> {
    let fields = json!({
        "Name": format!("Account {at}"),
        "AccountNumber": format!("A-{at}"),
        "Phone": format!("+44 20 {at}"),
        "Description": "Seeded",
    });
    fields.as_object().cloned().unwrap_or_default()
}

impl Drop for Crm {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
