//! Versions, resource list, global describe and basic information.

use super::call::{Call, Caller, VERSION_MAX, VERSION_MIN};
use super::describe;
use super::http::Reply;
use crate::json::{Json, object};
use crate::org::clock::http_date;
use crate::org::state::State;
use crate::schema::ObjectDef;

/// `GET /services/data`, ascending, no authentication.
pub(crate) fn versions() -> Reply {
    let all = (VERSION_MIN..=VERSION_MAX).map(|number| {
        object! {
            "label" => label(number),
            "url" => format!("/services/data/v{number}.0"),
            "version" => format!("{number}.0"),
        }
    });
    Reply::json(200, Json::List(all.collect()))
}

/// Three releases a year; version 67 is Summer '26.
fn label(number: u16) -> String {
    let back = VERSION_MAX.saturating_sub(number);
    let season = match back % 3 {
        0 => "Summer",
        1 => "Spring",
        _ => "Winter",
    };
    format!("{season} '{:02}", 26_u16.saturating_sub(back / 3))
}

/// `GET /services/data/vNN.0/`.
pub(crate) fn resources(state: &State, caller: &Caller, call: &Call) -> Reply {
    let base = state.settings.instance_url.as_deref().unwrap_or(&caller.base_url);
    Reply::json(
        200,
        object! {
            "sobjects" => call.path("sobjects"),
            "query" => call.path("query"),
            "queryAll" => call.path("queryAll"),
            "composite" => call.path("composite"),
            "limits" => call.path("limits"),
            "jobs" => call.path("jobs"),
            "identity" => format!("{base}/id/{}/{}", state.org_id, caller.user),
        },
    )
}

/// `GET …/composite`.
pub(crate) fn composite(call: &Call) -> Reply {
    Reply::json(
        200,
        object! {
            "tree" => call.path("composite/tree"),
            "batch" => call.path("composite/batch"),
            "sobjects" => call.path("composite/sobjects"),
            "graph" => call.path("composite/graph"),
        },
    )
}

/// `GET …/sobjects`.
pub(crate) fn global(state: &State, call: &Call) -> Reply {
    let changed = state.tables.iter().map(|table| table.object.changed_at).max().unwrap_or(0);
    if describe::not_modified(call, changed) {
        return Reply::empty(304);
    }
    let items: Vec<Json> = state.tables.iter().map(|table| item(&table.object, call)).collect();
    Reply::json(
        200,
        object! { "encoding" => "UTF-8", "maxBatchSize" => 200_i64, "sobjects" => items },
    )
    .with_header("Last-Modified", http_date(changed))
}

/// `GET …/sobjects/X`.
pub(crate) fn basic(state: &State, call: &Call, table: usize) -> Reply {
    let Some(table) = state.table(table) else {
        return Reply::not_found();
    };
    let recent: Vec<Json> = Vec::new();
    Reply::json(
        200,
        object! { "objectDescribe" => item(&table.object, call), "recentItems" => recent },
    )
}

/// The members of a global item (recorded), which a describe begins with too.
pub(crate) fn item(object: &ObjectDef, call: &Call) -> Json {
    let name = &object.name;
    let url = |rest: &str| call.path(&format!("sobjects/{name}{rest}"));
    object! {
        "activateable" => false,
        "createable" => object.createable,
        "custom" => object.custom,
        "customSetting" => false,
        "deletable" => object.deletable,
        "deprecatedAndHidden" => false,
        "feedEnabled" => false,
        "hasSubtypes" => false,
        "isInterface" => false,
        "isSubtype" => false,
        "keyPrefix" => object.prefix.clone(),
        "label" => object.label.clone(),
        "labelPlural" => object.label_plural.clone(),
        "layoutable" => true,
        "mergeable" => object.mergeable,
        "mruEnabled" => true,
        "name" => name.clone(),
        "queryable" => true,
        "replicateable" => object.replicateable,
        "retrieveable" => true,
        "searchable" => true,
        "triggerable" => true,
        "undeletable" => object.undeletable,
        "updateable" => object.updateable,
        "urls" => object! {
            "rowTemplate" => url("/{ID}"),
            "describe" => url("/describe"),
            "sobject" => url(""),
        },
    }
}
