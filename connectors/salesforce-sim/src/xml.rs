//! XML as a tree of elements by their local names; prefixes do not matter.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Deeper documents are refused: no call of the service has more than a dozen levels.
const DEPTH_MAX: usize = 64;

/// One element.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Element {
    /// Its local name.
    pub(crate) name: String,
    /// Its own text, trimmed.
    pub(crate) text: String,
    /// `xsi:nil="true"`.
    pub(crate) nil: bool,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// The first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children of that name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The element at the end of a way of names below this one.
    pub(crate) fn at(&self, way: &[&str]) -> Option<&Self> {
        way.iter().try_fold(self, |element, name| element.child(name))
    }
}

/// Reads a document; the text says what is wrong.
pub(crate) fn read(bytes: &[u8]) -> Result<Element, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let ended = match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) if open.len() < DEPTH_MAX => {
                open.push(begun(&start));
                None
            }
            Event::Start(_) => return Err(format!("More than {DEPTH_MAX} levels of elements")),
            Event::Empty(start) => Some(begun(&start)),
            Event::End(_) => open.pop(),
            Event::Text(part) => {
                push(&mut open, &part);
                None
            }
            Event::CData(part) => {
                push(&mut open, &part);
                None
            }
            Event::GeneralRef(name) => {
                if let Some(c) = entity(&name) {
                    push(&mut open, c.encode_utf8(&mut [0; 4]));
                }
                None
            }
            Event::Eof => break,
            _ => None,
        };
        if let Some(mut element) = ended {
            element.text = element.text.trim().to_owned();
            match open.last_mut() {
                Some(parent) => parent.children.push(element),
                None => root = root.or(Some(element)),
            }
        }
    }
    root.filter(|_| open.is_empty()).ok_or_else(|| String::from("The document ends too early"))
}

fn begun(start: &BytesStart<'_>) -> Element {
    let nil = start.attributes().flatten().any(|attribute| {
        attribute.key.local_name().as_ref() == "nil"
            && matches!(attribute.value.as_ref(), "true" | "1")
    });
    Element { name: start.local_name().as_ref().to_owned(), nil, ..Element::default() }
}

fn push(open: &mut [Element], part: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(part);
    }
}

fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// Text for an element.
pub(crate) fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn prefixes_entities_and_nils() {
        let text = "<?xml version=\"1.0\"?><a:x xmlns:a=\"u\"><b> 1 &lt; &#50; </b>\
                    <a:c xsi:nil=\"true\"/><c/></a:x>";
        let root = read(text.as_bytes()).unwrap();
        assert_eq!((root.name.as_str(), root.children.len()), ("x", 3));
        assert_eq!(root.child("b").unwrap().text, "1 < 2");
        let nils: Vec<bool> = root.all("c").map(|element| element.nil).collect();
        assert_eq!(nils, [true, false]);
    }

    #[test]
    fn broken_and_bottomless_documents_are_refused() {
        assert!(read(b"<a><b></a>").is_err());
        assert!(read(b"<a><b>").is_err());
        assert!(read(b"").is_err());
        assert!(read("<a>".repeat(100_000).as_bytes()).is_err());
    }
}
