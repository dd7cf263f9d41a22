//! The check of one file in itself.

use std::sync::Arc;

use syncline_sdk::{EntityName, FieldName, SystemName};

use super::reader::{Keyed, Keys, Reader};
use super::scalar_map::ScalarMap;
use super::tree::{self, Node};
use super::{
    Checked, Condition, Diagnostic, Diagnostics, GuardRule, Located, MappingSpec, MatchSpec,
    SideSpec, Source, Span, TableFiles, cases, computed, condition_parser, mode, objective, pairs,
    policies, sensitive, units,
};
use crate::mapping::{DeleteRule, Initial, LeaveRule, Policy};
use crate::{Side, Sides};

pub(super) const MAPPING: Keys<'_> = Keys {
    of: "a mapping",
    known: &[
        "mapping",
        "left",
        "right",
        "match",
        "initial",
        "fields",
        "units",
        "tables",
        "owner",
        "conflict",
        "create",
        "delete",
        "leave",
        "guard",
        "mode",
        "pilot",
        "priority",
        "objective",
        "tests",
    ],
    refused: &[("where", "a condition belongs to a side: left: { ..., where: \"...\" }")],
};

pub(super) const SIDE: Keys<'_> = Keys {
    of: "a side",
    known: &["system", "entity", "where", "external_id", "marker", "actor"],
    refused: &[],
};

pub(super) const MATCH: Keys<'_> =
    Keys { of: "a match rule", known: &["left", "right", "normalize", "ambiguous"], refused: &[] };

pub(super) const INITIAL: &[(&str, Initial)] = &[
    ("review", Initial::Review),
    ("left", Initial::Wins(Side::Left)),
    ("right", Initial::Wins(Side::Right)),
    ("newest", Initial::Newest),
    ("fill", Initial::Fill),
];

pub(super) const CREATE: &[(&str, Sides<bool>)] = &[
    ("both", Sides { left: true, right: true }),
    ("left", Sides { left: true, right: false }),
    ("right", Sides { left: false, right: true }),
    ("none", Sides { left: false, right: false }),
];

pub(super) const DELETE: &[(&str, DeleteRule)] = &[
    ("propagate", DeleteRule::Propagate),
    ("review", DeleteRule::Review),
    ("keep", DeleteRule::Keep),
];

pub(super) const LEAVE: &[(&str, LeaveRule)] = &[
    ("keep", LeaveRule::Keep),
    ("unlink", LeaveRule::Unlink),
    ("delete", LeaveRule::Delete),
    ("review", LeaveRule::Review),
];

pub(super) const GUARD: &[(&str, GuardRule)] =
    &[("prevent", GuardRule::Prevent), ("detect", GuardRule::Detect)];

pub(super) const SIDES: &[(&str, Side)] = &[("left", Side::Left), ("right", Side::Right)];

/// One mapping file, read as YAML.
#[derive(Clone, Debug)]
pub struct MappingFile {
    source: Arc<Source>,
    root: Node,
}

impl MappingFile {
    /// Reads the YAML of a file.
    ///
    /// # Errors
    /// When the text is no YAML, or uses parts of YAML that mappings do not have.
    pub fn parse(source: &Arc<Source>) -> Result<Self, Diagnostics> {
        Ok(Self { source: Arc::clone(source), root: tree::parse(source)? })
    }
    /// The files that it names for tables, as it names them.
    #[must_use]
    pub fn table_files(&self) -> Vec<Located<Arc<str>>> {
        computed::table_files(&self.root)
    }
}

/// Checks everything about a mapping that can be known without its systems, and without the files
/// that it names for tables.
///
/// # Errors
/// All findings at once, when at least one of them is an error.
pub fn check_offline(file: &MappingFile) -> Result<Checked<MappingSpec>, Diagnostics> {
    check_with_tables(file, &TableFiles::default())
}

/// The same with the files that it names for tables.
///
/// # Errors
/// All findings at once, when at least one of them is an error.
pub fn check_with_tables(
    file: &MappingFile,
    tables: &TableFiles,
) -> Result<Checked<MappingSpec>, Diagnostics> {
    let mut reader = Reader::new(&file.source);
    let keyed = reader.keys(&file.root, MAPPING);
    let spec = keyed.and_then(|keyed| mapping(&mut reader, keyed, tables));
    reader.found.check(spec)
}

fn mapping(reader: &mut Reader<'_>, keyed: Keyed<'_>, files: &TableFiles) -> Option<MappingSpec> {
    let name = reader.required(keyed, "a mapping", "mapping", "mapping: accounts");
    let name = name.and_then(|node| mapping_name(reader, node));
    let left = side(reader, keyed, Side::Left);
    let right = side(reader, keyed, Side::Right);
    if let (Some(left), Some(right)) = (&left, &right)
        && left.system == right.system
        && left.entity == right.entity
    {
        let diagnostic = reader
            .error(right.entity.span, "both sides are the same entity")
            .also(reader.source, left.entity.span, "named here first")
            .help("a mapping joins two different entities");
        reader.note(diagnostic);
    }
    let (policy, owners) = policies::of_mapping(reader, keyed);
    let policy = policy.map_or(Policy::Review, |policy| policy.value);
    let tables = computed::tables(reader, keyed, files);
    let fields = pairs::read(reader, keyed, policy, &tables);
    let units = units::read(reader, keyed, fields.as_deref().unwrap_or_default());
    let cases = cases::read(reader, keyed);
    let matches = matches(reader, keyed);
    let initial = initial(reader, keyed);
    let create = create(reader, keyed);
    let delete = delete(reader, keyed);
    let leave = leave(reader, keyed);
    let guard = guard(reader, keyed);
    let mode = mode::mode(reader, keyed);
    let priority = mode::priority(reader, keyed);
    let objective = objective::read(reader, keyed);
    let sides = Sides { left: left?, right: right? };
    let filtered = sides.iter().any(|(_, side)| side.condition.is_some());
    if let (Some(key), false) = (keyed.key_span("leave"), filtered) {
        let diagnostic = reader
            .error(key, "`leave` has no effect: neither side has a `where`")
            .help("remove it, or give a side a condition that records can leave");
        reader.note(diagnostic);
    }
    let source = Arc::clone(reader.source);
    let name = name?;
    let fields = fields?;
    let table_digests = tables.digests;
    let spec = MappingSpec {
        source,
        table_digests,
        table_files: files.clone(),
        name,
        sides,
        matches,
        initial,
        fields,
        units,
        cases,
        owners,
        create,
        delete,
        leave,
        guard,
        mode,
        priority,
        objective,
    };
    sensitive::check(reader, &spec);
    Some(spec)
}

/// What the name of a mapping may be: a word that survives in file names, URLs and metrics.
const NAMES: &str = "use lower-case letters, digits, `_` and `-`, beginning with a letter";

/// Checks the name of a mapping that is to be made.
///
/// # Errors
/// Where it cannot be one, with the rule.
pub fn check_mapping_name(name: &str) -> Result<(), Diagnostic> {
    if is_mapping_name(name) {
        return Ok(());
    }
    Err(Diagnostic::error(format!("`{name}` cannot be the name of a mapping")).help(NAMES))
}

fn is_mapping_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(fits)
}

fn mapping_name(reader: &mut Reader<'_>, node: &Node) -> Option<Located<Arc<str>>> {
    let name = reader.text(node, "mapping")?;
    if is_mapping_name(&name) {
        return Some(name);
    }
    let diagnostic =
        reader.error(name.span, format!("`{}` cannot be the name of a mapping", *name)).help(NAMES);
    reader.note(diagnostic);
    None
}

fn side(reader: &mut Reader<'_>, keyed: Keyed<'_>, side: Side) -> Option<SideSpec> {
    let example = match side {
        Side::Left => "left: { system: crm, entity: Account }",
        Side::Right => "right: { system: ops, entity: public.accounts }",
    };
    let node = reader.required(keyed, "a mapping", side.as_str(), example)?;
    let keyed = reader.keys(node, SIDE)?;
    let system = reader
        .required(keyed, "a side", "system", example)
        .and_then(|node| reader.text(node, "system"))
        .map(|text| text.map(SystemName::new));
    let entity = reader
        .required(keyed, "a side", "entity", example)
        .and_then(|node| reader.text(node, "entity"))
        .map(|text| text.map(EntityName::new));
    let mut field = |key: &str| {
        let text = reader.text(keyed.get(key)?, key)?;
        Some(text.map(FieldName::new))
    };
    let (external_id, marker, actor) = (field("external_id"), field("marker"), field("actor"));
    let condition = keyed.get("where").and_then(|node| condition(reader, node, "where"));
    Some(SideSpec {
        span: node.span,
        system: system?,
        entity: entity?,
        condition,
        external_id,
        marker,
        actor,
    })
}

/// A condition on records.
pub(super) fn condition(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
) -> Option<Located<Condition>> {
    let text = reader.text(node, key)?;
    let scalar = node.as_scalar()?;
    let map = ScalarMap::new(reader.source, scalar, node.span);
    match condition_parser::parse(&text) {
        Ok(mut condition) => {
            relocate(&mut condition, &map);
            Some(Located::new(condition, node.span))
        }
        Err(fault) => {
            let diagnostic = reader.error(map.locate(fault.span), fault.message).help(fault.help);
            reader.note(diagnostic);
            None
        }
    }
}

/// Turns places in the condition's text into places in the file.
fn relocate(condition: &mut Condition, map: &ScalarMap) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter_mut().for_each(|part| relocate(part, map));
        }
        Condition::Not(part) => relocate(part, map),
        Condition::Compare { field, literal, .. } => {
            field.span = map.locate(field.span);
            literal.span = map.locate(literal.span);
        }
        Condition::In { field, literals } => {
            field.span = map.locate(field.span);
            literals.iter_mut().for_each(|literal| literal.span = map.locate(literal.span));
        }
    }
}

fn matches(reader: &mut Reader<'_>, keyed: Keyed<'_>) -> Vec<MatchSpec> {
    let Some(node) = keyed.get("match") else {
        let diagnostic = reader
            .warning(keyed.span, "the mapping has no `match`")
            .note("records that exist on both sides already would be created twice")
            .help("say how they find each other, or write `match: []` if there are none");
        reader.note(diagnostic);
        return Vec::new();
    };
    let Some(items) = reader.list(node, "match") else {
        return Vec::new();
    };
    items.iter().filter_map(|item| match_rule(reader, item)).collect()
}

fn match_rule(reader: &mut Reader<'_>, node: &Node) -> Option<MatchSpec> {
    let keyed = reader.keys(node, MATCH)?;
    let fields = pairs::two_fields(reader, keyed, "a match rule");
    let normalize = pairs::normalize(reader, keyed, pairs::MATCH_NORMALIZERS);
    // Asking a person is the only safe answer; the key exists so that a file can say so.
    if let Some(node) = keyed.get("ambiguous") {
        reader.word(node, "ambiguous", &[("review", ())]);
    }
    Some(MatchSpec { span: node.span, fields: fields?, normalize })
}

fn initial(reader: &mut Reader<'_>, keyed: Keyed<'_>) -> Initial {
    let word = keyed.get("initial").and_then(|node| reader.word(node, "initial", INITIAL));
    word.map_or(Initial::Review, |word| word.value)
}

fn create(reader: &mut Reader<'_>, keyed: Keyed<'_>) -> Located<Sides<bool>> {
    let word = keyed.get("create").and_then(|node| reader.word(node, "create", CREATE));
    word.unwrap_or(Located::new(Sides { left: true, right: true }, keyed.span))
}

fn delete(reader: &mut Reader<'_>, keyed: Keyed<'_>) -> Located<Sides<DeleteRule>> {
    let mut rule = Located::new(Sides::from_fn(|_| DeleteRule::Review), keyed.span);
    let Some(node) = keyed.get("delete") else {
        return rule;
    };
    rule.span = node.span;
    if node.as_scalar().is_some() {
        if let Some(word) = reader.word(node, "delete", DELETE) {
            rule.value = Sides::from_fn(|_| word.value);
        }
        return rule;
    }
    let keys = Keys { of: "`delete`", known: &["left", "right"], refused: &[] };
    let Some(keyed) = reader.keys(node, keys) else {
        return rule;
    };
    for side in Side::BOTH {
        let word =
            keyed.get(side.as_str()).and_then(|node| reader.word(node, side.as_str(), DELETE));
        if let Some(word) = word {
            rule.value[side] = word.value;
        }
    }
    rule
}

fn leave(reader: &mut Reader<'_>, keyed: Keyed<'_>) -> Located<LeaveRule> {
    let word = keyed.get("leave").and_then(|node| reader.word(node, "leave", LEAVE));
    word.unwrap_or(Located::new(LeaveRule::Keep, Span::default()))
}

fn guard(reader: &mut Reader<'_>, keyed: Keyed<'_>) -> Located<GuardRule> {
    let word = keyed.get("guard").and_then(|node| reader.word(node, "guard", GUARD));
    word.unwrap_or(Located::new(GuardRule::Detect, Span::default()))
}
