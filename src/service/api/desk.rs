//! Reading what was asked.

use syncline_core::model::EntryId;
use syncline_ledger::ParkedPlace;
use syncline_sdk::LinkId;
use syncline_server::api::{Answer, Answered, Failure, SideName};

use crate::queue::answering::Wanted;

/// The longest name of somebody who answers.
const BY_CHARS_MAX: usize = 200;

/// Exactly one choice.
pub(super) fn wanted(answer: &Answer) -> Answered<Wanted> {
    let side = |side| match side {
        SideName::Left => syncline_core::Side::Left,
        SideName::Right => syncline_core::Side::Right,
    };
    let choices = [
        answer.take.map(|taken| Wanted::Take(side(taken))),
        answer.value.clone().map(Wanted::Values),
        answer.null.then_some(Wanted::Null),
        answer.adopt.clone().map(Wanted::Adopt),
        answer.separate.then_some(Wanted::Separate),
        answer.retry.then_some(Wanted::Retry),
    ];
    let mut chosen = choices.into_iter().flatten();
    match (chosen.next(), chosen.next()) {
        (Some(wanted), None) => Ok(wanted),
        _ => Err(Failure::Invalid(
            "give exactly one of `take`, `value`, `null`, `adopt`, `separate` and `retry`"
                .to_owned(),
        )),
    }
}

/// The name of who answers.
pub(super) fn by(name: &str) -> Answered<String> {
    let fits = !name.trim().is_empty()
        && name.chars().count() <= BY_CHARS_MAX
        && !name.chars().any(char::is_control);
    if fits {
        return Ok(name.trim().to_owned());
    }
    let what = format!("`by` is a name of 1 to {BY_CHARS_MAX} characters");
    Err(Failure::Invalid(what))
}

fn no_place() -> Failure {
    Failure::Invalid("`after` is no place of this list: give the `next` of a page".to_owned())
}

/// The number behind which a list goes on.
pub(super) fn number(after: Option<&str>) -> Answered<i64> {
    after.map_or(Ok(0), |after| after.parse().map_err(|_| no_place()))
}

/// The link behind which a list goes on.
pub(super) fn link_place(after: Option<&str>) -> Answered<Option<LinkId>> {
    after.map(|after| after.parse().map_err(|_| no_place())).transpose()
}

/// The entry behind which a list goes on.
pub(super) fn entry_place(after: Option<&str>) -> Answered<Option<EntryId>> {
    after.map(|after| after.parse().map_err(|_| no_place())).transpose()
}

/// The parked record behind which a list goes on.
pub(super) fn parked_place(after: Option<&str>) -> Answered<Option<ParkedPlace>> {
    let read = |text: &str| {
        let (at, rest) = text.split_once('_')?;
        let (mapping, link) = rest.split_once('_')?;
        Some(ParkedPlace {
            at: at.parse().ok()?,
            mapping: syncline_core::mapping::MappingId(mapping.parse().ok()?),
            link: link.parse().ok()?,
        })
    };
    after.map(|after| read(after).ok_or_else(no_place)).transpose()
}

/// A link by its id.
pub(super) fn link(id: &str) -> Answered<LinkId> {
    id.parse().map_err(|_| Failure::NotFound("this is not the id of a link".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_choice_is_an_answer_and_none_or_two_are_not() {
        let null = Answer { revision: 1, null: true, ..Answer::default() };
        assert_eq!(wanted(&null), Ok(Wanted::Null));
        let take = Answer { take: Some(SideName::Left), ..Answer::default() };
        assert_eq!(wanted(&take), Ok(Wanted::Take(syncline_core::Side::Left)));
        assert!(wanted(&Answer::default()).is_err());
        assert!(wanted(&Answer { retry: true, ..take }).is_err());
    }

    #[test]
    fn places_of_other_lists_are_refused() {
        assert_eq!(number(None), Ok(0));
        assert!(number(Some("x")).is_err() && entry_place(Some("7")).is_err());
        let text = "5_2_0198f3a2-5c1e-7d00-a111-4f7a9c2e5b10";
        let place = parked_place(Some(text)).unwrap().unwrap();
        assert_eq!((place.at, place.mapping.0), (5, 2));
        for wrong in ["", "5", "5_2", "5_2_x", "x_2_0198f3a2-5c1e-7d00-a111-4f7a9c2e5b10"] {
            assert!(parked_place(Some(wrong)).is_err(), "{wrong}");
        }
        assert!(by(" ").is_err() && by("a\nb").is_err());
    }
}
