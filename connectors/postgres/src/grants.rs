//! What an administrator grants on a database.

use std::collections::BTreeMap;

use syncline_sdk::{Grant, Guarantee, Maker, Need, Step, Tool};

use crate::names::{ident, qualified, split};
use crate::receipt;
use crate::shared::Shared;

/// What is done with one table.
#[derive(Default)]
struct Rights<'a> {
    /// The columns that are written, in the order in which they are named.
    written: Vec<&'a str>,
    insert: bool,
    delete: bool,
}

type Tables<'a> = BTreeMap<(&'a str, &'a str), Rights<'a>>;

/// Every piece of set-up, those first without which nothing runs.
pub(crate) fn grants(shared: &Shared, install: &str, needs: &[Need]) -> Vec<Grant> {
    let role = ident(&shared.target.user);
    let tables = tables(needs);
    let mut grants = vec![
        decoding(),
        login(&role, &shared.target.database, shared.has_answered()),
        rights(&role, &tables),
        publication(shared, install, &tables),
        slot(shared, install),
    ];
    if needs.is_empty() || needs.iter().any(Need::writes) {
        grants.extend(receipts(shared, &role));
    }
    grants.push(bounded_log());
    grants
}

fn tables(needs: &[Need]) -> Tables<'_> {
    let mut tables = Tables::new();
    for need in needs {
        let selection = &need.selection;
        let rights = tables.entry(split(selection.entity.as_str())).or_default();
        rights.insert |= need.creates;
        rights.delete |= need.deletes;
        let own = selection.external_id.iter().chain(&selection.marker);
        for field in need.written.iter().chain(own.filter(|_| need.writes())) {
            if !rights.written.contains(&field.as_str()) {
                rights.written.push(field.as_str());
            }
        }
    }
    tables
}

impl Rights<'_> {
    /// The rights to a table, as a statement names them.
    fn words(&self) -> String {
        let columns: Vec<String> = self.written.iter().map(|name| ident(name)).collect();
        let columns = columns.join(", ");
        let mut words = vec!["select".to_owned()];
        if self.insert {
            // A row may be made of nothing but defaults.
            let some = !columns.is_empty();
            words.push(if some { format!("insert ({columns})") } else { "insert".to_owned() });
        }
        if !columns.is_empty() {
            words.push(format!("update ({columns})"));
        }
        if self.delete {
            words.push("delete".to_owned());
        }
        words.join(", ")
    }
}

fn sql(title: &str, statements: &[String]) -> Step {
    Step::new(Tool::Sql, title, statements.join("\n"))
}

fn required(piece: &str, maker: Maker, texts: [&str; 3], steps: Vec<Step>) -> Grant {
    let [rights, buys, without] = texts;
    Grant {
        piece: piece.to_owned(),
        required: true,
        made_by: maker,
        rights: rights.to_owned(),
        buys: buys.to_owned(),
        without: without.to_owned(),
        class_without: None,
        steps,
    }
}

fn decoding() -> Grant {
    required(
        "logical decoding",
        Maker::Administrator,
        [
            "a superuser, once; a parameter of the instance on managed services",
            "changes are captured as they are committed, with complete images",
            "nothing runs: there is no feed",
        ],
        vec![sql(
            "then restart the server",
            &["alter system set wal_level = 'logical';".to_owned()],
        )],
    )
}

/// The role, which is there already where the server has answered it.
fn login(role: &str, database: &str, there: bool) -> Grant {
    let connect = format!("grant connect on database {} to {role};", ident(database));
    let steps = match there {
        true => {
            let title = "the role is there; only where it may not stream and is no superuser";
            vec![sql(title, &[format!("alter role {role} replication;"), connect])]
        }
        false => {
            let create = format!("create role {role} login replication;");
            vec![sql("then set its password with \\password", &[create, connect])]
        }
    };
    required(
        "role with the replication right",
        Maker::Administrator,
        [
            "login and replication, no more; on Amazon RDS rds_replication in place of the latter",
            "the change stream can be read",
            "nothing runs: there is no feed",
        ],
        steps,
    )
}

fn rights(role: &str, tables: &Tables<'_>) -> Grant {
    let mut schemas: Vec<&str> = tables.keys().map(|(schema, _)| *schema).collect();
    schemas.dedup();
    let mut statements: Vec<String> = schemas
        .iter()
        .map(|schema| format!("grant usage on schema {} to {role};", ident(schema)))
        .collect();
    for ((schema, table), rights) in tables {
        let words = rights.words();
        statements.push(format!("grant {words} on {} to {role};", qualified(schema, table)));
    }
    let inserted = tables.iter().filter(|(_, rights)| rights.insert);
    let mut inserted: Vec<&str> = inserted.map(|((schema, _), _)| *schema).collect();
    inserted.dedup();
    let sequences: Vec<String> = inserted
        .iter()
        .map(|schema| {
            format!("grant usage on all sequences in schema {} to {role};", ident(schema))
        })
        .collect();
    let mut steps = vec![sql("", &statements)];
    if !sequences.is_empty() {
        steps.push(sql("only where a serial column numbers new rows", &sequences));
    }
    required(
        "rights on the mapped tables",
        Maker::Administrator,
        [
            "select on the tables; insert and update on the columns that mappings write here; \
             delete where a mapping carries deletions here, or makes rows, of which one may have \
             to be taken back",
            "records are read and written",
            "nothing runs on these tables; without insert, update or delete those writes are \
             parked with the server's message",
        ],
        steps,
    )
}

fn publication(shared: &Shared, install: &str, tables: &Tables<'_>) -> Grant {
    let name = shared.pieces_of(install).publication;
    let list: Vec<String> = tables.keys().map(|(schema, table)| qualified(schema, table)).collect();
    let mut steps = vec![sql(
        "by the owner of the tables",
        &[format!(
            "create publication {} for table {}\n  with (publish = 'insert, update, delete, \
             truncate', publish_via_partition_root = true);",
            ident(&name),
            list.join(", ")
        )],
    )];
    if shared.settings.publication.is_none() {
        let text = format!("publication: {name}");
        steps.push(Step::new(Tool::Settings, "under this system", text));
    }
    required(
        "publication",
        Maker::Administrator,
        [
            "the owner of the tables. Syncline makes it itself, limited to the mapped columns, \
             where its role owns the tables and may create in the database",
            "says which tables are captured",
            "nothing runs: there is no feed",
        ],
        steps,
    )
}

fn slot(shared: &Shared, install: &str) -> Grant {
    // Without the id of the installation its name is not known yet.
    let known = !install.is_empty() || shared.settings.slot.is_some();
    let name = if known { shared.pieces_of(install).slot } else { String::new() };
    required(
        format!("replication slot {name}").trim_end(),
        Maker::Run,
        [
            "the replication right of the role",
            "the server keeps its log until the sync has read it, also while the sync is stopped",
            "nothing runs: there is no feed",
        ],
        Vec::new(),
    )
}

fn receipts(shared: &Shared, role: &str) -> Option<Grant> {
    let (schema, table) = shared.receipt_table()?;
    let statements = receipt::create(&schema, &table).replace("; create", ";\ncreate");
    let quoted = qualified(&schema, &table);
    Some(Grant {
        piece: format!("receipt table {schema}.{table}"),
        required: false,
        made_by: Maker::Administrator,
        rights: "usage of its schema, and to read and write this one table. Syncline makes it \
                 itself where its role may create in the database"
            .to_owned(),
        buys: "a write whose answer was lost is settled at once, and a late copy of it can be \
               cancelled"
            .to_owned(),
        without: "receipts travel in the change stream: such a write is settled when the stream \
                  has passed it, and no conditional write is weaker for it"
            .to_owned(),
        class_without: Some(Guarantee::Exact),
        steps: vec![sql(
            "",
            &[
                format!("{statements};"),
                format!("grant usage on schema {} to {role};", ident(&schema)),
                format!("grant select, insert, update, delete on {quoted} to {role};"),
            ],
        )],
    })
}

fn bounded_log() -> Grant {
    Grant {
        piece: "bound of the kept log".to_owned(),
        required: false,
        made_by: Maker::Administrator,
        rights: "a superuser, once; a parameter of the instance on managed services".to_owned(),
        buys: "a sync that is stopped for long cannot fill the server's disk".to_owned(),
        without: "the log of a stopped sync grows without end. With the bound, a sync that was \
                  stopped for too long finds a gap, and compares both sides in full"
            .to_owned(),
        class_without: Some(Guarantee::Exact),
        steps: vec![sql(
            "choose what the disk can spare",
            &[
                "alter system set max_slot_wal_keep_size = '20GB';".to_owned(),
                "select pg_reload_conf();".to_owned(),
            ],
        )],
    }
}

#[cfg(test)]
mod tests {
    use syncline_sdk::{FieldName, Selection};

    use super::*;

    fn need(written: &[&str], creates: bool, deletes: bool) -> Need {
        let selection = Selection {
            entity: "public.accounts".into(),
            fields: ["name", "phone", "region"].map(FieldName::new).into(),
            external_id: Some("link".into()),
            marker: None,
            actor: None,
            filter: None,
        };
        let written = written.iter().map(|name| FieldName::new(*name)).collect();
        Need { written, creates, deletes, ..Need::reading(selection) }
    }

    fn words(needs: &[Need]) -> String {
        tables(needs)[&("public", "accounts")].words()
    }

    #[test]
    fn only_what_is_written_may_be_written() {
        assert_eq!(words(&[need(&[], false, false)]), "select");
        assert_eq!(
            words(&[need(&["name"], true, true)]),
            "select, insert (\"name\", \"link\"), update (\"name\", \"link\"), delete"
        );
        let both = [need(&["phone"], false, false), need(&[], false, true)];
        assert_eq!(words(&both), "select, update (\"phone\", \"link\"), delete");
    }
}
