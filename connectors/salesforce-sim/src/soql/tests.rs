use super::lexer::tokens;
use super::like::{like, pattern};
use super::parse;

#[test]
fn statements_that_parse() {
    for statement in [
        "SELECT Id FROM Account",
        "select id, Account.Owner.Name from contact c where c.Name = 'x' \
         order by Id desc nulls last limit 5 offset 2",
        "SELECT Id FROM X WHERE NOT (A = 1 OR B = 2) AND C != null",
        "SELECT Id FROM X WHERE ((A = 1 AND B > -2.5) OR A > 1e3) AND D < 2026-11-21",
        "SELECT COUNT() FROM X",
        "SELECT COUNT(Id) n, A FROM X GROUP BY A",
        "SELECT Id, (SELECT Id FROM Kids WHERE A = TODAY LIMIT 1) FROM X",
        "SELECT Id FROM X WHERE A IN ('a','b') AND B NOT IN (SELECT C FROM D)",
        "SELECT Id FROM X WHERE A INCLUDES ('a;b') AND B EXCLUDES ('c')",
        "SELECT Id FROM X WHERE A = LAST_N_DAYS:30 AND B = 2026-11-21T08:00:00.000+01:00",
        "SELECT Id FROM X WHERE A = 'it\\'s \\u0041\\n'",
    ] {
        assert!(parse(statement).is_ok(), "{statement}: {:?}", parse(statement));
    }
}

#[test]
fn statements_that_do_not() {
    for (statement, row, column) in [
        ("", 1, 1),
        ("SELECT", 1, 7),
        ("SELECT FROM X", 1, 13),
        ("SELECT Id,\n  Nope( FROM X", 2, 3),
        ("SELECT Id FROM X WHERE A = 1 AND B = 2 OR C = 3", 1, 40),
        ("SELECT Id FROM X WHERE A == 1", 1, 27),
        ("SELECT Id FROM X WHERE A = B", 1, 28),
        ("SELECT Id FROM X WHERE A = LAST_N_DAYS", 1, 28),
        ("SELECT Id FROM X WHERE (A = 1", 1, 30),
        ("SELECT Id FROM X; DROP", 1, 17),
        ("SELECT Id FROM X LIMIT -1", 1, 24),
        ("SELECT Id FROM X WHERE A = 2026-13-01", 1, 28),
    ] {
        let error = parse(statement).unwrap_err();
        assert!(
            error.message.contains(&format!("Row:{row}:Column:{column}\n")),
            "{statement}: {}",
            error.message
        );
        assert_eq!(error.code, "MALFORMED_QUERY");
    }
}

#[test]
fn nesting_has_an_end() {
    let deep = format!("SELECT Id FROM X WHERE {}A = 1{}", "(".repeat(500), ")".repeat(500));
    assert_eq!(parse(&deep).unwrap_err().code, "QUERY_TOO_COMPLICATED");
    let long = format!("SELECT Id FROM X WHERE A = '{}'", "x".repeat(100_000));
    assert_eq!(parse(&long).unwrap_err().code, "MALFORMED_QUERY");
}

#[test]
fn like_patterns() {
    for (text, wanted, holds) in [
        ("Acme", "a%", true),
        ("Acme", "%M_", true),
        ("Acme", "acm", false),
        ("100%", "100\\%", true),
        ("1000", "100\\%", false),
        ("a_b", "a\\_b", true),
        ("axb", "a\\_b", false),
        ("", "%", true),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaab", "%a%a%a%a%a%a%c", false),
    ] {
        assert_eq!(like(text, &pattern(wanted)), holds, "{text} like {wanted}");
    }
}

#[test]
fn tokens_never_panic() {
    for statement in ["'", "\\", "'\\", "'\\u", "'\\u12", "é", "-", "1-", "\u{1f600}", ":", "!"] {
        if let Ok(found) = tokens(statement) {
            assert!(!found.is_empty());
        }
        assert!(parse(statement).is_err());
    }
}

#[test]
fn date_words_name_whole_days() {
    let today: jiff::civil::Date = "2026-11-21".parse().unwrap();
    for (word, number, from, until) in [
        ("TODAY", None, "2026-11-21", "2026-11-22"),
        ("YESTERDAY", None, "2026-11-20", "2026-11-21"),
        ("THIS_WEEK", None, "2026-11-15", "2026-11-22"),
        ("LAST_MONTH", None, "2026-10-01", "2026-11-01"),
        ("THIS_QUARTER", None, "2026-10-01", "2027-01-01"),
        ("NEXT_YEAR", None, "2027-01-01", "2028-01-01"),
        ("LAST_N_DAYS", Some(3), "2026-11-18", "2026-11-22"),
        ("NEXT_N_DAYS", Some(2), "2026-11-22", "2026-11-24"),
        ("N_DAYS_AGO", Some(1), "2026-11-20", "2026-11-21"),
        ("LAST_N_MONTHS", Some(2), "2026-09-01", "2026-11-01"),
    ] {
        let (first, last) = super::dates::range(word, number, today).unwrap();
        assert_eq!(
            (first.to_string().as_str(), last.to_string().as_str()),
            (from, until),
            "{word}"
        );
    }
    assert_eq!(super::dates::range("LAST_N_DAYS", Some(i64::MAX), today), None);
}

#[test]
fn look_ups_go_through_an_index() {
    use super::plan::{Plan, plan};
    let org = crate::Org::new(1);
    let state = org.state();
    let table = state.table_named("Contact").unwrap();
    let of = |filter: &str, with_deleted: bool| {
        let statement = format!("SELECT Id FROM Contact WHERE {filter}");
        let parsed = parse(&statement).unwrap();
        let bound = super::bind(&state, &parsed, &statement, None).unwrap();
        plan(table, &bound, with_deleted)
    };
    let ids = Plan::Ids(std::collections::BTreeSet::new());
    assert_eq!(of("Syncline_Id__c IN ('a', 'b') AND Title != 'x'", false), ids);
    assert_eq!(of("Account.Name = 'x' AND AccountId = '001000000000000AAA'", false), ids);
    assert!(matches!(of("Id = '003000000000000AAA' OR Syncline_Id__c = 'x'", false), Plan::Ids(_)));
    // Key indexes hold live rows only.
    assert_eq!(of("Syncline_Id__c = 'a'", true), Plan::Scan);
    assert!(matches!(of("Id IN ('003000000000000AAA')", true), Plan::Ids(_)));
    let polled = "((SystemModstamp = 2026-11-21T08:00:00Z AND Id > '003000000000000AAA') OR \
                  SystemModstamp > 2026-11-21T08:00:00Z) AND SystemModstamp < 2026-11-21T09:00:00Z";
    assert_eq!(of(polled, true), Plan::Stamps(1_795_248_000, 1_795_251_600));
    assert_eq!(of("NOT SystemModstamp > 2026-11-21T08:00:00Z", false), Plan::Scan);
}
