//! Tables in files of their own: two columns under a header, separated by commas.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use syncline_core::mapping::language::{
    Diagnostic, Diagnostics, Located, Source, Span, TableFiles, TableRows,
};

/// The most rows of a table. What has more belongs into a system of its own.
const ROWS_MAX: usize = 100_000;

/// Reads the files that mappings name, each once.
#[derive(Debug, Default)]
pub(super) struct TableReader {
    read: BTreeMap<PathBuf, Option<Arc<TableRows>>>,
}

impl TableReader {
    /// The tables that a mapping in this file names. What is wrong with one is noted, once for
    /// all mappings that name it.
    pub fn read(
        &mut self,
        mapping: &Path,
        source: &Arc<Source>,
        named: &[Located<Arc<str>>],
        found: &mut Diagnostics,
    ) -> TableFiles {
        let mut known = BTreeMap::new();
        for name in named {
            let path = mapping.parent().unwrap_or(Path::new("")).join(&*name.value);
            let rows = match self.read.get(&path) {
                Some(rows) => rows.clone(),
                None => {
                    let rows =
                        read(&path, source, name.span).map_err(|errors| found.extend(errors));
                    let rows = rows.ok().map(Arc::new);
                    self.read.insert(path, rows.clone());
                    rows
                }
            };
            known.extend(rows.map(|rows| (Arc::clone(&name.value), rows)));
        }
        TableFiles(known)
    }
}

fn read(path: &Path, named_in: &Arc<Source>, at: Span) -> Result<TableRows, Diagnostics> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| {
        Diagnostic::error(format!("the table {shown} cannot be read: {error}"))
            .at(named_in, at)
            .help("the path is relative to the mapping's folder")
    })?;
    rows(&Source::from_bytes(&shown, &bytes)?)
}

/// The rows of a file.
fn rows(source: &Arc<Source>) -> Result<TableRows, Diagnostics> {
    let mut found = Diagnostics::new();
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source.text().as_bytes());
    let header = reader.headers().map(csv::StringRecord::len);
    if header.as_ref().ok() != Some(&2) {
        found.push(
            Diagnostic::error("a table has two columns under a header")
                .at(source, Span::new(0, source.text().lines().next().map_or(0, str::len)))
                .help("write as the first line, for example: code,country"),
        );
        return Err(found);
    }
    let mut rows = TableRows::new();
    let mut places: BTreeMap<Arc<str>, Span> = BTreeMap::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let start = error.position().map_or(0, csv::Position::byte);
                let start = usize::try_from(start).unwrap_or(0);
                let wrong = Diagnostic::error(format!("the row cannot be read: {error}"));
                found.push(wrong.at(source, Span::new(start, start)));
                break;
            }
        };
        let span = place(source, &record);
        let (Some(key), Some(value), 2) = (record.get(0), record.get(1), record.len()) else {
            let wrong = format!("this row has {} columns, not two", record.len());
            let wrong = Diagnostic::error(wrong).at(source, span);
            found.push(wrong.help("put a value that holds a comma in double quotes"));
            continue;
        };
        if key.trim().is_empty() {
            let wrong = Diagnostic::error("this row has no key").at(source, span);
            found.push(wrong.help("fill its first column, or remove the row"));
            continue;
        }
        let key: Arc<str> = key.into();
        if let Some(first) = places.get(&key) {
            let wrong = Diagnostic::error(format!("the key `{key}` is there twice"));
            let wrong = wrong.at(source, span).also(source, *first, "the first one");
            found.push(wrong.help("keep one of the rows"));
            continue;
        }
        places.insert(Arc::clone(&key), span);
        rows.push((key, value.into()));
        if rows.len() > ROWS_MAX {
            let wrong = format!("the table has more than {ROWS_MAX} rows");
            let wrong = Diagnostic::error(wrong).at(source, span);
            found.push(wrong.help("keep what is that large in a system, as records of its own"));
            break;
        }
    }
    if rows.is_empty() && !found.has_errors() {
        let wrong = Diagnostic::error("the table has no rows").at(source, Span::new(0, 0));
        found.push(wrong.help("fill it, or remove it from `tables`"));
    }
    if found.has_errors() { Err(found) } else { Ok(rows) }
}

/// The line of a row.
fn place(source: &Source, record: &csv::StringRecord) -> Span {
    let start = record.position().map_or(0, csv::Position::byte);
    let start = usize::try_from(start).unwrap_or(0).min(source.text().len());
    let line = source.text().get(start..).and_then(|rest| rest.lines().next());
    Span::new(start, start + line.map_or(0, str::len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let found = rows(&Source::new("c.csv", text)).unwrap_err();
        let line = |one: &Diagnostic| {
            let place = one.place.as_ref().unwrap();
            format!("{}: {}", place.source.position(place.span.start).0, one.message)
        };
        found.iter().map(line).collect()
    }

    #[test]
    fn rows_are_read_in_their_order() {
        let text = "code,country\nFR,France\n\"D,E\",\"Ger\"\"many\"\n";
        let found = rows(&Source::new("c.csv", text)).unwrap();
        let found: Vec<(&str, &str)> =
            found.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(found, [("FR", "France"), ("D,E", "Ger\"many")]);
    }

    #[test]
    fn mistakes_are_told_with_their_lines() {
        assert_eq!(told("code\n"), ["1: a table has two columns under a header"]);
        assert_eq!(told("a,b\n"), ["1: the table has no rows"]);
        assert_eq!(
            told("a,b\nDE,Germany\nFR\n,x\nDE,Deutschland\nIT,Italy,x\n"),
            [
                "3: this row has 1 columns, not two",
                "4: this row has no key",
                "5: the key `DE` is there twice",
                "6: this row has 3 columns, not two",
            ]
        );
    }
}
