//! The entities of a system.

use serde_json::{Map, json};
use syncline_sdk::{EntityOutline, SystemName};

use crate::cli::Output;
use crate::cli::words::{count, indented, plain, table};

/// Tells of the entities, those that can only be read where `all` asks for them.
pub(super) fn tell(output: &Output, system: &SystemName, known: Vec<EntityOutline>, all: bool) {
    let every = known.len();
    let shown: Vec<EntityOutline> = known.into_iter().filter(|one| all || one.writable).collect();
    let hidden = every - shown.len();
    output.line(&format!("system {system}: {}", counted(shown.len())));
    if !shown.is_empty() {
        // What no entity has is no column: a side may know neither labels nor numbers.
        let (named, counted) = (
            shown.iter().any(|one| one.label.is_some()),
            shown.iter().any(|one| one.records.is_some()),
        );
        let kept = [true, named, counted, true];
        let only = |cells: [String; 4]| -> Vec<String> {
            cells.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(cell, _)| cell).collect()
        };
        let header = only(["ENTITY", "NAME", "RECORDS", "MAY"].map(str::to_owned));
        let mut rows = table(&header.iter().map(String::as_str).collect::<Vec<_>>());
        for one in &shown {
            rows.add_row(only([
                plain(one.entity.as_str()),
                one.label.as_deref().map_or(String::new(), plain),
                one.records.map_or(String::new(), |records| format!("about {records}")),
                if one.writable { "read, write" } else { "read" }.to_owned(),
            ]));
        }
        output.line(&indented(&rows));
    }
    if hidden > 0 {
        output.line(&format!("{} can only be read: --all lists them too", counted(hidden)));
    }
    let told = shown.iter().map(|one| {
        json!({
            "entity": one.entity.as_str(),
            "name": one.label,
            "records": one.records,
            "writable": one.writable,
        })
    });
    let mut fields = Map::new();
    fields.insert("system".to_owned(), system.as_str().into());
    fields.insert("entities".to_owned(), told.collect());
    output.answer("describe", fields);
}

fn counted(entities: usize) -> String {
    match entities {
        1 => "1 entity".to_owned(),
        more => count(i64::try_from(more).unwrap_or(i64::MAX), "entitie"),
    }
}
