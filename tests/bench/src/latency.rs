//! From the commit on one side until the other side shows it, with nothing else to do: one edit
//! after the other, each of another record.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor as _, PgPool};

use crate::Settings;
use crate::clock::{ms, now, pause};
use crate::crm::Crm;
use crate::figures::{Figures, loads_done};
use crate::report::{Measured, Target};
use crate::stage::Stage;

const ACCOUNTS: usize = 400;
const LIMIT: Duration = Duration::from_secs(30);
const OPS: &str = "  ops: { kind: postgres, url: file:ops.secret }\n";
const MAPPING: &str = "\
mapping: accounts
left: { system: crm, entity: Account, external_id: Syncline_Id__c, marker: Syncline_Marker__c }
right: { system: ops, entity: public.accounts }
match:
  - { left: AccountNumber, right: number }
initial: left
fields:
  - { left: AccountNumber, right: number }
  - { left: Name, right: name }
  - { left: Phone, right: phone }
  - { left: Description, right: notes }
conflict: review
delete: review
";

/// Measures both directions with and without latency of the API.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<Vec<Measured>> {
    let stage = Stage::new(&["ops"]).await?;
    let crm = Crm::start(ACCOUNTS)?;
    let ops = stage.pool(1).await?;
    let statements = format!(
        "create table accounts (
             id bigint generated always as identity primary key, number varchar(40) not null unique,
             name varchar(255) not null, phone varchar(40), notes varchar(32000)
         );
         insert into accounts (number, name, phone, notes)
         select 'A-' || n, 'Account ' || n, '+44 20 ' || n, 'Seeded'
         from generate_series(0, {ACCOUNTS} - 1) n"
    );
    ops.execute(sqlx::raw_sql(AssertSqlSafe(statements))).await?;
    let mut run = Run { ledger: stage.pool(0).await?, stage, crm, ops, next: 0 };
    run.start("5s", "2s").await?;
    let samples = if settings.quick { 20 } else { 100 };
    let mut measured = Vec::new();
    for (latency, samples, p50, p99) in
        [(0, samples, None, 50.0), (200, samples / 4, Some(500.0), 1_500.0)]
    {
        run.crm.org.change_settings(|settings| settings.latency_ms = latency);
        let times = run.measure_to_crm(samples).await?;
        let what = |what: &str| format!("Postgres → CRM, API {latency} ms: {what}");
        let median = Measured::new(what("p50"), percentile(&times, 0.5), "ms");
        measured.push(p50.map_or(median.clone(), |most| median.beside(Target::AtMost(most))));
        measured.push(
            Measured::new(what("p99"), percentile(&times, 0.99), "ms").beside(Target::AtMost(p99)),
        );
    }
    for (interval, lag, latency) in
        [("5s", "2s", 0), ("1s", "2s", 0), ("1s", "0s", 0), ("1s", "2s", 200)]
    {
        if settings.quick && (interval, latency) != ("1s", 0) {
            continue;
        }
        run.crm.org.change_settings(|settings| settings.latency_ms = latency);
        run.start(interval, lag).await?;
        let (times, calls) = run.measure_to_ops(if settings.quick { 20 } else { 60 }).await?;
        let set = format!("CRM → Postgres, poll {interval}, lag {lag}, API {latency} ms");
        measured.push(Measured::new(format!("{set}: p50"), percentile(&times, 0.5), "ms"));
        measured.push(Measured::new(format!("{set}: p99"), percentile(&times, 0.99), "ms"));
        measured.push(Measured::new(format!("{set}: calls a day"), calls, ""));
    }
    Ok(measured)
}

struct Run {
    stage: Stage,
    crm: Crm,
    ops: PgPool,
    ledger: PgPool,
    /// The account that is edited next.
    next: usize,
}

impl Run {
    /// Starts the engine and waits until it has loaded and all is still.
    async fn start(&mut self, interval: &str, lag: &str) -> anyhow::Result<()> {
        let systems = format!("{}{OPS}", self.crm.settings(lag));
        self.stage.start_engine(&systems, interval, &[("accounts", MAPPING)])?;
        let ledger = &self.ledger;
        let still = std::cell::RefCell::new((Figures::default(), now()));
        let done = async || {
            let figures = Figures::read(ledger).await?;
            let is_loaded = loads_done(ledger, "accounts").await? == 2;
            let mut still = still.borrow_mut();
            if figures != still.0 {
                *still = (figures, now());
            }
            // Longer than a poll and the lag: what the start wrote has been seen again.
            Ok(is_loaded && still.1.elapsed() > ms(4_000))
        };
        self.stage.until("the load of the accounts", LIMIT, done).await
    }

    fn account(&mut self) -> usize {
        self.next += 1;
        self.next % ACCOUNTS
    }

    async fn measure_to_crm(&mut self, samples: usize) -> anyhow::Result<Vec<f64>> {
        let mut times = Vec::new();
        for sample in 0..samples {
            let at = self.account();
            let phone = format!("ops {} {sample}", self.next);
            sqlx::query("update accounts set phone = $1 where number = $2")
                .bind(&phone)
                .bind(format!("A-{at}"))
                .execute(&self.ops)
                .await?;
            let start = now();
            while self.crm.phone(at).as_deref() != Some(&*phone) {
                if start.elapsed() > LIMIT {
                    bail!("account {at} did not change\n{}", self.stage.last_words());
                }
                pause(ms(1)).await;
            }
            times.push(milliseconds(start));
            // Its own echo is over by then, and the next edit meets an idle engine.
            pause(ms(50)).await;
        }
        Ok(times)
    }

    /// Edits at even distances that have no common measure with the poll; gives the times and
    /// the calls that polling costs a day.
    async fn measure_to_ops(&mut self, samples: usize) -> anyhow::Result<(Vec<f64>, f64)> {
        const DISTANCE: Duration = ms(137);
        const IDLE: Duration = ms(6_000);
        let calls = self.crm.org.request_counts().total;
        pause(IDLE).await;
        let calls = self.crm.org.request_counts().total - calls;
        let person = self.crm.org.person("desk@example.com")?;
        let (mut waiting, mut times) = (Vec::new(), Vec::new());
        let (mut edited, begin) = (0, now());
        while times.len() < samples {
            if edited < samples && begin.elapsed() >= DISTANCE * u32::try_from(edited)? {
                let at = self.account();
                let phone = format!("crm {}", self.next);
                let fields = json!({ "Phone": phone });
                let fields = fields.as_object().context("an object")?;
                person.update(self.crm.accounts[at], fields).await?;
                waiting.push((phone, now()));
                edited += 1;
            }
            let seen: Vec<String> =
                sqlx::query_scalar("select phone from accounts where phone like 'crm %'")
                    .fetch_all(&self.ops)
                    .await?;
            waiting.retain(|(phone, since)| {
                let there = seen.contains(phone);
                if there {
                    times.push(milliseconds(*since));
                }
                !there
            });
            if begin.elapsed() > LIMIT + LIMIT {
                bail!("{} edits did not arrive\n{}", waiting.len(), self.stage.last_words());
            }
            pause(ms(5)).await;
        }
        #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
        let a_day = calls as f64 / IDLE.as_secs_f64() * 86_400.0;
        Ok((times, a_day))
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// The value that this share of all does not exceed.
fn percentile(times: &[f64], share: f64) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in a short list"
    )]
    let at = (times.len() as f64 * share).ceil() as usize;
    times.get(at.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
