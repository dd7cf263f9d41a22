//! What kind of call a request is, by its method and path, for the request log and the faults.

use serde_json::Value;

use super::http::Http;

/// The name of the kind. Names are stable: tests count by them.
pub(crate) fn kind(http: &Http) -> &'static str {
    let path = http.path.trim_end_matches('/');
    if let Some(rest) = path.strip_prefix("/services/oauth2/") {
        return match rest {
            "token" => "token",
            "authorize" => "authorize",
            "revoke" => "revoke",
            "introspect" => "introspect",
            _ => "userinfo",
        };
    }
    if path.starts_with("/services/Soap/") {
        return "soap";
    }
    if path.starts_with("/id/") {
        return "identity";
    }
    if path == "/services/data" {
        return "versions";
    }
    let Some(rest) = path.strip_prefix("/services/data/") else {
        return "other";
    };
    let segments: Vec<&str> = rest.split('/').skip(1).collect();
    let method =
        if http.raw_query.contains("_HTTP_METHOD=PATCH") { "PATCH" } else { http.method.as_str() };
    match (method, segments.as_slice()) {
        (_, []) => "resources",
        (_, ["limits"]) => "limits",
        (_, ["limits", ..]) => "record_count",
        (_, ["query"]) => "query",
        (_, ["queryAll"]) => "query_all",
        (_, ["query" | "queryAll", _]) => "query_more",
        (_, ["sobjects"]) => "describe_global",
        ("GET" | "HEAD", ["sobjects", _]) => "basic_information",
        ("POST", ["sobjects", _] | ["sobjects", _, "Id"]) => "create",
        (_, ["sobjects", _, "describe"]) => "describe",
        (_, ["sobjects", _, "updated"]) => "updated",
        (_, ["sobjects", _, "deleted"]) => "deleted",
        ("GET" | "HEAD", ["sobjects", ..]) => "get",
        ("PATCH", ["sobjects", _, _]) => "update",
        ("PATCH", ["sobjects", ..]) => "upsert",
        ("DELETE", ["sobjects", ..]) => "delete",
        (_, ["composite"]) => "composite",
        (_, ["composite", "batch"]) => "batch",
        (_, ["composite", "graph"]) => "graph",
        (_, ["composite", "tree", ..]) => "tree",
        ("POST", ["composite", "sobjects"]) => "collections_create",
        ("PATCH", ["composite", "sobjects"]) => "collections_update",
        ("DELETE", ["composite", "sobjects"]) => "collections_delete",
        ("PATCH", ["composite", "sobjects", ..]) => "collections_upsert",
        ("GET" | "POST", ["composite", "sobjects", ..]) => "collections_retrieve",
        ("POST", ["jobs", "ingest"]) => "bulk_create",
        ("PUT", ["jobs", "ingest", ..]) => "bulk_upload",
        ("PATCH", ["jobs", "ingest", _]) => "bulk_close",
        ("POST", ["jobs", "query"]) => "bulk_query",
        ("GET", ["jobs", "query", _, "results"]) => "bulk_query_results",
        ("GET", ["jobs", "ingest", _, _]) => "bulk_results",
        (_, ["jobs", ..]) => "bulk_info",
        _ => "other",
    }
}

/// Does the kind write records.
pub(crate) fn writes(kind: &str) -> bool {
    matches!(
        kind,
        "create"
            | "update"
            | "upsert"
            | "delete"
            | "composite"
            | "batch"
            | "graph"
            | "tree"
            | "collections_create"
            | "collections_update"
            | "collections_delete"
            | "collections_upsert"
            | "bulk_close"
            | "soap"
    )
}

/// How many records a write names, from its body or its `ids`; none of a call that only reads.
pub(crate) fn records(kind: &str, http: &Http) -> u64 {
    if !writes(kind) || matches!(kind, "soap" | "bulk_close") {
        return 0;
    }
    let many = match kind {
        "collections_delete" => http.raw_query.split("ids=").nth(1).map(|rest| {
            let ids = rest.split('&').next().unwrap_or_default();
            ids.replace("%2C", ",").replace("%2c", ",").split(',').count()
        }),
        "composite" => parsed(http).map(|body| parts(&body, "compositeRequest")),
        "batch" => parsed(http).map(|body| parts(&body, "batchRequests")),
        "graph" => parsed(http).map(|body| {
            let graphs = body.get("graphs").and_then(Value::as_array).into_iter().flatten();
            graphs.map(|graph| parts(graph, "compositeRequest")).sum()
        }),
        "tree" | "collections_create" | "collections_update" | "collections_upsert" => {
            listed(http, "records")
        }
        _ => None,
    };
    many.map_or(1, |count| count as u64)
}

fn parsed(http: &Http) -> Option<Value> {
    serde_json::from_slice(&http.body).ok()
}

/// The parts that write.
fn parts(body: &Value, member: &str) -> usize {
    let parts = body.get(member).and_then(Value::as_array).into_iter().flatten();
    let method = |part: &Value| part.get("method").and_then(Value::as_str).map(str::to_owned);
    parts.filter(|part| method(part).is_none_or(|it| !it.eq_ignore_ascii_case("GET"))).count()
}

fn listed(http: &Http, member: &str) -> Option<usize> {
    Some(parsed(http)?.get(member)?.as_array()?.len())
}
