//! The proposal as a mapping file, with what it was made from beside each line.

use std::fmt::Write as _;

use syncline_core::mapping::MappingId;
use syncline_core::mapping::language::{
    Diagnostics, MappingFile, Severity, Source, bind, check_offline,
};
use syncline_core::{Side, Sides};
use syncline_sdk::{Capabilities, EntitySchema, FieldName, FieldSchema, Selection, SystemName};

use super::likeness::{Sort, is_key_name, sort};
use super::proposal::{Pair, Proposal};
use super::sample::{Column, Sample};
use crate::cli::words::{plain, short, value};

/// The most characters of an example.
const EXAMPLE_CHARS_MAX: usize = 32;
/// How wide the lists of comments are.
const WIDTH: usize = 98;
/// How often a draft is mended before it is shown as it is.
const MENDED_MAX: usize = 8;

/// One side of a draft.
pub(super) struct End<'a> {
    pub system: &'a SystemName,
    pub sample: &'a Sample,
}

impl End<'_> {
    fn field(&self, column: usize) -> &FieldSchema {
        &self.sample.schema.fields[self.sample.columns[column].field]
    }
    fn column(&self, column: usize) -> &Column {
        &self.sample.columns[column]
    }
    /// The field that is there for the link id, and the one for the marker, by their names.
    fn own(&self, words: [&str; 2]) -> Option<&FieldSchema> {
        self.sample.schema.fields.iter().find(|field| {
            let name = field.name.as_str().to_lowercase();
            words.iter().all(|word| name.contains(word))
        })
    }
    /// The selection that a mapping of these fields would read.
    pub fn selection(&self) -> Selection {
        Selection {
            entity: self.sample.schema.entity.clone(),
            fields: self.sample.schema.fields.iter().map(|field| field.name.clone()).collect(),
            external_id: self.own(["syncline", "id"]).map(|field| field.name.clone()),
            marker: self.own(["syncline", "marker"]).map(|field| field.name.clone()),
            actor: None,
            filter: None,
        }
    }
}

/// Writes the proposal: with a value of a record beside each pair where `examples` are asked for,
/// which have no place in a file that goes into version control.
pub(super) fn write(
    name: &str,
    ends: &Sides<End<'_>>,
    proposal: &Proposal,
    examples: bool,
) -> String {
    let mut text = String::new();
    let records = |side: Side| ends[side].sample.records;
    let _ = write!(
        text,
        "# Proposed by `syncline init` from {} records on the left and {} on the right, {} of\n\
         # them matched. Read each line, then try `syncline check --live` and `syncline plan`.\n\
         mapping: {}\n",
        records(Side::Left),
        records(Side::Right),
        proposal.matched,
        word(name),
    );
    for side in Side::BOTH {
        let end = &ends[side];
        let mut line = format!(
            "{}:{} {{ system: {}, entity: {}",
            side,
            if side == Side::Left { " " } else { "" },
            word(end.system.as_str()),
            word(end.sample.schema.entity.as_str())
        );
        let selection = end.selection();
        for (key, field) in [("external_id", selection.external_id), ("marker", selection.marker)] {
            if let Some(field) = field {
                let _ = write!(line, ", {key}: {}", word(field.as_str()));
            }
        }
        let _ = writeln!(text, "{line} }}");
    }
    keys(&mut text, ends, proposal);
    text.push_str(
        "initial: review      # pairs that differ at first: review, left, right, newest or fill\n",
    );
    text.push_str("fields:\n");
    for pair in &proposal.pairs {
        let _ = writeln!(text, "{}", field_line(ends, pair, examples));
    }
    if proposal.pairs.is_empty() {
        text.push_str("  # no two fields look alike: write pairs as { left: Name, right: name }\n");
    }
    let create = match Side::BOTH.into_iter().find(|side| records(*side) == 0) {
        _ if !proposal.keys.is_empty() => "both        # both, left, right or none".to_owned(),
        // Records that are there and cannot be seen would be made a second time.
        Some(side) => format!(
            "none        # no records are seen on the {side}: `both` makes them there, once it is\n\
             \u{20}                   # sure that none are there; add a match rule before some come"
        ),
        None => {
            "none        # without a match rule `both` would make every record again".to_owned()
        }
    };
    let _ = write!(
        text,
        "create: {create}\n\
         delete: review      # propagate, review or keep; also {{ left: ..., right: ... }}\n\
         conflict: review    # what both sides changed waits for a person\n"
    );
    rest(&mut text, ends, proposal);
    text
}

/// Fields whose names say that they tell records apart, for where no value does.
fn named_keys<'a>(ends: &'a Sides<End<'_>>, proposal: &Proposal) -> Option<[&'a FieldSchema; 2]> {
    let fields = proposal
        .pairs
        .iter()
        .map(|pair| [ends.left.field(pair.columns.left), ends.right.field(pair.columns.right)]);
    fields.into_iter().find(|both| both.iter().all(|field| is_key_name(field.name.as_str())))
}

fn keys(text: &mut String, ends: &Sides<End<'_>>, proposal: &Proposal) {
    let keys = &proposal.keys;
    if keys.is_empty() {
        text.push_str(
            "# No field holds the same values on both sides, each once: say how records find each\n\
             # other, or nothing is matched and every record counts as new.\n",
        );
        let (left, right, why) = match named_keys(ends, proposal) {
            Some([left, right]) => {
                (left.name.as_str(), right.name.as_str(), "alike by name; no value confirms it")
            }
            None => ("FIELD", "column", "the form of it: no two fields are named like keys"),
        };
        let _ = writeln!(
            text,
            "# match:\n#   - {{ left: {}, right: {}, normalize: [trim, lowercase] }}   # {why}",
            word(left),
            word(right)
        );
        return;
    }
    text.push_str("match:\n");
    for (at, key) in keys.iter().enumerate() {
        // One is enough to begin with: each further rule is a further way to be wrong.
        let dash = if at == 0 { "-" } else { "# -" };
        let (left, right) =
            (ends.left.field(key.columns.left), ends.right.field(key.columns.right));
        let as_text = sort(&left.kind) == Sort::Text;
        let normalize = if as_text { ", normalize: [trim, lowercase]" } else { "" };
        let _ = writeln!(
            text,
            "  {dash} {{ left: {}, right: {}{normalize} }}   # {} of {} values on both sides",
            word(left.name.as_str()),
            word(right.name.as_str()),
            key.shared.0,
            key.shared.1,
        );
    }
}

fn field_line(ends: &Sides<End<'_>>, pair: &Pair, examples: bool) -> String {
    let (left, right) = (ends.left.field(pair.columns.left), ends.right.field(pair.columns.right));
    let mut line =
        format!("  - {{ left: {}, right: {}", word(left.name.as_str()), word(right.name.as_str()));
    let mut notes = vec![format!("{} <-> {}", left.native, right.native)];
    match (left.updatable, right.updatable) {
        (false, _) => {
            line.push_str(", direction: to_right");
            notes.push("read only on the left".to_owned());
        }
        (_, false) => {
            line.push_str(", direction: to_left");
            notes.push("read only on the right".to_owned());
        }
        _ => {}
    }
    if !pair.values.is_empty() {
        let values = pair.values.iter().map(|(a, b)| format!("{}: {}", word(a), word(b)));
        let _ = write!(line, ", values: {{ {} }}", values.collect::<Vec<_>>().join(", "));
        notes.push("read off the matched records".to_owned());
    } else if pair.equal.1 > 0 {
        notes.push(format!("equal in {} of {}", pair.equal.0, pair.equal.1));
        if pair.cased > 0 {
            notes.push(format!(
                "of these {} but for case or blanks, which `normalize: [trim, lowercase]` takes \
                 away on both sides",
                pair.cased
            ));
        }
    }
    let filled = [ends.left.column(pair.columns.left), ends.right.column(pair.columns.right)];
    for (column, side) in filled.iter().zip(Side::BOTH) {
        if column.filled() == 0 {
            notes.push(format!("empty on the {side} so far"));
        }
    }
    let example = filled.iter().find_map(|column| {
        column.shown.iter().zip(&column.values).find(|(_, plain)| plain.is_some())
    });
    if let Some((shown, _)) = example.filter(|_| examples) {
        notes.push(short(&value(shown), EXAMPLE_CHARS_MAX));
    }
    format!("{line} }}   # {}", plain(&notes.join("; ")))
}

/// What has found no partner, so that nobody has to look it up.
fn rest(text: &mut String, ends: &Sides<End<'_>>, proposal: &Proposal) {
    for side in Side::BOTH {
        let end = &ends[side];
        let pairs = proposal.pairs.iter();
        let taken: Vec<&FieldName> =
            pairs.map(|pair| &end.field(pair.columns[side]).name).collect();
        let selection = end.selection();
        let ours = [selection.external_id, selection.marker];
        let fields = end.sample.schema.fields.iter();
        let free = fields.filter(|field| !taken.contains(&&field.name));
        let free = free.filter(|field| !ours.contains(&Some(field.name.clone())));
        let (writable, read): (Vec<_>, Vec<_>) = free.partition(|field| field.updatable);
        let (people, alone): (Vec<_>, Vec<_>) =
            writable.into_iter().partition(|field| sort(&field.kind) == Sort::Other);
        let other = side.other();
        for (why, fields) in [
            (&*format!("nothing like it on the {other}"), alone),
            ("references, documents, bytes and native types are yours to pair", people),
            ("only read there", read),
        ] {
            named(text, &format!("# not mapped on the {side}, {why}:"), &fields);
        }
    }
}

fn named(text: &mut String, head: &str, fields: &[&FieldSchema]) {
    if fields.is_empty() {
        return;
    }
    let mut line = head.to_owned();
    for name in fields.iter().map(|field| plain(field.name.as_str())) {
        if line.len() + name.len() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = "#  ".to_owned();
        }
        let _ = write!(line, " {name}");
    }
    let _ = writeln!(text, "{line}");
}

/// Takes out the fields that do not fit, each with the reason beside it, until the rest is a
/// mapping that `check --live` takes, or nothing more can be taken out.
pub(super) fn fitted(
    text: String,
    schemas: Sides<&EntitySchema>,
    capabilities: &Sides<Capabilities>,
) -> (String, Diagnostics) {
    let mut text = text;
    for _ in 0..MENDED_MAX {
        let found = findings(&text, schemas, capabilities);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut mended = false;
        for one in found.iter().filter(|one| one.severity == Severity::Error) {
            let Some(place) = &one.place else { continue };
            let line =
                text.get(..place.span.start).map_or(0, |before| before.matches('\n').count());
            if let Some(line) = lines.get_mut(line).filter(|line| line.starts_with("  - { left:")) {
                let why = one.message.replace('\n', " ");
                *line = format!("  #{}   # left out: {}", &line[1..], plain(&why));
                mended = true;
            }
        }
        if !mended {
            return (text, found);
        }
        text = lines.join("\n") + "\n";
    }
    let found = findings(&text, schemas, capabilities);
    (text, found)
}

fn findings(
    text: &str,
    schemas: Sides<&EntitySchema>,
    capabilities: &Sides<Capabilities>,
) -> Diagnostics {
    let source = Source::new("the proposed mapping", text);
    let spec = match MappingFile::parse(&source).and_then(|file| check_offline(&file)) {
        Ok(checked) => checked.value,
        Err(found) => return found,
    };
    let id = MappingId(1);
    let outline = spec.outline(id);
    match bind(&spec, id, 1, schemas, capabilities.clone(), &[outline]) {
        Ok(checked) => checked.warnings,
        Err(found) => found,
    }
}

/// A word of YAML, in quotes where it needs them.
fn word(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let named = ["true", "false", "null", "yes", "no", "on", "off"];
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if first && text.chars().all(bare) && !named.contains(&text.to_lowercase().as_str()) {
        return text.to_owned();
    }
    // JSON is YAML.
    serde_json::Value::from(text).to_string()
}
