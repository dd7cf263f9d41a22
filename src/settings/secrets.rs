//! Which values are secrets, so that none is shown and those written into the file are warned of.

use std::sync::Arc;

use syncline_core::mapping::language::{Diagnostic, Diagnostics, Node, Source, Span};

/// The last words of keys whose values are secrets.
const SECRET_WORDS: [&str; 6] =
    ["password", "secret", "token", "passphrase", "private_key", "api_key"];

/// The places of all secrets that are written out, in part or whole.
pub(super) fn places(root: &Node) -> Vec<Span> {
    let mut places = Vec::new();
    root.visit_scalars("", &mut |key, node| {
        let text = node.as_scalar().map_or("", |scalar| &scalar.text);
        let secret = if is_secret(key) { Some(text) } else { url_password(text) };
        if secret.is_some_and(|secret| !is_all_insertion(secret)) {
            places.push(node.span);
        }
    });
    places
}

/// Warns of secrets that stand in the file itself. `root` is the tree before anything was
/// inserted, `source` the file with its secrets blotted out.
pub(super) fn literal_secrets(source: &Arc<Source>, root: &Node) -> Diagnostics {
    let mut found = Diagnostics::new();
    root.visit_scalars("", &mut |key, node| {
        let Some(scalar) = node.as_scalar().filter(|scalar| !scalar.is_null()) else {
            return;
        };
        let url = url_password(&scalar.text);
        let literal = match url {
            Some(password) => !is_insertion(password),
            None => is_secret(key) && !is_insertion(&scalar.text),
        };
        if !literal || scalar.text.is_empty() {
            return;
        }
        let (what, help) = if url.is_some() {
            let help = "write the password as ${VARIABLE} inside the URL, or the whole URL as \
                        file:path";
            (format!("`{key}` holds a password that is written into the file"), help.to_owned())
        } else {
            let name = key.to_uppercase();
            let help = format!("write `{key}: ${{{name}}}` for a variable, or `{key}: file:path`");
            (format!("the secret `{key}` is written into the file"), help)
        };
        found.push(
            Diagnostic::warning(what)
                .at(source, node.span)
                .note("whoever may read the file, its backups or its history has the secret")
                .help(help),
        );
    });
    found
}

/// The file with everything behind the first colon of each line blotted out: what may be shown
/// of a file that is not valid YAML, where nobody knows what is a secret.
pub(super) fn mask_unparsed(source: &Arc<Source>) -> Arc<Source> {
    let mut hidden = Vec::new();
    let mut start = 0;
    for line in source.text().split_inclusive('\n') {
        let from = line.find(':').map_or(0, |colon| colon + 1);
        hidden.extend(line.char_indices().skip_while(|(at, _)| *at < from).filter_map(
            |(at, c)| {
                let at = start + at;
                (!c.is_whitespace()).then(|| Span::new(at, at + c.len_utf8()))
            },
        ));
        start += line.len();
    }
    source.masked(&hidden)
}

fn is_secret(key: &str) -> bool {
    SECRET_WORDS.iter().any(|word| {
        key.strip_suffix(word).is_some_and(|before| before.is_empty() || before.ends_with('_'))
    })
}

/// True when at least a part of the value comes from outside the file.
fn is_insertion(text: &str) -> bool {
    text.starts_with("file:") || text.contains("${")
}

/// True when nothing of the value stands in the file.
fn is_all_insertion(text: &str) -> bool {
    let whole = text.find('}').is_some_and(|end| end + 1 == text.len());
    text.starts_with("file:") || (text.starts_with("${") && whole)
}

/// The password in the login part of a URL, or in its query.
fn url_password(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let login = authority.rsplit_once('@').and_then(|(login, _)| login.split_once(':'));
    let query = rest
        .split_once('?')
        .and_then(|(_, query)| query.split('&').find_map(|pair| pair.strip_prefix("password=")));
    login.map(|(_, password)| password).or(query).filter(|password| !password.is_empty())
}
