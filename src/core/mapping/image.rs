//! A unit as it is written to a side.

use syncline_sdk::{Normalizer, Value};

use super::{Computed, Direction, Formula, MappedField, MappedSide, NoImage, Pair, Unit, convert};
use crate::{Side, Sides};

/// One field of a unit as it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Put {
    /// The field, by index in the image of its side.
    pub field: usize,
    /// What is sent.
    pub value: Value,
    /// What the side is expected to store.
    pub image: Value,
}

impl Unit {
    /// Every field of the unit as it is written to a side: `source` gives what the other side
    /// shows, `current` what this side shows now. A field whose current value stands for the
    /// source already stays as it is, byte by byte, while others of its unit are written
    /// (protocol M2, M3).
    ///
    /// # Errors
    /// [`NoImage`] when a value cannot be stored there.
    pub fn put<'v>(
        &self,
        sides: &Sides<MappedSide>,
        to: Side,
        source: impl Fn(usize) -> &'v Value,
        current: impl Fn(usize) -> &'v Value,
    ) -> Result<Vec<Put>, NoImage> {
        let many = self.fields(to).nth(1).is_some();
        let mut written = Vec::new();
        for pair in &self.pairs {
            let (value, now) = (source(pair.on(to.other())), current(pair.on(to)));
            let target = &sides[to].fields[pair.on(to)];
            let origin = &sides[to.other()].fields[pair.on(to.other())];
            let keeps = (many || pair.is_many_to_one(to)) && self.direction == Direction::Both;
            let put = if keeps && pair.stands_for(to, now, value, origin) {
                Put { field: pair.on(to), value: now.clone(), image: now.clone() }
            } else {
                let sent = pair.put(to, value, now, target)?;
                pair.over(pair.on(to), sent, now, target)
            };
            written.push(put);
        }
        for group in &self.computed {
            written.extend(group.put_whole(sides, to, &source, &current)?);
        }
        Ok(written)
    }

    /// Whether both sides hold the same under the mapping, by the values that they show. Compared
    /// only through the mapping, never raw (protocol M8): the image of one side's value must be
    /// the other's.
    pub fn agrees<'v>(
        &self,
        sides: &Sides<MappedSide>,
        value: impl Fn(Side, usize) -> &'v Value,
    ) -> bool {
        let reached = || Side::BOTH.into_iter().filter(|to| self.direction.reaches(*to));
        let pair_agrees = |pair: &Pair| {
            reached().any(|to| {
                let target = &sides[to].fields[pair.on(to)];
                let source = value(to.other(), pair.on(to.other()));
                let now = value(to, pair.on(to));
                pair.image(to, source, now, target).is_ok_and(|image| pair.is_same(&image, now))
            })
        };
        let group_agrees = |group: &Computed| {
            reached().any(|to| {
                let from = to.other();
                let put = group.put(sides, to, &|at| value(from, at), &|at| value(to, at));
                put.is_ok_and(|put| put.iter().all(|put| put.image == *value(to, put.field)))
            })
        };
        self.pairs.iter().all(pair_agrees) && self.computed.iter().all(group_agrees)
    }
}

impl Pair {
    /// A value of either side in the pair's normal form.
    #[must_use]
    pub fn normal(&self, value: Value) -> Value {
        Normalizer::apply_all(&self.normalize, value)
    }

    /// Whether two values of one side are the same to the pair.
    #[must_use]
    pub fn is_same(&self, one: &Value, other: &Value) -> bool {
        one == other
            || (!self.normalize.is_empty()
                && self.normal(one.clone()) == self.normal(other.clone()))
    }

    /// Whether several values of a side stand for one value of the other.
    fn is_many_to_one(&self, side: Side) -> bool {
        !self.normalize.is_empty()
            || self.values.as_ref().is_some_and(|table| table.is_many_to_one(side))
            || self.view.as_ref().is_some_and(|(coarse, _)| *coarse == side.other())
    }

    /// Whether a value that a side shows stands for this value of the other side already.
    fn stands_for(&self, to: Side, now: &Value, value: &Value, origin: &MappedField) -> bool {
        let filled = now.is_null() && self.default[to].is_some();
        now.is_present()
            && !filled
            && self
                .image(to.other(), now, value, origin)
                .is_ok_and(|image| self.is_same(&image, value))
    }

    /// A value as it is written over what a field holds now. Where both have one normal form the
    /// field stays as it is: what is the same to the pair is nothing to write (protocol N1, V6).
    #[must_use]
    pub fn over(&self, field: usize, sent: Value, now: &Value, target: &MappedField) -> Put {
        let put = stored(field, sent, target);
        let stays = !self.normalize.is_empty() && now.is_present() && self.is_same(&put.image, now);
        if stays { Put { field, value: now.clone(), image: now.clone() } } else { put }
    }
}

static NULL: Value = Value::Null;

/// What a side shows of its fields.
type Shows<'v, 'f> = &'f dyn Fn(usize) -> &'v Value;

impl Computed {
    /// The group as it is written to a side. Fields whose value stands for the source already stay
    /// as they are; a value that would come back as another one is none (protocol M1, M2).
    fn put_whole<'v>(
        &self,
        sides: &Sides<MappedSide>,
        to: Side,
        source: Shows<'v, '_>,
        current: Shows<'v, '_>,
    ) -> Result<Vec<Put>, NoImage> {
        let from = to.other();
        if let Some(absent) = self.fields[from].iter().find(|at| !source(**at).is_present()) {
            let name = &sides[from].fields[*absent].name;
            return Err(NoImage::Expression(format!("{name} was not delivered")));
        }
        let both = Side::BOTH
            .into_iter()
            .all(|side| !self.formulas[side].is_empty() && !self.fields[side].is_empty());
        let known = self.fields[to].iter().all(|at| current(*at).is_present());
        if both && known {
            let back = self.put(sides, from, current, source);
            if back.is_ok_and(|back| back.iter().all(|put| put.image == *source(put.field))) {
                let kept = self.fields[to].iter().map(|at| {
                    let now = current(*at).clone();
                    Put { field: *at, value: now.clone(), image: now }
                });
                return Ok(kept.collect());
            }
        }
        let now = |at: usize| if current(at).is_present() { current(at) } else { &NULL };
        let written = self.put(sides, to, source, &now)?;
        if both {
            let shown = |at: usize| {
                let put = written.iter().find(|put| put.field == at);
                put.map_or(&NULL, |put| &put.image)
            };
            for put in self.put(sides, from, &shown, &|at| source(at))? {
                if put.image != *source(put.field) {
                    let name = &sides[from].fields[put.field].name;
                    let back = format!("{name}, which would come back as {:?}", put.image);
                    return Err(NoImage::WouldLose(back));
                }
            }
        }
        Ok(written)
    }

    /// The value of each formula of a side.
    fn put<'v>(
        &self,
        sides: &Sides<MappedSide>,
        to: Side,
        source: Shows<'v, '_>,
        current: Shows<'v, '_>,
    ) -> Result<Vec<Put>, NoImage> {
        let place = |side: Side, name: &str| {
            let mut fields = self.fields[side].iter();
            fields.find(|at| sides[side].fields[**at].name.as_str() == name).copied()
        };
        let fields = self.fields[to].iter().zip(&self.formulas[to]);
        fields
            .map(|(at, formula)| {
                let target = &sides[to].fields[*at];
                let value = match formula {
                    Formula::Constant(value) => value.clone(),
                    Formula::Expression(expression) => expression
                        .evaluate(|variable| match variable.old {
                            true => place(to, &variable.field).map(current),
                            false => place(to.other(), &variable.field).map(source),
                        })
                        .map_err(|why| NoImage::Expression(format!("{}: {why}", target.name)))?,
                };
                Ok(stored(*at, convert(value, target)?, target))
            })
            .collect()
    }
}

/// A value as it is written, with what its side makes of it.
#[must_use]
pub fn stored(field: usize, value: Value, target: &MappedField) -> Put {
    let image = Normalizer::apply_all(&target.normalizers, value.clone());
    Put { field, value, image }
}
