//! `syncline webhooks`

use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value as Json, json};
use syncline_ledger::{Deliveries as _, Delivery};
use syncline_sdk::{EntityName, Instant};

use super::desk::Desk;
use super::words::{count, plain, time_and_age, time_json};
use super::{Exit, Installation, Output, Stop, clock};
use crate::installation::no_system;
use crate::settings::{Settings, SystemSettings, WebhookSettings};

const EXAMPLES: &str = "\
Examples:
  syncline webhooks                  the address of each system, and the clicks in its console
  syncline webhooks crm --last 20    with its last twenty deliveries and what became of them
  syncline webhooks --mask           for somebody who looks over your shoulder

The address holds a secret: keep it like a password. Whoever knows the address of a Salesforce org
can send notices, unless a client certificate is asked for; that of a Postgres is of use only with
the signing secret. To move to another secret put the
one in use under `previous_secret` and the new one under `secret`, restart, register the new address
with the vendor, and remove `previous_secret` once no delivery comes by it any more: the log names
each that does.

A notice only makes Syncline read a record again: it is never trusted for a value. What no webhook
tells of is found by the poll.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Only this system.
    #[arg(value_name = "SYSTEM")]
    system: Option<String>,

    /// How many deliveries are told, the latest first.
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    last: u32,

    /// Do not print secrets.
    #[arg(long)]
    mask: bool,
}

/// A system, and what there is to be said of its webhook.
struct Hook<'a> {
    system: &'a SystemSettings,
    /// Its address; nothing where the settings open no door.
    url: Option<String>,
    /// Whether the system sends deliveries of its own.
    sends: bool,
    steps: Vec<String>,
    deliveries: Vec<Delivery>,
}

pub(super) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let installation = Installation::open(config)?;
    let settings = &installation.settings;
    let systems = chosen(settings, arguments.system.as_deref())?;
    let desk = Desk::find(config).await?;
    let last = usize::try_from(arguments.last).unwrap_or(usize::MAX);
    let mut hooks = Vec::new();
    for system in systems {
        let webhook = installation.connectors.get(&system.name).and_then(|one| one.webhook());
        let url = system.webhook.as_ref().map(|hook| address(settings, system, hook, &arguments));
        let mut entities: Vec<EntityName> = installation
            .selections(&system.name)
            .into_iter()
            .map(|selection| selection.entity)
            .collect();
        entities.sort();
        entities.dedup();
        let steps = match (&webhook, &url) {
            (Some(webhook), Some(url)) => webhook.steps(url, &entities),
            (Some(_), None) => Vec::new(),
            (None, _) => steps_of_stream(system, &entities),
        };
        let deliveries = match &desk {
            Some(desk) => {
                desk.ledger.deliveries(Some(&system.name), last).await.context("the ledger")?
            }
            None => Vec::new(),
        };
        let sends = webhook.is_some();
        hooks.push(Hook { system, url, sends, steps, deliveries });
    }
    let now = clock::now();
    for hook in &hooks {
        for line in hook.lines(settings, now) {
            output.line(&line);
        }
        output.line("");
    }
    output.findings(&installation.warnings);
    let mut fields = Map::new();
    fields.insert("systems".to_owned(), hooks.iter().map(Hook::json).collect());
    output.answer("webhooks", fields);
    Ok(Exit::Well)
}

/// The systems that are asked for.
fn chosen<'a>(settings: &'a Settings, name: Option<&str>) -> Result<Vec<&'a SystemSettings>, Stop> {
    let Some(name) = name else {
        return Ok(settings.systems.iter().collect());
    };
    if let Some(system) = settings.systems.iter().find(|system| system.name.as_str() == name) {
        return Ok(vec![system]);
    }
    Err(no_system(settings, name))
}

/// What to do about a system that sends no deliveries of its own: its changes come by themselves,
/// and others may tell of some as well.
fn steps_of_stream(system: &SystemSettings, entities: &[EntityName]) -> Vec<String> {
    let name = &system.name;
    let mut steps = vec![format!(
        "nothing has to be registered: {name} sends each change in its change stream, as it is \
         committed"
    )];
    if system.webhook.is_none() {
        return steps;
    }
    let entity = entities.first().map_or("public.accounts", |entity| entity.as_str());
    let body = json!({ "entity": entity, "keys": ["1"] });
    steps.push(format!(
        "a program of yours may have records read again: it posts {body} to the address, with the \
         headers webhook-id, webhook-timestamp and webhook-signature of Standard Webhooks, made \
         with `signing_secret`"
    ));
    steps
}

/// The address to register.
fn address(
    settings: &Settings,
    system: &SystemSettings,
    webhook: &WebhookSettings,
    arguments: &Arguments,
) -> String {
    let scheme = if settings.http.tls.is_some() { "https" } else { "http" };
    let here = || format!("{scheme}://{}", settings.listen);
    let base = settings.http.public_url.clone().unwrap_or_else(here);
    let secret = if arguments.mask { "***" } else { webhook.secret.expose_secret() };
    format!("{base}/hooks/{}/{secret}", system.name)
}

impl Hook<'_> {
    fn lines(&self, settings: &Settings, now: Instant) -> Vec<String> {
        let (name, kind) = (&self.system.name, self.system.kind.word());
        let mut lines = vec![format!("webhook of {name} ({kind})")];
        let Some((url, webhook)) = self.url.as_ref().zip(self.system.webhook.as_ref()) else {
            lines.extend(self.to_do());
            lines.extend(self.missing());
            return lines;
        };
        lines.push(format!("  address   {url}"));
        if settings.http.public_url.is_none() {
            let what = "public_url is not set: nobody outside can use this address as it is";
            lines.push(format!("            {what}"));
        }
        let needs = match (self.sends, &webhook.client_certificate) {
            (true, None) => "whoever knows it can send notices: keep it like a password",
            (true, Some(_)) => "it holds a secret; notices need the client certificate besides",
            (false, _) => "it holds a secret; notices need a signature besides",
        };
        lines.push(format!("            {needs}"));
        if webhook.previous_secret.is_some() {
            let what = "previous_secret opens it too, until that is removed from the settings";
            lines.push(format!("            {what}"));
        }
        let signed = match webhook.signing_secrets.len() {
            0 => None,
            1 => Some("signed deliveries (Standard Webhooks)"),
            _ => Some("signed deliveries (Standard Webhooks), by two keys"),
        };
        let own = self.sends.then_some("what the system sends of itself");
        let takes: Vec<&str> = own.into_iter().chain(signed).collect();
        lines.push(format!("  takes     {}", takes.join(", and ")));
        if webhook.client_certificate.is_some() {
            lines.push("  asks for  a client certificate".to_owned());
        }
        if !webhook.from.is_empty() {
            let nets: Vec<String> = webhook.from.iter().map(ToString::to_string).collect();
            lines.push(format!("  only from {}", nets.join(", ")));
        }
        lines.extend(self.told(now));
        lines.extend(self.to_do());
        lines
    }

    fn to_do(&self) -> impl Iterator<Item = String> {
        self.steps.iter().enumerate().map(|(at, step)| {
            let word = if at == 0 { "set up" } else { "" };
            format!("  {word:<9} {}. {step}", at + 1)
        })
    }

    fn told(&self, now: Instant) -> Vec<String> {
        if self.deliveries.is_empty() {
            return vec!["  last      nothing was delivered yet".to_owned()];
        }
        let mut lines = Vec::new();
        for delivery in &self.deliveries {
            let word = if lines.is_empty() { "last" } else { "" };
            let (verdict, remote) = (delivery.verdict.as_str(), plain(&delivery.remote));
            let when = time_and_age(now, delivery.at.micros());
            let mut line = format!("  {word:<9} {verdict} {when} from {remote}");
            if delivery.verdict.is_taken() {
                let notices = count(delivery.notices.into(), "notice");
                let hints = count(delivery.hints.into(), "hint");
                line += &format!(": {notices}, {hints}, {} repeated", delivery.repeated);
            }
            if let Some(reason) = &delivery.reason {
                line += &format!(": {}", plain(reason));
            }
            if delivery.alike > 0 {
                line += &format!(" (and {} like it before)", delivery.alike);
            }
            lines.push(line);
        }
        lines
    }

    /// How a door is opened.
    fn missing(&self) -> Vec<String> {
        let name = self.name();
        let variable = |what: &str| {
            let system = name.to_uppercase().replace('-', "_");
            format!("{system}_{what}_SECRET")
        };
        let first = match self.sends {
            true => format!("  not set up: add under {name}"),
            false => format!("  to let a program tell of changes as well, add under {name}"),
        };
        // In lines of their own: between `{` and `}` values with `${...}` need quotes.
        let mut lines = vec![first, "    webhook:".to_owned()];
        let mut wanted = vec![("secret", variable("WEBHOOK"), secret())];
        if !self.sends {
            let key = format!("whsec_{}", secret());
            wanted.push(("signing_secret", variable("SIGNING"), key));
        }
        let line = |(key, variable, _): &(_, String, _)| format!("      {key}: ${{{variable}}}");
        lines.extend(wanted.iter().map(line));
        let said = wanted.iter().map(|(_, variable, secret)| {
            format!("  set {variable} to a secret of your own, such as {secret}")
        });
        lines.extend(said);
        lines
    }

    fn name(&self) -> &str {
        self.system.name.as_str()
    }

    fn json(&self) -> Json {
        let webhook = self.system.webhook.as_ref();
        json!({
            "system": self.name(),
            "kind": self.system.kind.word(),
            "url": self.url,
            "previous_secret": webhook.is_some_and(|hook| hook.previous_secret.is_some()),
            "signed": webhook.is_some_and(|hook| !hook.signing_secrets.is_empty()),
            "unsigned": self.sends,
            "client_certificate": webhook.is_some_and(|hook| hook.client_certificate.is_some()),
            "steps": self.steps,
            "deliveries": self.deliveries.iter().map(delivery_json).collect::<Vec<_>>(),
        })
    }
}

fn delivery_json(delivery: &Delivery) -> Json {
    json!({
        "id": delivery.id,
        "at": time_json(delivery.at.micros()),
        "verdict": delivery.verdict.as_str(),
        "reason": delivery.reason,
        "sender": delivery.sender,
        "remote": delivery.remote,
        "bytes": delivery.bytes,
        "notices": delivery.notices,
        "hints": delivery.hints,
        "repeated": delivery.repeated,
        "unmapped": delivery.unmapped,
        "alike": delivery.alike,
    })
}

/// A secret that nobody has had before: 32 letters and digits, which is base64 of 24 bytes too.
#[expect(clippy::disallowed_methods, reason = "a secret is random")]
fn secret() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
