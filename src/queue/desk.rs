//! The desk of somebody who works on the ledger: the ledger, and names for what is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use syncline_core::mapping::language::{
    FieldSpec, MappingFile, MappingSpec, Source, UnitSpec, check_offline, nearest, one_of,
};
use syncline_core::mapping::{Direction, MappingId};
use syncline_core::{Side, Sides};
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{Ledger as _, LinkQuery, Loaded, People as _};
use syncline_sdk::{FieldName, Instant, Key};

use super::removed::Files;
use super::words::plain;
use super::{clock, masking};
use crate::stop::Stop;

/// The file that needs not be named in a command.
const CONFIG: &str = "syncline.yaml";

/// The ledger, opened for a person.
pub struct Desk {
    pub ledger: Postgres,
    /// Every mapping that the ledger knows, by number.
    pub mappings: Vec<KnownMapping>,
    /// When the command began.
    pub now: Instant,
    config: PathBuf,
}

impl Desk {
    /// The desk of a request, on a ledger that is open.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn at(ledger: &Postgres, config: &Path) -> Result<Self, Stop> {
        let mappings = known_mappings(ledger).await.context("the ledger")?;
        let (ledger, config) = (ledger.clone(), config.to_owned());
        Ok(Self { ledger, mappings, now: clock::now(), config })
    }

    /// The same desk, where values of sensitive fields are told too, if that is asked for.
    pub fn revealing(mut self, reveal: bool) -> Self {
        for mapping in &mut self.mappings {
            mapping.reveal = reveal;
        }
        self
    }

    /// The same desk, which knows what the files have, where that can be read.
    pub fn knowing(mut self, files: Option<&Files>) -> Self {
        for mapping in &mut self.mappings {
            mapping.removed = files.is_some_and(|files| !files.mappings.contains(&mapping.name));
        }
        self
    }

    /// The mapping of that number. The ledger names one only after it was numbered.
    pub fn mapping(&self, id: MappingId) -> KnownMapping {
        let known = self.mappings.iter().find(|mapping| mapping.id == id);
        known.cloned().unwrap_or_else(|| KnownMapping::new(id, format!("mapping {id}"), None))
    }

    /// The mapping of that name.
    pub fn named(&self, name: &str) -> Result<&KnownMapping, Stop> {
        let known = || self.mappings.iter().map(|mapping| &*mapping.name);
        if let Some(mapping) = self.mappings.iter().find(|mapping| mapping.name == name) {
            return Ok(mapping);
        }
        let help = match nearest(name, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.mappings.is_empty() => {
                "the ledger knows a mapping once `syncline run` has started with it".to_owned()
            }
            None => format!("the ledger knows {}", one_of(known())),
        };
        let message = format!("the ledger knows no mapping `{}`", plain(name));
        Err(Stop::found(message, help))
    }

    /// Links with what hangs on them.
    pub async fn load(&self, queries: &[LinkQuery]) -> Result<Loaded, Stop> {
        Ok(self.ledger.load(queries).await.context("the ledger")?)
    }

    /// A command as it is to be typed for this installation.
    pub fn command(&self, arguments: &str) -> String {
        command(&self.config, arguments)
    }

    /// Whether an engine works on the ledger now: it renews its lease all the time.
    pub async fn engine_runs(&self) -> Result<bool, Stop> {
        let owner = self.ledger.owner().await.context("the ledger")?;
        Ok(owner.is_some_and(|owner| owner.until > clock::now().micros()))
    }
}

/// A command as it is to be typed for the settings in a file.
pub fn command(config: &Path, arguments: &str) -> String {
    if config == Path::new(CONFIG) {
        return format!("syncline {arguments}");
    }
    format!("syncline {arguments} --config {}", quoted(&config.display().to_string()))
}

/// A word for a shell, in quotes where it needs them.
pub fn quoted(word: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,=".contains(c);
    if !word.is_empty() && word.chars().all(bare) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A mapping that the ledger knows, with the rules that its newest revision was made from: what
/// the engine works by, whatever the files say by now.
#[derive(Clone)]
pub struct KnownMapping {
    pub id: MappingId,
    pub name: String,
    /// Its rules; nothing when this release cannot read them.
    pub spec: Option<MappingSpec>,
    pub(super) images: Sides<Vec<FieldName>>,
    /// The fields that are sensitive by these rules, or by the present ones.
    pub(super) sensitive: Sides<BTreeSet<FieldName>>,
    /// Whether their values are told all the same.
    pub(super) reveal: bool,
    /// Whether it is known to be in no file any more: nobody works on it.
    pub removed: bool,
    /// The rules that it had before, read when somebody asks for what they wrote.
    former: Arc<BTreeMap<i32, Former>>,
    /// What all mappings are called.
    names: Arc<BTreeMap<MappingId, String>>,
}

/// A former revision.
struct Former {
    text: String,
    read: OnceLock<Box<KnownMapping>>,
}

impl KnownMapping {
    /// The mapping by the rules of a revision: what fields and units are called in what was
    /// written then.
    pub fn by(&self, revision: i32) -> &Self {
        let Some(former) = self.former.get(&revision) else { return self };
        let read = || {
            let mut read = Self::new(self.id, self.name.clone(), Some(former.text.clone()));
            read.reveal = self.reveal;
            read.names = Arc::clone(&self.names);
            for (side, names) in self.sensitive.iter() {
                read.sensitive[side].extend(names.iter().cloned());
            }
            read
        };
        former.read.get_or_init(|| Box::new(read()))
    }

    /// Whether a revision is one that it had before: what a link has of it is laid out otherwise
    /// than by the present rules, until the engine has taken it up.
    pub fn is_former(&self, revision: i32) -> bool {
        self.former.contains_key(&revision)
    }

    pub(super) fn new(id: MappingId, name: String, source: Option<String>) -> Self {
        let spec = source.and_then(|text| {
            let source = Source::new(&name, &text);
            let checked = MappingFile::parse(&source).and_then(|file| check_offline(&file));
            checked.ok().map(|checked| checked.value)
        });
        let images = Sides::from_fn(|side| {
            let Some(spec) = &spec else { return Vec::new() };
            let (fields, image_len) = spec.fields_of(side);
            let image = fields.into_iter().take(image_len);
            image.map(|field| field.value.clone()).collect()
        });
        let sensitive = Sides::from_fn(|side| match &spec {
            Some(spec) => masking::sensitive(spec, side),
            None => BTreeSet::new(),
        });
        let (former, names) = (Arc::default(), Arc::default());
        let (reveal, removed) = (false, false);
        Self { id, name, spec, images, sensitive, reveal, removed, former, names }
    }

    /// What another mapping is called.
    pub fn other(&self, id: MappingId) -> String {
        self.names.get(&id).map_or_else(|| id.to_string(), Clone::clone)
    }

    /// What the file says of a unit.
    fn named_unit(&self, unit: u16) -> Option<&UnitSpec> {
        self.spec.as_ref()?.units.get(usize::from(unit))
    }

    /// The fields of a unit on a side, as the side calls them.
    pub fn unit_fields(&self, side: Side, unit: u16) -> Vec<&FieldName> {
        // The plain pairs come first, as they do in what the ledger keeps of a unit.
        let plain = self.pairs(unit).filter(|pair| pair.pair().is_some());
        let ordered = plain.chain(self.pairs(unit).filter(|pair| pair.pair().is_none()));
        ordered.flat_map(|pair| &pair.fields[side]).map(|name| &name.value).collect()
    }

    /// What the file says of a unit's field pairs.
    fn pairs(&self, unit: u16) -> impl Iterator<Item = &FieldSpec> {
        let named = self.named_unit(unit).into_iter().flat_map(|named| &named.fields);
        named.filter_map(|at| self.spec.as_ref()?.fields.get(*at))
    }

    /// Which way edits of a unit travel.
    pub fn direction(&self, unit: u16) -> Option<Direction> {
        self.pairs(unit).next().map(|pair| pair.direction.value)
    }

    /// Whether a unit refers to other records.
    pub fn refers(&self, unit: u16) -> bool {
        self.pairs(unit).any(|pair| pair.reference.is_some())
    }

    /// The unit of that name, or with a field of that name.
    pub fn unit_named(&self, name: &str) -> Option<u16> {
        let fields = |unit| Side::BOTH.into_iter().flat_map(move |at| self.unit_fields(at, unit));
        let is = |unit: &u16| {
            self.unit(*unit) == name || fields(*unit).any(|field| field.as_str() == name)
        };
        (0..self.units()).find(is)
    }

    /// Whether it writes, in the word of its file; nothing when this release cannot read that.
    pub fn mode(&self) -> Option<&'static str> {
        self.spec.as_ref().map(|spec| spec.mode.word())
    }

    /// The name of a unit.
    pub fn unit(&self, unit: u16) -> String {
        match self.named_unit(unit) {
            Some(named) => named.name.to_string(),
            None => format!("unit {unit}"),
        }
    }

    /// The name of a field of a side's image.
    pub fn field(&self, side: Side, at: usize) -> String {
        match self.images[side].get(at) {
            Some(name) => name.to_string(),
            None => format!("field {at}"),
        }
    }

    /// The places of a unit's fields in a side's image.
    pub fn places(&self, side: Side, unit: u16) -> Vec<usize> {
        let place = |name| self.images[side].iter().position(|field| field == name);
        self.unit_fields(side, unit).into_iter().filter_map(place).collect()
    }

    /// How many units there are.
    pub fn units(&self) -> u16 {
        let units = self.spec.as_ref().map_or(0, |spec| spec.units.len());
        u16::try_from(units).unwrap_or(u16::MAX)
    }

    /// The system of a side, which is what people call the side by.
    pub fn system(&self, side: Side) -> String {
        match &self.spec {
            Some(spec) if spec.sides.left.system == spec.sides.right.system => {
                format!("{side} {}", *spec.sides[side].system)
            }
            Some(spec) => spec.sides[side].system.to_string(),
            None => side.to_string(),
        }
    }

    /// A side's record, or what would be one: `crm Account 001A`.
    pub fn record(&self, side: Side, key: Option<&Key>) -> String {
        let entity = self
            .spec
            .as_ref()
            .map_or(String::new(), |spec| format!(" {}", *spec.sides[side].entity));
        let key = key.map_or_else(|| "(no record)".to_owned(), |key| plain(key.as_str()));
        format!("{}{entity} {key}", self.system(side))
    }
}

/// Number, name and newest revision of a mapping, and one of its revisions with its text.
type RevisionRow = (i32, String, i32, Option<i32>, Option<String>);

/// What the ledger knows of its mappings. Reads with the ledger's pool, which is there for those
/// who only look.
async fn known_mappings(ledger: &Postgres) -> Result<Vec<KnownMapping>, sqlx::Error> {
    let rows: Vec<RevisionRow> = sqlx::query_as(
        "select m.id, m.name, m.revision, r.revision, r.source
         from syncline.mapping as m
         left join syncline.mapping_revision as r on r.mapping = m.id
         order by m.id, r.revision desc",
    )
    .fetch_all(ledger.pool())
    .await?;
    let mut known: Vec<KnownMapping> = Vec::new();
    let mut former: BTreeMap<MappingId, BTreeMap<i32, Former>> = BTreeMap::new();
    for (id, name, newest, revision, text) in rows {
        let id = MappingId(id);
        match (revision, text) {
            (Some(revision), Some(text)) if revision != newest => {
                let past = Former { text, read: OnceLock::new() };
                former.entry(id).or_default().insert(revision, past);
            }
            (_, text) => known.push(KnownMapping::new(id, name, text)),
        }
    }
    let names = known.iter().map(|mapping| (mapping.id, mapping.name.clone()));
    let names = Arc::new(names.collect::<BTreeMap<_, _>>());
    for mapping in &mut known {
        mapping.names = Arc::clone(&names);
        mapping.former = Arc::new(former.remove(&mapping.id).unwrap_or_default());
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_are_quoted_for_a_shell_where_they_must_be() {
        assert_eq!(quoted("001xx000003DGb1AAG"), "001xx000003DGb1AAG");
        assert_eq!(quoted("[\"a\",1]"), "'[\"a\",1]'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
