//! Answers as they are given on a command line.

use serde_json::Value as Json;

use crate::cli::desk::{Desk, quoted};
use crate::queue::offer::{Answer, offers};
use crate::queue::question::Question;

/// The flags of an answer.
pub(super) fn flags(answer: &Answer) -> String {
    match answer {
        Answer::Take(side) => format!("--take {side}"),
        Answer::Value(fields) => vec!["--value TEXT"; *fields].join(" "),
        Answer::Null => "--null".to_owned(),
        Answer::Adopt(key) => format!("--adopt {}", quoted(key.as_str())),
        Answer::Separate => "--separate".to_owned(),
        Answer::Retry => "--retry".to_owned(),
    }
}

/// The command that gives an answer.
fn command(desk: &Desk, question: &Question, answer: &Answer) -> String {
    desk.command(&format!("conflicts resolve {} {}", question.seen(), flags(answer)))
}

/// Everything about a question, for people, with the commands that answer it.
pub(super) fn lines(desk: &Desk, question: &Question) -> Vec<String> {
    let mut lines = question.lines(desk.now);
    if question.is_answerable() {
        lines.push(String::new());
        lines.push("answers:".to_owned());
        for offer in offers(question) {
            lines.push(format!("  {}", offer.effect));
            lines.push(format!("      {}", command(desk, question, &offer.answer)));
        }
    }
    lines
}

/// Everything about a question as JSON, with the commands that answer it.
pub(super) fn json(desk: &Desk, question: &Question) -> Json {
    let mut told = question.json();
    if let Some(answers) = told["answers"].as_array_mut() {
        for (told, offer) in answers.iter_mut().zip(offers(question)) {
            told["command"] = command(desk, question, &offer.answer).into();
        }
    }
    told
}
