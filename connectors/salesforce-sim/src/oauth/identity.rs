//! `GET /id/{org}/{user}`.

use crate::json::object;
use crate::org::ids::Id;
use crate::org::state::State;
use crate::rest::{Http, Reply};

/// The identity of the calling user, with URL templates (recorded reply).
pub(crate) fn identity(state: &State, http: &Http, user: Id) -> Reply {
    let base = state.settings.instance_url.clone().unwrap_or_else(|| http.base_url());
    let url = |path: &str| format!("{base}{path}");
    let username = state.username(user).unwrap_or_default();
    let shown = state.user_text(user, "Name");
    Reply::json(
        200,
        object! {
            "id" => format!("{base}/id/{}/{user}", state.org_id),
            "asserted_user" => true,
            "user_id" => user.to_string(),
            "organization_id" => state.org_id.to_string(),
            "username" => username.clone(),
            "nick_name" => username.split('@').next().unwrap_or_default().to_owned(),
            "display_name" => shown,
            "email" => state.user_text(user, "Email"),
            "email_verified" => true,
            "urls" => object! {
                "enterprise" => url("/services/Soap/c/{version}/"),
                "metadata" => url("/services/Soap/m/{version}/"),
                "partner" => url("/services/Soap/u/{version}/"),
                "rest" => url("/services/data/v{version}/"),
                "sobjects" => url("/services/data/v{version}/sobjects/"),
                "search" => url("/services/data/v{version}/search/"),
                "query" => url("/services/data/v{version}/query/"),
                "recent" => url("/services/data/v{version}/recent/"),
                "profile" => url(&format!("/{user}")),
            },
            "active" => state.user_is_active(user),
            "user_type" => "STANDARD",
            "language" => "en_US",
            "locale" => "en_US",
        },
    )
}
