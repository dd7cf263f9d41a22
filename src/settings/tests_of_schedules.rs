//! What settings may say about times, and about traces.

use std::time::Duration;

use super::ScheduleSettings;
use super::tests::{messages, read};

const SYSTEM: &str = "systems: { ops: { kind: postgres, url: \"postgres://u@localhost/d\" } }\n";

const CRM: &str = "kind: salesforce, url: \"https://a.my.salesforce.com\", client_id: k";

#[test]
fn times_have_defaults_and_can_be_said() {
    let settings = read(SYSTEM).unwrap().value;
    assert_eq!(settings.schedules, ScheduleSettings::default());
    assert!(settings.systems[0].quiet_hours.is_none());
    let text = format!(
        "{SYSTEM}schedules: {{ report: never, retention: \"0 0 4 * * SUN\" }}\n\
         retention: {{ journal: 4w, deliveries: never, reports: 730d }}\n"
    );
    let said = read(&text).unwrap().value.schedules;
    let days = |days: u64| Some(Duration::from_secs(days * 86_400));
    assert_eq!((said.report, said.retention.as_str()), (None, "0 0 4 * * SUN"));
    assert_eq!((said.journal, said.deliveries, said.reports), (days(28), None, days(730)));
}

#[test]
fn a_system_has_quiet_hours_and_a_poll_window() {
    let text = format!(
        "systems:\n  crm: {{ {CRM}, quiet_hours: {{ from: \"0 22 * * *\", for: 8h }},\n    \
         poll_window: {{ from: \"0 6 * * MON-FRI\", for: 12h, otherwise: 1h }} }}\n"
    );
    let settings = read(&text).unwrap().value;
    let quiet = settings.systems[0].quiet_hours.as_ref().unwrap();
    assert_eq!((quiet.from.as_str(), quiet.lasts.as_secs()), ("0 22 * * *", 8 * 3_600));
    let polled = settings.systems[0].poll_window.as_ref().unwrap();
    assert_eq!(polled.window.from.as_str(), "0 6 * * MON-FRI");
    assert_eq!(polled.otherwise, Some(Duration::from_secs(3_600)));
}

#[test]
fn mistakes_about_times_come_at_once() {
    let text = format!(
        "\
schedules: {{ report: daily, retention: \"0 4 * * 1\", reprot: x }}
retention: {{ journal: 1h, deliveries: 2mo, links: 9d }}
quiet_hours: {{ from: \"0 22 * * *\", for: 8h }}
systems:
  crm: {{ {CRM},
    quiet_hours: {{ from: \"0 * * * *\", for: 2h }},
    poll_window: {{ from: \"0 6 * * *\", until: \"18:00\", otherwise: soon }} }}
  ops: {{ kind: postgres, url: \"postgres://u@localhost/d\",
    poll_window: {{ from: \"0 6 * * *\", for: 12h }} }}
"
    );
    let found = read(&text).unwrap_err();
    let mut found: Vec<String> = messages(&found);
    found.retain(|message| !message.contains("warning"));
    assert_eq!(
        found,
        [
            "1:22 `report` says no times",
            "1:40 `retention` says no times",
            "1:53 unknown key `reprot` in `schedules`",
            "2:23 `journal` does not fit",
            "2:39 `deliveries` does not fit",
            "2:44 unknown key `links` in `retention`",
            "3:1 unknown key `quiet_hours` in the settings file",
            "6:18 these quiet hours never end",
            "7:18 `poll_window` has no `for`",
            "7:39 unknown key `until` in `poll_window`",
            "7:66 `otherwise` does not fit",
            "9:18 this system is not polled: it sends its changes",
        ]
    );
}

#[test]
fn traces_are_refused_by_a_build_without_them() {
    let text = format!("{SYSTEM}log: {{ otlp: \"http://localhost:4318\" }}\n");
    if cfg!(feature = "otlp") {
        assert!(read(&text).unwrap().value.log.otlp.is_some());
        let found = read(&text.replace("http:", "ftp:")).unwrap_err();
        assert_eq!(messages(&found), ["2:14 `otlp` does not fit"]);
        return;
    }
    let found = read(&text).unwrap_err();
    assert_eq!(messages(&found), ["2:14 this build sends no traces"]);
    assert!(found.to_string().contains("--features otlp"), "{found}");
}
