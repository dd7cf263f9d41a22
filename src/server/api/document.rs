//! The routes, and the document that is made of them.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router, routing};
use utoipa::Modify;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{Book, conflict, journal, link, mapping, observed, parked, report, run, system};
use crate::origin::TrustedProxies;
use crate::problem::Problem;

/// What the routes share.
#[derive(Clone)]
pub(crate) struct Api {
    pub(super) book: Arc<dyn Book>,
    pub(super) proxies: TrustedProxies,
}

impl Api {
    pub(crate) fn new(book: Arc<dyn Book>, proxies: TrustedProxies) -> Self {
        Self { book, proxies }
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Syncline",
        description = "How two systems stand that are kept in agreement, and the decisions that \
                       only people can make. Lists go on behind `next`, given as `after`. Errors \
                       are problems (RFC 9457).",
        license(name = "MIT OR Apache-2.0"),
    ),
    components(schemas(Problem)),
    modifiers(&Token),
    tags(
        (name = "status", description = "How everything stands."),
        (name = "systems", description = "The systems."),
        (name = "mappings", description = "The mappings."),
        (name = "links", description = "Pairs of records."),
        (name = "journal", description = "What was observed, decided and written."),
        (name = "observed", description = "What would have been written, and what became of it."),
        (name = "conflicts", description = "What waits for a person."),
        (name = "parked", description = "What waits for a mended set-up."),
        (name = "reports", description = "What was done in a period."),
        (name = "runs", description = "What happens at set times."),
    ),
)]
struct Document;

/// Callers have tokens.
struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("`syncline tokens create` makes one."))
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

fn described() -> (Router<Api>, utoipa::openapi::OpenApi) {
    let v1 = OpenApiRouter::new()
        .routes(routes!(system::status))
        .routes(routes!(system::list))
        .routes(routes!(mapping::list))
        .routes(routes!(link::list))
        .routes(routes!(link::show))
        .routes(routes!(link::journal))
        .routes(routes!(journal::list))
        .routes(routes!(observed::list))
        .routes(routes!(conflict::list))
        .routes(routes!(conflict::show))
        .routes(routes!(conflict::answer))
        .routes(routes!(parked::list))
        .routes(routes!(parked::replay))
        .routes(routes!(report::list))
        .routes(routes!(report::current))
        .routes(routes!(run::list));
    let whole = OpenApiRouter::with_openapi(Document::openapi()).nest("/api/v1", v1);
    whole.split_for_parts()
}

/// The routes of the API, its document and the viewer of that. The viewer comes out of the
/// binary and asks nobody else.
pub(crate) fn router(api: Api) -> Router {
    let (routes, document) = described();
    let document = Arc::new(document);
    let shown = routing::get(move || async move { Json((*document).clone()) });
    let config = Config::from("/api/openapi.json").try_it_out_enabled(true);
    let viewer: Router = SwaggerUi::new("/api/docs").config(config).into();
    routes
        .with_state(api)
        .layer(from_fn(to_its_end))
        .route("/api/openapi.json", shown)
        .route("/api/{*rest}", routing::any(unknown))
        .merge(viewer)
        .method_not_allowed_fallback(wrong_method)
}

/// In a task of its own: what a request changes, and the record of that, come to their end when the
/// client goes away or has waited long enough.
async fn to_its_end(request: Request, next: Next) -> Response {
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends.
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
    }
}

async fn unknown() -> Problem {
    let detail = "/api/openapi.json describes what there is, /api/docs/ shows it";
    Problem::new(StatusCode::NOT_FOUND, "There is no such address").detail(detail)
}

async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "The address does not take this method")
}

/// The statuses that the document has for an address that was asked for; nothing where it has no
/// such address.
#[cfg(test)]
pub(crate) fn documented(method: &str, address: &str) -> Option<Vec<String>> {
    let document = serde_json::to_value(described().1).ok()?;
    let address = address.split('?').next().unwrap_or_default();
    let is = |path: &str| {
        let (path, address) = (path.split('/'), address.split('/'));
        path.clone().count() == address.clone().count()
            && path.zip(address).all(|(one, other)| one.starts_with('{') || one == other)
    };
    // A name of its own goes before a place for any.
    let mut paths: Vec<&String> = document["paths"].as_object()?.keys().collect();
    paths.sort_by_key(|path| path.contains('{'));
    let path = paths.into_iter().find(|path| is(path))?;
    let responses = &document["paths"][path][method.to_lowercase()]["responses"];
    Some(responses.as_object()?.keys().cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::described;

    #[test]
    fn the_document_names_every_route_and_what_it_needs() {
        let (_, document) = described();
        let document = serde_json::to_value(&document).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{document}");
        let paths = document["paths"].as_object().unwrap();
        assert_eq!(paths.len(), 16, "{:?}", paths.keys());
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().unwrap() {
                let scope = if method == "get" { "read" } else { "write" };
                assert_eq!(operation["security"][0]["token"][0], scope, "{path}");
                let responses = operation["responses"].as_object().unwrap();
                for status in ["200", "400", "401", "403", "500", "503", "504", "default"] {
                    assert!(responses.contains_key(status), "{path} {status}");
                }
                assert_eq!(responses.contains_key("404"), path.contains('{'), "{path}");
                for (status, response) in responses.iter().filter(|(status, _)| *status != "200") {
                    let content = response["content"].as_object().unwrap();
                    let kinds: Vec<&String> = content.keys().collect();
                    assert_eq!(kinds, ["application/problem+json"], "{path} {status}");
                }
                assert!(operation["summary"].is_string(), "{path}");
            }
        }
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for name in ["Conflict", "Link", "JournalEntry", "Problem", "Answer", "Status", "Run"] {
            assert!(schemas.contains_key(name), "{name}: {:?}", schemas.keys());
        }
    }
}
