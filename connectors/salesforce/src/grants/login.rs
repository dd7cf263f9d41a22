//! Who logs in, and by what.

use syncline_sdk::{Grant, Maker, Step, Tool};

use crate::settings::{Grant as Flow, SalesforceSettings};

fn clicks(title: &str, lines: &[&str]) -> Step {
    Step::new(Tool::Clicks, title, lines.join("\n"))
}

pub(super) fn integration_user() -> Grant {
    Grant {
        piece: "integration user".to_owned(),
        required: true,
        made_by: Maker::Administrator,
        rights: "API access and the permission set below, no more: no login to the user interface"
            .to_owned(),
        buys: "what Syncline writes carries a name of its own, so that people's edits are told \
               from it"
            .to_owned(),
        without: "nothing runs. With a person's user in its place, that person's own edits pass \
                  for Syncline's where two sides are in a tie"
            .to_owned(),
        class_without: None,
        steps: vec![clicks(
            "in Setup",
            &[
                "Users > Users > New User",
                "User License: Salesforce Integration (or Salesforce, where none is left)",
                "Profile: Minimum Access - API Only Integrations (or Salesforce API Only System \
                 Integrations)",
                "Save, then Permission Set License Assignments > Edit Assignments",
                "enable Salesforce API Integration, and Save",
            ],
        )],
    }
}

/// The app that lets the user in, by the flow of the settings.
pub(super) fn external_client_app(settings: &SalesforceSettings) -> Grant {
    let scopes = match settings.grant {
        Flow::WebServer | Flow::RefreshToken => {
            "Manage user data via APIs (api), Perform requests at any time (refresh_token)"
        }
        Flow::ClientCredentials | Flow::JwtBearer | Flow::Password => {
            "Manage user data via APIs (api)"
        }
    };
    let scope_line = format!("OAuth Settings > Selected OAuth Scopes: {scopes}");
    let callback = format!("Callback URL: {}", settings.redirect_uri);
    let mut lines = vec![
        "App Manager > New External Client App (connected apps cannot be made any more)",
        "API (Enable OAuth Settings): Enable OAuth",
        &callback,
        &scope_line,
    ];
    lines.extend(match settings.grant {
        Flow::ClientCredentials => vec![
            "Flow Enablement: Enable Client Credentials Flow",
            "after Create: Policies > Edit > OAuth Policies > Enable Client Credentials Flow",
            "Run As (Username): the integration user",
        ],
        Flow::JwtBearer => vec![
            "Flow Enablement: Enable JWT Bearer Flow, and upload the certificate of private_key",
            "after Create: Policies > Edit > Permitted Users: Admin approved users are \
             pre-authorized",
            "Select Permission Sets: Syncline",
        ],
        Flow::WebServer => vec![
            "Security: Require Proof Key for Code Exchange (PKCE)",
            "Security: Enable Refresh Token Rotation (Syncline keeps each new token)",
            "after Create: Policies > Edit > Refresh Token Policy: valid until revoked",
        ],
        Flow::RefreshToken => {
            vec!["after Create: Policies > Edit > Refresh Token Policy: valid until revoked"]
        }
        Flow::Password => vec![
            "OAuth and OpenID Connect Settings (in Setup): Allow OAuth Username-Password Flows",
            "it is off in newer orgs for a reason: client credentials or a certificate are better",
        ],
    });
    lines.push("Settings > OAuth Settings > Consumer Key and Secret: client_id, client_secret");
    let mut steps = vec![
        clicks("in Setup", &lines),
        Step::new(Tool::Settings, "under this system", login_settings(settings)),
    ];
    if settings.grant == Flow::WebServer {
        let text = "syncline login, with the name of this system";
        steps.push(Step::new(Tool::Clicks, "then once, where Syncline runs", text));
    }
    Grant {
        piece: "external client app".to_owned(),
        required: true,
        made_by: Maker::Administrator,
        rights: format!("the scopes {scopes}"),
        buys: "Syncline logs in without a person, and can be shut out by revoking one app"
            .to_owned(),
        without: "nothing runs: Salesforce takes no login".to_owned(),
        class_without: None,
        steps,
    }
}

fn login_settings(settings: &SalesforceSettings) -> String {
    let lines: &[&str] = match settings.grant {
        Flow::ClientCredentials => &["client_secret: ${CRM_CLIENT_SECRET}"],
        Flow::JwtBearer => {
            &["grant: jwt_bearer", "username: integration@example.com", "private_key: file:crm.key"]
        }
        Flow::WebServer => &["grant: web_server", "client_secret: ${CRM_CLIENT_SECRET}"],
        Flow::RefreshToken => &["grant: refresh_token", "refresh_token: ${CRM_REFRESH_TOKEN}"],
        Flow::Password => &[
            "grant: password",
            "username: integration@example.com",
            "password: ${CRM_PASSWORD}",
            "security_token: ${CRM_SECURITY_TOKEN}",
            "client_secret: ${CRM_CLIENT_SECRET}",
        ],
    };
    let mut text = "client_id: ${CRM_CLIENT_ID}".to_owned();
    for line in lines {
        text.push('\n');
        text.push_str(line);
    }
    text
}
