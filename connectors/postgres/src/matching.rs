//! Look-ups by link id and by the value of a field.

use std::borrow::Cow;

use sqlx::{AssertSqlSafe, PgConnection};
use syncline_sdk::{Error, ErrorKind, Fetched, LinkId, Normalizer, Precision, Result, Value};

use crate::catalog::Column;
use crate::codec::Kind;
use crate::error::from_sqlx;
use crate::layout::Layout;
use crate::names::literal;
use crate::read::{LOOKUP_MAX, STAMP, Stamp, unnest};

/// Looks records up by the link id in their external-id field.
pub(crate) async fn by_links(
    conn: &mut PgConnection,
    layout: &Layout,
    links: &[LinkId],
) -> Result<Fetched> {
    let Some(column) = layout.external_id.and_then(|at| layout.table.columns.get(at)) else {
        return Err(Error::new(
            ErrorKind::Config,
            "fetch",
            format!("{} has no external-id field in the mapping", layout.table.entity),
        ));
    };
    let texts: Vec<String> = links.iter().map(ToString::to_string).collect();
    let joined = if matches!(column.kind, Kind::Uuid) || column.exact_text {
        column.equals("t", "i.v0")
    } else {
        column.same("t", "i.v0")
    };
    by_texts(conn, layout, &texts, &joined).await
}

/// Looks records up by the value of a field, the stored value being normalised first.
pub(crate) async fn by_match(
    conn: &mut PgConnection,
    layout: &Layout,
    column: &Column,
    normalize: &[Normalizer],
    values: &[Value],
) -> Result<Fetched> {
    let operation = "fetch";
    let mut texts = Vec::with_capacity(values.len());
    for value in values {
        let text = crate::codec::encode(&column.kind, value).map_err(|why| {
            Error::new(ErrorKind::Invalid, operation, why).field(column.name.to_string())
        })?;
        // Null matches nothing: two records without a value are not thereby the same thing.
        texts.extend(text.map(Cow::into_owned));
    }
    let joined = if normalize.is_empty() {
        if column.kind.has_equality() {
            column.equals("t", "i.v0")
        } else {
            column.same("t", "i.v0")
        }
    } else {
        let stored = normalized(column, normalize, texts.iter().all(|text| text.is_ascii()))?;
        let folds = normalize.iter().any(|step| matches!(step, Normalizer::FoldCase(_)));
        match column.kind {
            Kind::Text { .. } | Kind::Char { .. } | Kind::Enum(_) if folds => {
                format!("{stored} = lower(i.v0)")
            }
            Kind::Text { .. } | Kind::Char { .. } | Kind::Enum(_) => format!("{stored} = i.v0"),
            _ => format!("{stored} = i.v0::{}", column.cast),
        }
    };
    by_texts(conn, layout, &texts, &joined).await
}

async fn by_texts(
    conn: &mut PgConnection,
    layout: &Layout,
    texts: &[String],
    joined: &str,
) -> Result<Fetched> {
    let operation = "fetch";
    let table = &layout.table;
    let failed = |error| from_sqlx(operation, table.entity.as_str(), error);
    let mut fetched = Fetched::default();
    let shown: Vec<String> = layout.key_texts("t").into_iter().chain(layout.texts("t")).collect();
    let key: Vec<String> =
        table.key_columns().map(|column| format!("t.{}", column.ident)).collect();
    for chunk in texts.chunks(LOOKUP_MAX) {
        // Several values may match one row under loose conditions: each row is given once.
        let sql = format!(
            "select distinct on ({}) {STAMP}, {} from {} join {} t on {joined}",
            key.join(", "),
            shown.join(", "),
            unnest("v", 1, 1, false),
            table.quoted,
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(chunk)
            .fetch_all(&mut *conn)
            .await
            .map_err(failed)?;
        if let Some(first) = rows.first() {
            let stamp = Stamp::read(first).map_err(failed)?;
            fetched.server_time = Some(stamp.time);
            for row in &rows {
                let record = layout.row(row, 2, stamp.version.clone()).map_err(failed)?;
                fetched.records.push(record);
            }
        }
    }
    // The same row may be found by values of two chunks.
    if texts.len() > LOOKUP_MAX {
        let mut seen = std::collections::HashSet::new();
        fetched.records.retain(|record| seen.insert(record.key.clone()));
    }
    Ok(fetched)
}

/// The stored value under normalisers. Gives at least what matches; the caller compares again.
fn normalized(column: &Column, steps: &[Normalizer], ascii: bool) -> Result<String> {
    let base = format!("t.{}", column.ident);
    let mut text = match column.kind {
        Kind::Text { .. } | Kind::Char { .. } | Kind::Enum(_) => format!("{base}::text"),
        _ => base,
    };
    for step in steps {
        text = match step {
            Normalizer::Trim => format!("btrim({text}, E' \\t\\n\\r\\f')"),
            Normalizer::EmptyToNull => format!("nullif({text}, '')"),
            Normalizer::NullToEmpty => format!("coalesce({text}, '')"),
            // The database's own rules may know only ASCII letters.
            Normalizer::Lowercase | Normalizer::FoldCase(_) if ascii => format!("lower({text})"),
            Normalizer::Lowercase | Normalizer::FoldCase(_) => {
                format!("lower({text} collate \"und-x-icu\")")
            }
            Normalizer::LineFeeds => {
                format!("replace(replace({text}, E'\\r\\n', E'\\n'), E'\\r', E'\\n')")
            }
            Normalizer::DigitsOnly => format!("regexp_replace({text}, '[^0-9]', '', 'g')"),
            Normalizer::NullToFalse => format!("coalesce({text}, false)"),
            Normalizer::Truncate(precision) => {
                let unit = match precision {
                    Precision::Second => "second",
                    Precision::Milli => "milliseconds",
                    Precision::Micro => "microseconds",
                };
                format!("date_trunc({}, {text})", literal(unit))
            }
            Normalizer::SignificantDigits(_) | Normalizer::SetOrder(_) => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "fetch",
                    "records cannot be looked up by a rounded number or a set",
                )
                .field(column.name.to_string()));
            }
        };
    }
    Ok(text)
}
