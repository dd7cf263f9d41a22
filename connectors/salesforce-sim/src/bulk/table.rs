//! CSV in and out.

use csv::{QuoteStyle, ReaderBuilder, Terminator, WriterBuilder};
use serde_json::{Map, Value as Raw};

use super::job::Head;

/// A table as it was sent: its header, and its rows.
pub(super) type Rows = (Vec<String>, Vec<Vec<String>>);

/// Reads what a client sent; the text says what is wrong with the whole of it.
pub(super) fn read(head: &Head, bytes: &[u8]) -> Result<Rows, String> {
    let mut reader = ReaderBuilder::new().delimiter(head.delimiter.1).from_reader(bytes);
    let headers = reader.headers().map_err(|error| error.to_string())?;
    let columns: Vec<String> = headers.iter().map(str::to_owned).collect();
    if columns.iter().all(String::is_empty) {
        return Err(String::from("InvalidBatch : Field name not found : the CSV has no header"));
    }
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| format!("InvalidBatch : {error}"))?;
        rows.push(row.iter().map(str::to_owned).collect());
    }
    Ok((columns, rows))
}

/// Writes a table, every value in quotes.
pub(super) fn write<'a>(
    head: &Head,
    columns: impl Iterator<Item = &'a str>,
    rows: impl Iterator<Item = Vec<String>>,
) -> String {
    let terminator =
        if head.line_ending == "CRLF" { Terminator::CRLF } else { Terminator::Any(b'\n') };
    let mut writer = WriterBuilder::new()
        .delimiter(head.delimiter.1)
        .quote_style(QuoteStyle::Always)
        .terminator(terminator)
        .from_writer(Vec::new());
    let written = writer.write_record(columns);
    let written = rows.fold(written, |done, row| done.and_then(|()| writer.write_record(&row)));
    if let Err(error) = written {
        tracing::error!(%error, "a table could not be written");
    }
    writer
        .into_inner()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// A row as the body of a save: an empty cell is left out, `#N/A` is null, and a header with a
/// dot names a parent by its external id (Bulk API 2.0 guide, relationship fields in a header
/// row).
pub(super) fn body(columns: &[String], row: &[String]) -> Map<String, Raw> {
    let mut body = Map::new();
    for (column, cell) in columns.iter().zip(row) {
        let value = match cell.as_str() {
            "" => continue,
            "#N/A" => Raw::Null,
            text => Raw::from(text),
        };
        match column.split_once('.') {
            Some((relation, field)) => {
                let mut key = Map::new();
                key.insert(field.to_owned(), value);
                body.insert(relation.to_owned(), Raw::Object(key));
            }
            None => {
                body.insert(column.clone(), value);
            }
        }
    }
    body
}
