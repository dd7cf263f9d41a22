//! The reference of the settings names every key.

use super::file::{KEYS, OF_ALL};
use super::http::{TLS, WEBHOOK};
use super::log::LOG;
use super::schedules::{POLL_WINDOW, QUIET_HOURS, RETENTION, SCHEDULES};
use crate::registry::{KINDS, keys_of};

/// The first cells of the tables of a section: the keys that it names.
fn named<'a>(text: &'a str, section: &str) -> Vec<&'a str> {
    let body = text.split("\n## ").find(|part| part.starts_with(section));
    let rows = body.unwrap_or_default().lines().filter_map(|line| line.strip_prefix("| `"));
    let first = rows.filter_map(|row| row.split(" | ").next());
    first.flat_map(|cell| cell.split('`')).filter(|key| !key.is_empty() && *key != ", ").collect()
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort();
    keys
}

#[test]
fn the_reference_has_every_key_and_no_other() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/settings.md");
    let text = std::fs::read_to_string(path).unwrap();
    let below = |of: &str, keys: &[&str]| -> Vec<String> {
        keys.iter().map(|key| format!("{of}{key}")).collect()
    };
    let told =
        |section: &str| sorted(named(&text, section).into_iter().map(str::to_owned).collect());

    let [top, ledger] = KEYS.map(|keys| keys.known);
    let parts = ["ledger", "tls", "log", "schedules", "retention"];
    let whole: Vec<&str> = top.iter().copied().filter(|key| !parts.contains(key)).collect();
    let mut all = below("", &whole);
    all.extend(below("ledger.", ledger));
    all.extend(below("tls.", TLS.known));
    all.extend(below("log.", LOG.known));
    all.extend(below("schedules.", SCHEDULES.known));
    all.extend(below("retention.", RETENTION.known));
    assert_eq!(told("The installation"), sorted(all));

    let mut of_system = below("", OF_ALL);
    of_system.extend(below("webhook.", WEBHOOK.known));
    of_system.extend(below("quiet_hours.", QUIET_HOURS.known));
    of_system.extend(below("poll_window.", POLL_WINDOW.known));
    assert_eq!(told("A system"), sorted(of_system));

    for (word, kind) in KINDS {
        let keys = sorted(below("", keys_of(*kind)));
        assert!(keys.len() > 5, "{keys:?}");
        assert_eq!(told(&format!("`kind: {word}`")), keys);
    }
}
