use super::*;

fn parse(json: &str) -> Result<SalesforceSettings, serde_json::Error> {
    serde_json::from_str(json)
}

#[test]
fn defaults_and_forms() {
    let settings = parse(
        r#"{"url":"https://acme.my.salesforce.com","client_id":"k","client_secret":"hush",
            "api_version":66.0,"overlap":"20m","lag":"0s"}"#,
    )
    .unwrap();
    assert_eq!(settings.api_version.as_str(), "66.0");
    assert_eq!(settings.overlap, Duration::from_secs(1200));
    assert_eq!(settings.lag, Duration::ZERO);
    assert_eq!(settings.page_rows, 2000);
    settings.validate().unwrap();
    assert!(!format!("{settings:?}").contains("hush"));
}

#[test]
fn mistakes_name_the_remedy() {
    assert!(parse(r#"{"url":"https://a","client_id":"k","colour":1}"#).is_err());
    assert!(parse(r#"{"url":"https://a","client_id":"k","lag":"soon"}"#).is_err());
    assert!(parse(r#"{"url":"https://a","client_id":"k","api_version":"latest"}"#).is_err());
    let with = |url: &str| {
        let mut settings = SalesforceSettings::new(url, "k");
        settings.client_secret = Some("s".into());
        settings.validate()
    };
    for url in [
        "http://crm.example.com",
        "https://login.salesforce.com",
        "https://acme.lightning.force.com",
        "https://u:p@acme.my.salesforce.com",
        "ftp://acme",
        "acme",
        "https://acme.my.salesforce.com/services",
    ] {
        let error = with(url).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Config, "{url}");
        assert!(error.advice.is_some(), "{url}");
    }
    for url in ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:2"] {
        with(url).unwrap();
    }
}

#[test]
fn each_login_names_what_it_needs() {
    type Change = fn(&mut SalesforceSettings);
    let with = |change: Change| {
        let mut settings = SalesforceSettings::new("https://acme.my.salesforce.com", "k");
        settings.client_secret = Some("s".into());
        change(&mut settings);
        settings.validate().map_err(|error| error.context)
    };
    let cases: [(Change, &str); 5] = [
        (|settings| settings.grant = Grant::Password, "grant password needs username and password"),
        (
            |settings| {
                settings.grant = Grant::Password;
                settings.username = Some("u".to_owned());
            },
            "grant password needs password",
        ),
        (
            |settings| {
                settings.grant = Grant::JwtBearer;
                settings.client_secret = None;
            },
            "grant jwt_bearer needs username and private_key",
        ),
        (
            |settings| {
                settings.grant = Grant::JwtBearer;
                settings.client_secret = None;
                settings.username = Some("u".to_owned());
            },
            "grant jwt_bearer needs private_key",
        ),
        (
            |settings| {
                settings.grant = Grant::WebServer;
                settings.redirect_uri = "somewhere".to_owned();
            },
            "redirect_uri \"somewhere\" is not an address",
        ),
    ];
    for (change, said) in cases {
        assert_eq!(with(change).unwrap_err(), said);
    }
    with(|settings| settings.grant = Grant::WebServer).unwrap();
}

#[test]
fn what_a_login_does_not_use_is_refused_by_name() {
    type Change = fn(&mut SalesforceSettings);
    let changes: [(&str, Change); 8] = [
        ("client_secret", |of| of.client_secret = Some("x".into())),
        ("refresh_token", |of| of.refresh_token = Some("x".into())),
        ("username", |of| of.username = Some("x".to_owned())),
        ("password", |of| of.password = Some("x".into())),
        ("security_token", |of| of.security_token = Some("x".into())),
        ("private_key", |of| of.private_key = Some("x".into())),
        ("audience", |of| of.audience = Some("x".to_owned())),
        ("redirect_uri", |of| of.redirect_uri = "http://localhost:1/x".to_owned()),
    ];
    let used = |grant| match grant {
        Grant::ClientCredentials => &["client_secret"][..],
        Grant::JwtBearer => &["username", "private_key", "audience"],
        Grant::Password => &["client_secret", "username", "password", "security_token"],
        Grant::WebServer | Grant::RefreshToken => {
            &["client_secret", "refresh_token", "redirect_uri"]
        }
    };
    for grant in [
        Grant::ClientCredentials,
        Grant::JwtBearer,
        Grant::Password,
        Grant::WebServer,
        Grant::RefreshToken,
    ] {
        for (key, change) in &changes {
            let mut settings = SalesforceSettings::new("https://acme.my.salesforce.com", "k");
            settings.grant = grant;
            change(&mut settings);
            let said = settings.validate().err().map(|error| (error.context, error.advice));
            let refused = format!("grant {} does not use {key}", grant.word());
            let is_refused = said.as_ref().is_some_and(|(context, _)| *context == refused);
            assert_eq!(is_refused, !used(grant).contains(key), "{grant:?} {key}: {said:?}");
        }
    }
    let mut settings = SalesforceSettings::new("https://acme.my.salesforce.com", "k");
    settings.grant = Grant::JwtBearer;
    settings.password = Some("hush".into());
    let error = settings.validate().unwrap_err();
    let advice = error.advice.as_deref();
    assert_eq!(advice, Some("remove password, or set grant to `password`"));
}

#[test]
fn the_audience_follows_the_kind_of_org() {
    for (url, audience) in [
        ("https://login.salesforce.com", "https://login.salesforce.com"),
        ("https://acme.my.salesforce.com", "https://login.salesforce.com"),
        ("https://test.salesforce.com", "https://test.salesforce.com"),
        ("https://acme--uat.sandbox.my.salesforce.com", "https://test.salesforce.com"),
    ] {
        assert_eq!(SalesforceSettings::new(url, "k").audience(), audience);
    }
}
