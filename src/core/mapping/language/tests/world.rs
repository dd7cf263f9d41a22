//! Two hand-made systems.

use std::sync::Arc;

use syncline_sdk::{
    Capabilities, Cas, EntitySchema, FeedKind, FieldSchema, FieldType, HistoryKind, Normalizer,
    Precision, ReceiptKind,
};

use crate::mapping::language::{
    Checked, Diagnostics, MappingFile, MappingRef, Source, bind, check_offline,
};
use crate::mapping::{Mapping, MappingId};
use crate::{Side, Sides};

pub(super) const TEXT: FieldType = FieldType::Text { chars_max: None };

pub(super) fn chars(max: u32) -> FieldType {
    FieldType::Text { chars_max: Some(max) }
}

pub(super) fn list(values: &[&str], restricted: bool) -> FieldType {
    let values: Vec<Arc<str>> = values.iter().map(|value| Arc::from(*value)).collect();
    FieldType::Enum { values, restricted }
}

/// A nullable field that can be written.
pub(super) fn field(name: &str, kind: FieldType) -> FieldSchema {
    FieldSchema {
        name: name.into(),
        native: "native".into(),
        kind,
        nullable: true,
        creatable: true,
        updatable: true,
        required: false,
        unique: false,
        external_id: false,
        normalizers: Vec::new(),
        filled: None,
    }
}

pub(super) fn read_only(name: &str, kind: FieldType) -> FieldSchema {
    FieldSchema { creatable: false, updatable: false, ..field(name, kind) }
}

pub(super) fn required(name: &str, kind: FieldType) -> FieldSchema {
    FieldSchema { nullable: false, required: true, ..field(name, kind) }
}

/// Two entities with what a test needs of them.
pub(super) struct World {
    pub schemas: Sides<EntitySchema>,
    pub capabilities: Sides<Capabilities>,
    pub mappings: Vec<MappingRef>,
}

impl World {
    pub(super) fn new(left: Vec<FieldSchema>, right: Vec<FieldSchema>) -> Self {
        let schema = |entity: &str, key: &str, fields| EntitySchema {
            entity: entity.into(),
            key: vec![key.into()],
            fields,
            creatable: true,
            deletable: true,
            problems: Vec::new(),
            same: Vec::new(),
            fixed: Vec::new(),
        };
        let place = |side| match side {
            Side::Left => ("crm".into(), "Account".into()),
            Side::Right => ("ops".into(), "public.accounts".into()),
        };
        let own =
            MappingRef { name: "accounts".into(), id: MappingId(7), sides: Sides::from_fn(place) };
        Self {
            schemas: Sides {
                left: schema("Account", "Id", left),
                right: schema("public.accounts", "id", right),
            },
            capabilities: Sides::from_fn(|_| exact()),
            mappings: vec![own],
        }
    }

    /// Binds a mapping with these lines beside its two sides.
    pub(super) fn bind(&self, rest: &str) -> Result<Checked<Mapping>, Diagnostics> {
        self.bind_sides("", "", rest)
    }

    /// Binds a mapping with these keys in its sides.
    pub(super) fn bind_sides(
        &self,
        left: &str,
        right: &str,
        rest: &str,
    ) -> Result<Checked<Mapping>, Diagnostics> {
        let comma = |keys: &str| {
            if keys.is_empty() { String::new() } else { format!(", {keys}") }
        };
        let matches = if rest.contains("match:") { "" } else { "match: []\n" };
        let text = format!(
            "mapping: accounts\nleft: {{ system: crm, entity: Account{} }}\n\
             right: {{ system: ops, entity: public.accounts{} }}\n{matches}{rest}\n",
            comma(left),
            comma(right)
        );
        let file = MappingFile::parse(&Source::new("m.yaml", &text))?;
        let spec = check_offline(&file)?.value;
        let schemas = Sides { left: &self.schemas.left, right: &self.schemas.right };
        bind(&spec, MappingId(7), 3, schemas, self.capabilities.clone(), &self.mappings)
    }

    /// What binding says, as severity and message.
    pub(super) fn says(&self, rest: &str) -> Vec<String> {
        self.says_sides("", "", rest)
    }

    pub(super) fn says_sides(&self, left: &str, right: &str, rest: &str) -> Vec<String> {
        let found = match self.bind_sides(left, right, rest) {
            Ok(checked) => checked.warnings,
            Err(found) => found,
        };
        let line = |diagnostic: &crate::mapping::language::Diagnostic| {
            let label = diagnostic.place.as_ref().map_or("", |place| &place.label);
            let severity = format!("{:?}", diagnostic.severity).to_lowercase();
            format!("{severity}: {} [{label}]", diagnostic.message).replace(" []", "")
        };
        found.iter().map(line).collect()
    }
}

fn exact() -> Capabilities {
    Capabilities {
        cas: Cas::ExactField,
        receipt: ReceiptKind::Table,
        history: HistoryKind::None,
        feed: FeedKind::Images,
        unique_external_id: true,
        conditional_delete: true,
        recycle_bin: None,
        transactional: true,
        stored_image: true,
        search_lag: Default::default(),
        request_horizon: Default::default(),
        push_writes_max: 500,
        push_guarded_max: 500,
        fetch_keys_max: 500,
    }
}

/// The usual pair of entities.
pub(super) fn accounts() -> World {
    let left = vec![
        read_only("Id", chars(18)),
        FieldSchema {
            normalizers: vec![Normalizer::Trim, Normalizer::EmptyToNull],
            ..required("Name", chars(255))
        },
        field("Phone", chars(40)),
        field("Industry", list(&["Banking", "Energy", "Other"], true)),
        field("AnnualRevenue", FieldType::Decimal { precision: Some(18), scale: Some(0) }),
        field("Active__c", FieldType::Bool),
        field("Founded__c", FieldType::Date),
        field("ParentId", FieldType::Reference { entities: vec!["Account".into()] }),
        field("OwnerId", FieldType::Reference { entities: vec!["User".into(), "Group".into()] }),
        field("Tags__c", FieldType::Set { values: vec!["a".into()], restricted: true }),
        read_only("LastModifiedDate", FieldType::Instant { precision: Precision::Second }),
        FieldSchema { external_id: true, unique: true, ..field("Syncline_Id__c", chars(36)) },
        field("Syncline_Marker__c", chars(80)),
    ];
    let right = vec![
        read_only("id", FieldType::Uuid),
        required("name", chars(255)),
        field("phone", chars(20)),
        field("industry_code", TEXT),
        field("revenue", FieldType::Decimal { precision: None, scale: None }),
        field("active", FieldType::Bool),
        field("founded", FieldType::Date),
        field("employees", FieldType::Int { min: -2_147_483_648, max: 2_147_483_647 }),
        field("parent_id", FieldType::Reference { entities: vec!["public.accounts".into()] }),
        field("owner_id", FieldType::Reference { entities: vec!["public.users".into()] }),
        field("doc", FieldType::Json),
        field("changed_at", FieldType::Instant { precision: Precision::Micro }),
        field("updated_by", TEXT),
    ];
    World::new(left, right)
}
