//! Files of metadata, as the command line of Salesforce deploys them.

use quick_xml::escape::escape;

/// An element with simple children.
pub(super) fn element(name: &str, children: &[(&str, &str)]) -> String {
    let children: Vec<String> = children
        .iter()
        .map(|(name, text)| format!("        <{name}>{}</{name}>", escape(*text)))
        .collect();
    format!("    <{name}>\n{}\n    </{name}>", children.join("\n"))
}

/// Simple children of the file's own element.
pub(super) fn lines(children: &[(&str, &str)]) -> Vec<String> {
    children.iter().map(|(name, text)| format!("    <{name}>{}</{name}>", escape(*text))).collect()
}

/// A whole file.
pub(super) fn file(root: &str, parts: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <{root} xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n{}\n</{root}>",
        parts.join("\n")
    )
}
