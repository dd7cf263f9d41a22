//! Scans and polls.

use syncline_sdk::{
    ChangesRequest, Cursor, EntityName, Error, ErrorKind, Key, Page, Result, ScanRequest, Selection,
};

use super::row::{Row, State};
use super::world::World;
use crate::Operation;
use crate::filter::passes;

impl World {
    fn entity(&self, operation: Operation, entity: &EntityName) -> Result<()> {
        match self.table(entity) {
            Some(_) => Ok(()),
            None => Err(no_entity(operation, self, entity)),
        }
    }
    fn selected(selection: &Selection, row: &Row) -> bool {
        let value = |field: &syncline_sdk::FieldName| row.value(field);
        selection.filter.as_ref().is_none_or(|filter| passes(filter, &value))
    }

    pub fn scan(&self, request: &ScanRequest) -> Result<Page> {
        let selection = &request.selection;
        self.entity(Operation::Scan, &selection.entity)?;
        let after = request.after.as_ref().map(|cursor| Key::new(cursor.0.clone()));
        let mut page = Page { server_time: Some(self.clock()), ..Page::default() };
        let Some(table) = self.table(&selection.entity) else {
            return Ok(page);
        };
        for key in table.rows.keys().filter(|key| after.as_ref().is_none_or(|after| *key > after)) {
            let Some(row) = self.seen(selection, key).filter(|row| Self::selected(selection, row))
            else {
                continue;
            };
            if page.records.len() >= request.page_rows_max.max(1) {
                page.next = page.records.last().map(|record| Cursor(record.key.as_str().into()));
                break;
            }
            page.records.push(self.read_row(selection, row, self.snapshot()));
        }
        Ok(page)
    }

    /// The cursor of a poll holds where the window starts, where it ends (the server's clock
    /// when its first page was read) and the last row shown of it.
    pub fn changes(&self, request: &ChangesRequest) -> Result<Page> {
        let selection = &request.selection;
        self.entity(Operation::Changes, &selection.entity)?;
        let clock = self.profile.stamp(self.clock());
        let mut page = Page { server_time: Some(self.clock()), ..Page::default() };
        let Some(since) = &request.since else {
            page.next = Some(Window::starting(clock).cursor());
            return Ok(page);
        };
        let window = Window::parse(since).ok_or_else(|| {
            let text = format!("{} does not know the cursor of {}", self.name, selection.entity);
            Error::new(ErrorKind::Gap, Operation::Changes.as_str(), text)
        })?;
        let end = window.end.unwrap_or(clock);
        let from = self.behind(window.from);
        let mut shown: Vec<(i64, &Key)> = Vec::new();
        if let (Some(table), false) = (self.table(&selection.entity), self.conditions.invisible) {
            for (key, slot) in &table.rows {
                let Some(row) = slot.as_of(self.snapshot()) else {
                    continue;
                };
                let stamp = self.profile.stamp(row.stamped);
                let place = (stamp, key.as_str());
                let fresh =
                    window.last.as_ref().is_none_or(|last| place > (last.0, last.1.as_str()));
                if stamp >= from && fresh && !slot.row.hidden {
                    shown.push((stamp, key));
                }
            }
        }
        shown.sort();
        let mut last = None;
        for (stamp, key) in shown {
            if page.records.len() + page.gone.len() >= request.page_rows_max.max(1) {
                page.more = true;
                break;
            }
            last = Some((stamp, key.clone()));
            let Some(row) =
                self.slot(&selection.entity, key).and_then(|slot| slot.as_of(self.snapshot()))
            else {
                continue;
            };
            match row.state {
                State::Live => page.records.push(self.read_row(selection, row, self.snapshot())),
                _ if self.profile.capabilities.recycle_bin.is_none() => {}
                _ => page.gone.push((key.clone(), self.absence(selection, key))),
            }
        }
        let next = Window {
            from: if page.more { window.from } else { end },
            end: page.more.then_some(end),
            last: if page.more { last } else { None },
        };
        page.next = Some(next.cursor());
        Ok(page)
    }
}

pub(crate) fn no_entity(operation: Operation, world: &World, entity: &EntityName) -> Error {
    let text = format!("{} has no entity {entity}", world.name);
    Error::new(ErrorKind::Schema, operation.as_str(), text)
        .advise("check the name in the mapping, and the rights of the user")
}

struct Window {
    from: i64,
    end: Option<i64>,
    last: Option<(i64, Key)>,
}

impl Window {
    fn starting(from: i64) -> Self {
        Self { from, end: None, last: None }
    }
    fn cursor(&self) -> Cursor {
        let Self { from, end, last } = self;
        let text = match (end, last) {
            (Some(end), Some((stamp, key))) => format!("{from} {end} {stamp} {key}"),
            _ => from.to_string(),
        };
        Cursor(text.into())
    }
    fn parse(cursor: &Cursor) -> Option<Self> {
        let mut parts = cursor.0.splitn(4, ' ');
        let from = parts.next()?.parse().ok()?;
        let Some(end) = parts.next() else {
            return Some(Self::starting(from));
        };
        let end = end.parse().ok()?;
        let stamp = parts.next()?.parse().ok()?;
        let key = Key::new(parts.next()?);
        Some(Self { from, end: Some(end), last: Some((stamp, key)) })
    }
}
