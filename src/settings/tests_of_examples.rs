//! Every example in the documents passes `syncline check`.

use std::path::Path;

use syncline_core::mapping::MappingId;
use syncline_core::mapping::language::{
    MappingFile, MappingSpec, Source, check_offline, check_together,
};
use syncline_core::trial::try_out;

use super::tests::messages;
use super::{Environment, load};

const DOCUMENTS: [&str; 4] =
    ["README.md", "mappings/README.md", "docs/settings.md", "docs/cut-over.md"];

/// The keys of a mapping that an example has to have, and what stands for those that it leaves
/// out. The field pairs are those that examples of units and tests speak of.
const REST: [(&str, &str); 5] = [
    ("mapping", "mapping: example\n"),
    ("left", "left: { system: crm, entity: Account }\n"),
    ("right", "right: { system: ops, entity: public.accounts }\n"),
    ("match", "match: []\n"),
    (
        "fields",
        "fields:\n  - { left: BillingStreet, right: street }\n  \
         - { left: BillingCity, right: city }\n  \
         - { left: BillingPostalCode, right: zip }\n  \
         - { left: Amount, right: amount }\n  \
         - { left: CurrencyIsoCode, right: currency }\n  \
         - { left: On_Hand__c, right: on_hand, conflict: counter }\n  \
         - { left: Type, right: kind }\n",
    ),
];

/// What stands for `# ...` in the settings of a Salesforce system.
const LEFT_OUT: &str = "url: https://acme.my.salesforce.com\n    client_id: k\n    \
                        client_secret: ${CRM_CLIENT_SECRET}";

/// An environment with all variables and files that examples may speak of.
struct Everything;

impl Environment for Everything {
    fn variable(&self, name: &str) -> Option<String> {
        let value = match name.ends_with("_URL") {
            true => "postgres://u:p@localhost/ops",
            false => "twenty-or-more-letters-and-digits",
        };
        Some(value.to_owned())
    }
    fn file(&self, _: &Path) -> std::io::Result<String> {
        Ok("a-secret".to_owned())
    }
}

/// The blocks of a document that are indented or fenced as YAML, each without its indentation.
/// An empty line ends one that is indented.
fn blocks(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let last = found.last_mut().expect("there is one");
        match (fence, line.strip_prefix("```"), line.strip_prefix("    ")) {
            (None, Some(language), _) => {
                fence = Some(language);
                found.push(String::new());
            }
            (Some(_), Some(_), _) => fence = None,
            (Some("yaml"), ..) => *last += &format!("{line}\n"),
            (None, None, Some(line)) => *last += &format!("{line}\n"),
            _ => found.push(String::new()),
        }
    }
    found.into_iter().filter_map(|block| outdented(&block)).collect()
}

/// A block that is YAML: it begins with a key, below comments perhaps.
fn outdented(block: &str) -> Option<String> {
    let depth = block.lines().map(|line| line.len() - line.trim_start().len()).min()?;
    let block: String = block.lines().map(|line| format!("{}\n", &line[depth..])).collect();
    let first = block.lines().find(|line| !line.starts_with('#'))?;
    let (key, _) = first.split_once(':')?;
    let is_key = key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    (is_key && !key.is_empty()).then_some(block)
}

/// The keys at the top of a block.
fn keys(block: &str) -> Vec<&str> {
    let lines = block.lines().filter(|line| !line.starts_with([' ', '#', '-']));
    lines.filter_map(|line| Some(line.split_once(':')?.0)).collect()
}

/// The name of the file that a block says it is.
fn file_name(block: &str) -> Option<&str> {
    block.lines().next()?.strip_prefix("# ")?.strip_suffix(".yaml")
}

/// A whole mapping of an example.
fn whole(block: &str) -> String {
    if let Some(condition) = block.strip_prefix("where: ") {
        return whole(&format!("left: {{ system: crm, entity: Account, where: {condition} }}\n"));
    }
    let said = keys(block);
    let mut text = block.to_owned();
    for (key, unless_said) in REST.iter().filter(|(key, _)| !said.contains(key)) {
        text += &match (*key, file_name(block)) {
            ("mapping", Some(name)) => format!("mapping: {name}\n"),
            _ => (*unless_said).to_owned(),
        };
    }
    text
}

fn checked(document: &str, block: &str) -> MappingSpec {
    let source = Source::new(document, &whole(block));
    let found = MappingFile::parse(&source).and_then(|file| check_offline(&file));
    let spec = found.unwrap_or_else(|found| panic!("{found}")).value;
    let tried = try_out(&spec, &[spec.outline(MappingId(1))]);
    assert!(!tried.has_errors(), "{tried}");
    spec
}

#[test]
fn every_example_passes_the_check() {
    let mut counted = 0;
    for document in DOCUMENTS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
        let text = std::fs::read_to_string(path).expect("the document is there");
        let mut together = Vec::new();
        for block in blocks(&text) {
            counted += 1;
            let said = keys(&block);
            if ["systems", "schedules", "public_url"].iter().any(|key| said.contains(key)) {
                let source = Source::new(document, &block.replace("# ...", LEFT_OUT));
                if let Err(found) = load(&source, Path::new("/etc/syncline"), &Everything) {
                    panic!("{document}: {:?}\n{block}", messages(&found));
                }
                continue;
            }
            let spec = checked(document, &block);
            if file_name(&block).is_some() {
                together.push(spec);
            }
        }
        let found = check_together(&together, &["crm".into(), "ops".into()]);
        assert!(!found.has_errors(), "{found}");
    }
    assert!(counted > 20, "{counted}");
}
